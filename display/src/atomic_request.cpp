/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "atomic_request.h"

#include <cerrno>

#include <xf86drm.h>

namespace heapflow
{

namespace
{

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
}

void AtomicRequest::object(uint32_t id)
{
	objects_.push_back(id);
	counts_.push_back(0);
}

void AtomicRequest::set(uint32_t property, uint64_t value)
{
	properties_.push_back(property);
	values_.push_back(value);
	counts_.back()++;
}

int AtomicRequest::commit(int drm, uint32_t flags, uint64_t userData) const
{
	drm_mode_atomic atomic = {};
	atomic.flags = flags;
	atomic.count_objs = static_cast<uint32_t>(objects_.size());
	atomic.objs_ptr = address(objects_.data());
	atomic.count_props_ptr = address(counts_.data());
	atomic.props_ptr = address(properties_.data());
	atomic.prop_values_ptr = address(values_.data());
	atomic.user_data = userData;
	return drmIoctl(drm, DRM_IOCTL_MODE_ATOMIC, &atomic) ? errno : 0;
}

} /* namespace heapflow */
