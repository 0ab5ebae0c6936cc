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

/* What exists for the length of one commit only; its value means nothing. */
bool isForOneCommit(std::string_view name)
{
	static constexpr std::string_view names[] = {
		"IN_FENCE_FD",     "OUT_FENCE_PTR",           "FB_DAMAGE_CLIPS",
		"WRITEBACK_FB_ID", "WRITEBACK_OUT_FENCE_PTR",
	};
	return std::ranges::contains(names, name);
}

Result<std::vector<SavedProperty>> settableOf(int drm, const KmsObject &object)
{
	std::vector<SavedProperty> list;
	for (const KmsProperty &property : object.properties) {
		if (property.immutable || isForOneCommit(property.name))
			continue;
		auto blob = readBlob(drm, property.blob ? property.value : 0);
		if (!blob)
			return std::unexpected(blob.error());
		list.push_back({object.id, property.id, property.value, std::move(*blob)});
	}
	return list;
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

Result<SavedState> SavedState::capture(int drm, const Topology &topology, const CrtcInfo &crtc)
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
	for (const KmsObject &object : state.objects_) {
		const auto properties = settableOf(drm, object);
		if (!properties)
			return std::unexpected(properties.error());
		state.properties_.insert(state.properties_.end(), properties->begin(),
					 properties->end());
	}
	return state;
}

/* Of `wanted`, what is not set so now. */
std::vector<SavedProperty> SavedState::differing(int drm,
						 const std::vector<SavedProperty> &wanted) const
{
	std::vector<SavedProperty> list;
	KmsPropertyDefinitions definitions;
	for (const KmsObject &object : objects_) {
		definitions.know(object);
		std::vector<SavedProperty> ofObject;
		std::ranges::copy_if(wanted, std::back_inserter(ofObject),
				     [&](const SavedProperty &property) {
					     return property.object == object.id;
				     });
		const auto fresh = readKmsObject(drm, object.id, object.type, definitions);
		/* A connector that is gone (a dock) has nothing to be restored. */
		if (!fresh && fresh.error().code == ENOENT)
			continue;
		const auto now = fresh ? settableOf(drm, *fresh) : std::unexpected(fresh.error());
		const auto changed = now ? changedProperties(ofObject, *now) : ofObject;
		list.insert(list.end(), changed.begin(), changed.end());
	}
	return list;
}

Result<void> SavedState::restore(int drm,
				 const std::function<bool(const SavedProperty &)> &ours) const
{
	std::vector<SavedProperty> wanted;
	std::ranges::copy_if(properties_, std::back_inserter(wanted), ours);
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
	for (const SavedProperty &property : differing(drm, wanted)) {
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
