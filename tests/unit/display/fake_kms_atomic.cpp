/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of FakeKms that takes and refuses commits. */
#include "fake_kms.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <drm.h>
#include <drm_mode.h>
#include <sys/eventfd.h>

namespace heapflow::test
{

int FakeKms::atomic(void *argument)
{
	const auto *request = static_cast<drm_mode_atomic *>(argument);
	const bool test = request->flags & DRM_MODE_ATOMIC_TEST_ONLY;
	tests_ += test;
	if (!master_)
		return EACCES;

	State next = state_;
	FakeCommit commit{request->flags, {}};
	const auto *objects = reinterpret_cast<const uint32_t *>(request->objs_ptr);
	const auto *counts = reinterpret_cast<const uint32_t *>(request->count_props_ptr);
	const auto *ids = reinterpret_cast<const uint32_t *>(request->props_ptr);
	const auto *values = reinterpret_cast<const uint64_t *>(request->prop_values_ptr);
	bool modeset = false;
	for (uint32_t object = 0; object < request->count_objs; object++) {
		for (uint32_t i = 0; i < counts[object]; i++, ids++, values++) {
			const auto found = next.find({objects[object], *ids});
			if (found == next.end())
				return ENOENT;
			const Property &property = properties_.at(*ids);
			if (property.flags & DRM_MODE_PROP_IMMUTABLE)
				return EINVAL;
			modeset |= objects[object] < firstPlane && found->second != *values &&
				   property.name != "OUT_FENCE_PTR";
			found->second = *values;
			const char *kind = objects[object] == connector ? "connector"
					   : objects[object] == crtc    ? "crtc"
									: "plane";
			commit.properties[std::format("{} {} {}", kind, objects[object],
						      property.name)] = *values;
		}
	}
	if (modeset && !(request->flags & DRM_MODE_ATOMIC_ALLOW_MODESET))
		return EINVAL;
	if (const int code = check(next, request->flags, commit))
		return code;
	if (test)
		return 0;
	if (refusedCommits_) {
		refusedCommits_--;
		return refusalCode_;
	}
	if (!pending_.empty() && (request->flags & DRM_MODE_ATOMIC_NONBLOCK))
		return EBUSY;
	if (const auto wanted = commit.properties.find("crtc 20 OUT_FENCE_PTR");
	    wanted != commit.properties.end()) {
		const int fence = eventfd(0, EFD_CLOEXEC);
		if (fence < 0)
			return errno;
		*reinterpret_cast<int32_t *>(wanted->second) = fence;
	}
	state_ = std::move(next);
	commits_.push_back(std::move(commit));
	if (request->flags & DRM_MODE_PAGE_FLIP_EVENT) {
		pending_.push_back(request->user_data);
		if (instantFlips_)
			flipLocked(0);
	}
	return 0;
}

int FakeKms::check(const State &state, uint32_t flags, const FakeCommit &commit) const
{
	if (refuse_) {
		if (const int code = refuse_(commit))
			return code;
	}
	if (flags & DRM_MODE_PAGE_FLIP_ASYNC) {
		const bool onlyFrames =
			std::ranges::all_of(commit.properties, [](const auto &entry) {
				return entry.first.ends_with(" FB_ID");
			});
		if (!display_.asyncFlips || !onlyFrames)
			return EINVAL;
	}
	uint64_t pixels = 0;
	for (size_t i = 0; i < display_.planes.size(); i++) {
		if (const int code = checkPlane(state, i, pixels))
			return code;
	}
	return display_.bandwidth && pixels > display_.bandwidth ? ENOSPC : 0;
}

int FakeKms::checkPlane(const State &state, size_t index, uint64_t &pixels) const
{
	const FakePlane &plane = display_.planes[index];
	const auto id = firstPlane + static_cast<uint32_t>(index);
	const auto framebuffer = framebuffers_.find(static_cast<uint32_t>(in(state, id, "FB_ID")));
	if (!in(state, id, "FB_ID") != !in(state, id, "CRTC_ID"))
		return EINVAL;
	if (framebuffer == framebuffers_.end())
		return in(state, id, "FB_ID") ? ENOENT : 0;
	if (!in(state, crtc, "ACTIVE"))
		return EINVAL;

	const auto format = std::ranges::find(plane.formats, framebuffer->second.fourcc,
					      [](const auto &entry) { return entry.first; });
	if (format == plane.formats.end() ||
	    std::ranges::find(format->second, framebuffer->second.modifier) == format->second.end())
		return EINVAL;
	const double sourceWidth = static_cast<double>(in(state, id, "SRC_W")) / 65536;
	const double sourceHeight = static_cast<double>(in(state, id, "SRC_H")) / 65536;
	const auto width = static_cast<double>(in(state, id, "CRTC_W"));
	const auto height = static_cast<double>(in(state, id, "CRTC_H"));
	if (static_cast<double>(in(state, id, "SRC_X")) / 65536 + sourceWidth >
		    framebuffer->second.width ||
	    static_cast<double>(in(state, id, "SRC_Y")) / 65536 + sourceHeight >
		    framebuffer->second.height)
		return ENOSPC;
	const bool turned = in(state, id, "rotation") & (DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270);
	const double across = width / (turned ? sourceHeight : sourceWidth);
	const double down = height / (turned ? sourceWidth : sourceHeight);
	for (const double factor : {across, down}) {
		if (factor < plane.shrink || factor > plane.grow)
			return ERANGE;
	}
	if (in(state, id, "rotation") & ~uint64_t{plane.rotations | DRM_MODE_ROTATE_0})
		return EINVAL;
	if (static_cast<uint32_t>(width) % plane.widthStep ||
	    static_cast<uint32_t>(sourceWidth) % plane.widthStep)
		return EINVAL;
	if (plane.maximumWidth && sourceWidth > plane.maximumWidth)
		return EINVAL;
	const auto mode = blobs_.find(in(state, crtc, "MODE_ID"));
	if (plane.mustCover && mode != blobs_.end()) {
		drmModeModeInfo info;
		std::memcpy(&info, mode->second.data(), sizeof(info));
		if (in(state, id, "CRTC_X") || in(state, id, "CRTC_Y") ||
		    static_cast<uint32_t>(width) != info.hdisplay ||
		    static_cast<uint32_t>(height) != info.vdisplay)
			return EINVAL;
	}
	pixels += static_cast<uint64_t>(width * height);
	return 0;
}

} /* namespace heapflow::test */
