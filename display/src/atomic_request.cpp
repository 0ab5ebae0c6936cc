/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "atomic_request.h"

#include <cerrno>

#include <sys/ioctl.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

/* A signal interrupts some; a driver that says so again and again is stuck. */
constexpr int maximumInterruptions = 500;

uint64_t address(const void *pointer)
{
	return reinterpret_cast<uintptr_t>(pointer);
}

} /* namespace */

void AtomicRequest::clear()
{
	objects_.clear();
	counts_.clear();
	properties_.clear();
	values_.clear();
	object_ = 0;
}

void AtomicRequest::set(uint32_t property, uint64_t value)
{
	if (objects_.empty() || objects_.back() != object_) {
		objects_.push_back(object_);
		counts_.push_back(0);
	}
	properties_.push_back(property);
	values_.push_back(value);
	counts_.back()++;
}

AtomicRequest::Entry AtomicRequest::entry(size_t index) const
{
	size_t first = 0, object = 0;
	while (index >= first + counts_[object])
		first += counts_[object++];
	return {objects_[object], properties_[index], values_[index]};
}

int AtomicRequest::commit(int drm, uint32_t flags, uint64_t userData, uint64_t *interrupted) const
{
	drm_mode_atomic atomic = {};
	atomic.flags = flags;
	atomic.count_objs = static_cast<uint32_t>(objects_.size());
	atomic.objs_ptr = address(objects_.data());
	atomic.count_props_ptr = address(counts_.data());
	atomic.props_ptr = address(properties_.data());
	atomic.prop_values_ptr = address(values_.data());
	atomic.user_data = userData;
	for (int i = 0; ioctl(drm, DRM_IOCTL_MODE_ATOMIC, &atomic); i++) {
		if ((errno != EINTR && errno != EAGAIN) || i == maximumInterruptions)
			return errno;
		if (interrupted)
			++*interrupted;
	}
	return 0;
}

} /* namespace heapflow */
