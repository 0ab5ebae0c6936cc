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
	/** \brief Empty the request, keeping its memory */
	void clear();

	/** \brief The following set() calls are about this object */
	void object(uint32_t id);

	void set(uint32_t property, uint64_t value);

	bool empty() const { return properties_.empty(); }

	/** \return 0 or a positive errno; EINTR and EAGAIN are retried by drmIoctl() */
	int commit(int drm, uint32_t flags, uint64_t userData = 0) const;

private:
	/* The layout that struct drm_mode_atomic wants (include/uapi/drm/drm_mode.h). */
	std::vector<uint32_t> objects_;
	std::vector<uint32_t> counts_;
	std::vector<uint32_t> properties_;
	std::vector<uint64_t> values_;
};

} /* namespace heapflow */
