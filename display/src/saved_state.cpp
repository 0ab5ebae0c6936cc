/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "saved_state.h"

#include "drm_ptr.h"
#include "property_blob.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

bool isSaved(const KmsObject &object, const KmsProperty &property)
{
	if (property.immutable)
		return false;
	switch (object.type) {
	case DRM_MODE_OBJECT_CONNECTOR:
		return property.name == "CRTC_ID";
	case DRM_MODE_OBJECT_CRTC:
		return property.name == "MODE_ID" || property.name == "ACTIVE";
	default:
		return isPlanePropertyWeWrite(property.name);
	}
}

void append(std::vector<SavedProperty> &list, int drm, const KmsObject &object)
{
	for (const KmsProperty &property : object.properties) {
		if (isSaved(object, property))
			list.push_back({object.id, property.id, property.value,
					property.blob ? readBlob(drm, property.value)
						      : std::vector<uint8_t>{}});
	}
}

bool framebufferExists(int drm, uint32_t id)
{
	const DrmPtr<drmModeFB, drmModeFreeFB> framebuffer(drmModeGetFB(drm, id));
	if (!framebuffer)
		return errno != ENOENT;
	/* A GEM handle comes with it for a master, and would keep the memory. */
	if (framebuffer->handle)
		drmCloseBufferHandle(drm, framebuffer->handle);
	return true;
}

} /* namespace */

bool isPlanePropertyWeWrite(std::string_view name)
{
	static constexpr std::string_view written[] = {
		"FB_ID",          "CRTC_ID",     "SRC_X",    "SRC_Y",  "SRC_W",
		"SRC_H",          "CRTC_X",      "CRTC_Y",   "CRTC_W", "CRTC_H",
		"COLOR_ENCODING", "COLOR_RANGE", "rotation", "alpha",
	};
	return std::ranges::contains(written, name);
}

std::vector<SavedProperty> changedProperties(const std::vector<SavedProperty> &saved,
					     const std::vector<SavedProperty> &now)
{
	std::vector<SavedProperty> changed;
	for (const SavedProperty &old : saved) {
		const auto same = std::ranges::find_if(now, [&](const SavedProperty &entry) {
			return entry.object == old.object && entry.property == old.property;
		});
		if (same != now.end() && !same->sameValue(old))
			changed.push_back(old);
	}
	return changed;
}

SavedState SavedState::capture(int drm, const Topology &topology, const CrtcInfo &crtc)
{
	SavedState state;
	/* Every connector: a writeback connector is attached for a screenshot. */
	for (const ConnectorInfo &connector : topology.connectors)
		state.objects_.push_back(connector.object);
	state.objects_.push_back(crtc.object);
	for (const PlaneInfo &plane : topology.planes) {
		if (!(plane.possibleCrtcs & (1u << crtc.index)))
			continue;
		state.objects_.push_back(plane.object);
		state.planes_.push_back({plane.id, plane.object.propertyId("FB_ID"),
					 plane.object.propertyId("CRTC_ID"),
					 plane.crtcId == crtc.id ? plane.framebuffer : 0});
	}
	for (const KmsObject &object : state.objects_)
		append(state.properties_, drm, object);
	return state;
}

bool SavedState::wasLit(uint32_t plane) const
{
	const auto found = std::ranges::find(planes_, plane, &Plane::id);
	return found != planes_.end() && found->framebuffer;
}

std::vector<SavedProperty> SavedState::current(int drm) const
{
	std::vector<SavedProperty> now;
	for (const KmsObject &object : objects_) {
		if (const auto fresh = readKmsObject(drm, object.id, object.type))
			append(now, drm, *fresh);
	}
	return now;
}

Result<void> SavedState::restore(int drm) const
{
	std::vector<SavedProperty> wanted = properties_;
	for (const Plane &plane : planes_) {
		if (!plane.framebuffer || framebufferExists(drm, plane.framebuffer))
			continue;
		for (SavedProperty &property : wanted) {
			if (property.object == plane.id &&
			    (property.property == plane.framebufferProperty ||
			     property.property == plane.crtcProperty))
				property.value = 0;
		}
	}

	AtomicRequest request;
	std::vector<PropertyBlob> blobs;
	uint32_t object = 0;
	for (const SavedProperty &property : changedProperties(wanted, current(drm))) {
		if (property.object != object)
			request.object(object = property.object);
		uint64_t value = property.value;
		if (!property.blob.empty()) {
			auto blob = PropertyBlob::create(drm, property.blob.data(),
							 property.blob.size());
			if (!blob)
				return std::unexpected(blob.error());
			value = blob->id();
			blobs.push_back(std::move(*blob));
		}
		request.set(property.property, value);
	}
	if (request.empty())
		return {};
	if (const int code = request.commit(drm, DRM_MODE_ATOMIC_ALLOW_MODESET))
		return fail(code, "the display's former state could not be restored");
	return {};
}

} /* namespace heapflow */
