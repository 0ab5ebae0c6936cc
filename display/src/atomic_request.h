/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One atomic commit: properties of objects, in arrays that are reused from frame to frame. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heapflow
{

/**
 * \brief Properties to be changed together
 *
 * Speaks to DRM_IOCTL_MODE_ATOMIC itself: drmModeAtomicCommit() copies and sorts the request into
 * fresh memory at each call, and a steady state allocates nothing (invariant 6).
 */
class AtomicRequest
{
public:
	struct Entry {
		uint32_t object = 0;
		uint32_t property = 0;
		uint64_t value = 0;
	};

	/** \brief Empty the request, keeping its memory */
	void clear();

	/** \brief The following set() calls are about this object */
	void object(uint32_t id) { object_ = id; }

	void set(uint32_t property, uint64_t value);

	bool empty() const { return properties_.empty(); }
	size_t size() const { return properties_.size(); }
	/** \brief In the order of set(); walks the objects, so not for the steady state */
	Entry entry(size_t index) const;

	/**
	 * \brief DRM_IOCTL_MODE_ATOMIC
	 *
	 * EINTR and EAGAIN are tried again, some hundred times, where drmIoctl() would for ever.
	 *
	 * \param[out] interrupted Counts them, when not null
	 * \return 0 or a positive errno
	 */
	int commit(int drm, uint32_t flags, uint64_t userData = 0,
		   uint64_t *interrupted = nullptr) const;

private:
	/* The layout that struct drm_mode_atomic wants (include/uapi/drm/drm_mode.h). */
	std::vector<uint32_t> objects_;
	std::vector<uint32_t> counts_;
	std::vector<uint32_t> properties_;
	std::vector<uint64_t> values_;
	uint32_t object_ = 0;
};

} /* namespace heapflow */
