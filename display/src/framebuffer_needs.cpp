/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framebuffer_needs.h"

#include "drm_ptr.h"

#include <algorithm>
#include <format>

#include <drm_fourcc.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

bool isTaken(int drm, const GemHandles &handles, const FrameLayout &layout, bool withModifiers)
{
	const auto framebuffer = addFramebuffer(drm, handles, layout, withModifiers);
	if (framebuffer)
		drmModeRmFB(drm, *framebuffer);
	return framebuffer.has_value();
}

/* The same frame, so low that wider lines still fit into its memory. */
FrameLayout lower(FrameLayout layout)
{
	layout.height = std::max(layout.height / 4 & ~3u, std::min(layout.height, 16u));
	return layout;
}

/* The least alignment of pitches with which a lower frame is taken; 0: none helps. */
uint32_t neededPitchAlignment(int drm, const GemHandles &handles, const FrameLayout &layout,
			      bool withModifiers)
{
	for (uint32_t alignment = 2; alignment <= 4096; alignment *= 2) {
		FrameLayout wider = lower(layout);
		for (PlaneLayout &plane : wider.planes)
			plane.stride = (plane.stride + alignment - 1) / alignment * alignment;
		if (wider.planes != layout.planes && isTaken(drm, handles, wider, withModifiers))
			return alignment;
	}
	return 0;
}

} /* namespace */

Result<uint32_t> addFramebuffer(int drm, const GemHandles &handles, const FrameLayout &layout,
				bool withModifiers)
{
	uint32_t objects[4] = {};
	uint32_t pitches[4] = {};
	uint32_t offsets[4] = {};
	uint64_t modifiers[4] = {};
	for (size_t i = 0; i < std::min<size_t>(layout.planes.size(), 4); i++) {
		objects[i] = handles[i];
		pitches[i] = layout.planes[i].stride;
		offsets[i] = layout.planes[i].offset;
		modifiers[i] = layout.modifier;
	}

	uint32_t framebuffer = 0;
	/* Both give 0 or a negative errno (xf86drmMode.c). */
	const int result =
		withModifiers
			? drmModeAddFB2WithModifiers(drm, layout.width, layout.height,
						     layout.fourcc, objects, pitches, offsets,
						     modifiers, &framebuffer, DRM_MODE_FB_MODIFIERS)
			: drmModeAddFB2(drm, layout.width, layout.height, layout.fourcc, objects,
					pitches, offsets, &framebuffer, 0);
	if (result)
		return fail(-result, "the display makes no framebuffer");
	return framebuffer;
}

std::string framebufferNeeds(int drm, const GemHandles &handles, const FrameLayout &layout,
			     bool withModifiers)
{
	const FormatInfo *format = formatInfo(layout.fourcc);
	if (format && !layout.modifier && layout.planes.size() != format->planes)
		return std::format("needs {} planes, has {}", format->planes, layout.planes.size());

	const DrmPtr<drmModeRes, drmModeFreeResources> resources(drmModeGetResources(drm));
	if (resources &&
	    (layout.width < resources->min_width || layout.width > resources->max_width ||
	     layout.height < resources->min_height || layout.height > resources->max_height))
		return std::format("needs a size from {}x{} to {}x{}, has {}x{}",
				   resources->min_width, resources->min_height,
				   resources->max_width, resources->max_height, layout.width,
				   layout.height);

	if (!layout.planes.empty()) {
		const uint32_t pitch = layout.planes[0].stride;
		if (const uint32_t needed =
			    neededPitchAlignment(drm, handles, layout, withModifiers))
			return std::format("needs pitches that are multiples of {} bytes, has {}",
					   needed, pitch);
	}
	if (layout.modifier != DRM_FORMAT_MOD_LINEAR) {
		FrameLayout linear = layout;
		linear.modifier = DRM_FORMAT_MOD_LINEAR;
		if (isTaken(drm, handles, linear, withModifiers))
			return std::format("needs modifier 0 (linear), has {:#x}", layout.modifier);
	}
	return "No pitch, size or modifier that was tried helps: this memory or format is not "
	       "for this display";
}

} /* namespace heapflow */
