/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of a display as it was found, and the way back to it. */
#pragma once

#include "atomic_request.h"
#include "heapflow/heap/error.h"
#include "topology.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace heapflow
{

/** \brief One property of one object at some time */
struct SavedProperty {
	uint32_t object = 0;
	uint32_t property = 0;
	uint64_t value = 0;
	std::vector<uint8_t> blob; /**< contents, when it is one: the kernel frees unused blobs */

	/** \brief A blob is its contents; its id changes */
	bool sameValue(const SavedProperty &other) const
	{
		return blob == other.blob && (value == other.value || !blob.empty());
	}
};

/** \brief The properties of `saved` that are different in `now`, in the order of `saved`. Pure. */
std::vector<SavedProperty> changedProperties(const std::vector<SavedProperty> &saved,
					     const std::vector<SavedProperty> &now);

/**
 * \brief A snapshot of all that an Output may change (invariant 14)
 *
 * All properties that can be set, of the connectors, the CRTC, and the planes that can be on it.
 */
class SavedState
{
public:
	/** \brief Errors: what is set cannot be read, and so could not be restored */
	static Result<SavedState> capture(int drm, const Topology &topology, const CrtcInfo &crtc);

	/**
	 * \brief Set what is different from the snapshot, in one blocking commit
	 *
	 * \param[in] ours Did we change it? What others did is theirs
	 *
	 * What an object has now may be unreadable; then all that is ours of it is set.
	 *
	 * A plane whose framebuffer is gone since, because its owner closed it, is turned off.
	 *
	 * Errors: EACCES not master any more, what the driver says.
	 */
	Result<void> restore(int drm, const std::function<bool(const SavedProperty &)> &ours) const;

private:
	std::vector<SavedProperty> differing(int drm,
					     const std::vector<SavedProperty> &wanted) const;

	struct Plane {
		uint32_t id = 0;
		uint32_t framebufferProperty = 0;
		uint32_t crtcProperty = 0;
		uint32_t framebuffer = 0;
	};

	std::vector<KmsObject> objects_;
	std::vector<SavedProperty> properties_;
	std::vector<Plane> planes_;
};

} /* namespace heapflow */
