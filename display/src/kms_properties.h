/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a KMS object, by name. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heapflow
{

struct KmsProperty {
	std::string name;
	uint32_t id = 0;
	uint64_t value = 0;
	bool immutable = false;
	bool blob = false;
	std::vector<std::pair<std::string, uint64_t>> choices; /**< of an enum or a bit mask */
	uint64_t maximum = 0;                                  /**< of a range */

	/** \brief The value that this enum has for a choice, "ITU-R BT.709 YCbCr" */
	std::optional<uint64_t> choice(std::string_view text) const;
};

/** \brief A connector, CRTC or plane with its properties as they were when read */
struct KmsObject {
	uint32_t id = 0;
	uint32_t type = 0; /**< DRM_MODE_OBJECT_* */
	std::vector<KmsProperty> properties;

	/** \return nullptr when the driver does not have it */
	const KmsProperty *find(std::string_view name) const;

	/** \return 0 when the driver does not have it, which no property has as its id */
	uint32_t propertyId(std::string_view name) const;

	/** \return 0 when the driver does not have it */
	uint64_t value(std::string_view name) const;
};

/**
 * \brief What properties are, beside their values
 *
 * Objects of a kind share most of theirs, and each costs two ioctls to ask for. To be kept for one
 * reading of a device only: the ids of a connector that went may be given to others.
 */
class KmsPropertyDefinitions
{
public:
	/** \brief Those of an object that was read before, and is still there */
	void know(const KmsObject &object);

	/** \return nullptr with errno when the kernel does not say; the value is 0 */
	const KmsProperty *of(int drm, uint32_t id);

private:
	std::map<uint32_t, KmsProperty> known_;
};

/** \brief Errors: what the kernel says, with the object */
Result<KmsObject> readKmsObject(int drm, uint32_t id, uint32_t type,
				KmsPropertyDefinitions &definitions);

/** \brief Bytes of a property blob; empty for blob 0 and for one that is gone */
Result<std::vector<uint8_t>> readBlob(int drm, uint64_t blob);

} /* namespace heapflow */
