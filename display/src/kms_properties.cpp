/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kms_properties.h"

#include "drm_ptr.h"

#include <cerrno>
#include <format>

#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

std::optional<uint64_t> KmsProperty::choice(std::string_view text) const
{
	for (const auto &[name_, value_] : choices) {
		if (name_ == text)
			return value_;
	}
	return std::nullopt;
}

const KmsProperty *KmsObject::find(std::string_view name) const
{
	for (const KmsProperty &property : properties) {
		if (property.name == name)
			return &property;
	}
	return nullptr;
}

uint32_t KmsObject::propertyId(std::string_view name) const
{
	const KmsProperty *property = find(name);
	return property ? property->id : 0;
}

uint64_t KmsObject::value(std::string_view name) const
{
	const KmsProperty *property = find(name);
	return property ? property->value : 0;
}

void KmsPropertyDefinitions::know(const KmsObject &object)
{
	for (const KmsProperty &property : object.properties)
		known_.try_emplace(property.id, property).first->second.value = 0;
}

const KmsProperty *KmsPropertyDefinitions::of(int drm, uint32_t id)
{
	if (const auto found = known_.find(id); found != known_.end())
		return &found->second;
	const DrmPtr<drmModePropertyRes, drmModeFreeProperty> property(drmModeGetProperty(drm, id));
	if (!property)
		return nullptr;

	KmsProperty &entry = known_[id];
	entry.name = property->name;
	entry.id = property->prop_id;
	entry.immutable = property->flags & DRM_MODE_PROP_IMMUTABLE;
	entry.blob = drm_property_type_is(property.get(), DRM_MODE_PROP_BLOB);
	for (int choice = 0; choice < property->count_enums; choice++)
		entry.choices.emplace_back(property->enums[choice].name,
					   property->enums[choice].value);
	if (drm_property_type_is(property.get(), DRM_MODE_PROP_RANGE) &&
	    property->count_values == 2)
		entry.maximum = property->values[1];
	return &entry;
}

Result<KmsObject> readKmsObject(int drm, uint32_t id, uint32_t type,
				KmsPropertyDefinitions &definitions)
{
	const DrmPtr<drmModeObjectProperties, drmModeFreeObjectProperties> list(
		drmModeObjectGetProperties(drm, id, type));
	if (!list)
		return fail(errno, std::format("cannot read the properties of KMS object {}", id));

	KmsObject object{.id = id, .type = type};
	for (uint32_t i = 0; i < list->count_props; i++) {
		const KmsProperty *property = definitions.of(drm, list->props[i]);
		/* One that is left out would be set as property 0, and refused. */
		if (!property)
			return fail(errno, std::format("cannot read property {} of KMS object {}",
						       list->props[i], id));
		object.properties.emplace_back(*property).value = list->prop_values[i];
	}
	return object;
}

Result<std::vector<uint8_t>> readBlob(int drm, uint64_t blob)
{
	if (!blob)
		return std::vector<uint8_t>();
	const DrmPtr<drmModePropertyBlobRes, drmModeFreePropertyBlob> data(
		drmModeGetPropertyBlob(drm, static_cast<uint32_t>(blob)));
	if (!data && errno == ENOENT)
		return std::vector<uint8_t>();
	if (!data)
		return fail(errno, std::format("cannot read the property blob {}", blob));
	const auto *bytes = static_cast<const uint8_t *>(data->data);
	return std::vector<uint8_t>(bytes, bytes + data->length);
}

} /* namespace heapflow */
