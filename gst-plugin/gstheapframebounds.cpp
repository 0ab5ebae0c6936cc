/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapframebounds.h"

#include "gstheapi18n.h"

#include "heapflow/heap/buffer_identity.h"
#include "heapflow/heap/plane_bounds.h"

#include <array>
#include <cerrno>
#include <limits>
#include <span>

namespace heapflow::gst
{

namespace
{

/* A part of a memory has an offset into the whole of it. */
Result<void> checkDescriptor(GstMemory *memory)
{
	const int fd = gst_fd_memory_get_fd(memory);
	const auto identity = bufferIdentity(fd);
	if (!identity)
		return std::unexpected(identity.error());
	gsize offset = 0;
	const gsize size = gst_memory_get_sizes(memory, &offset, nullptr);
	if (offset <= identity->size && size <= identity->size - offset)
		return {};
	return std::unexpected(withForeignDescriptor(
		{EINVAL,
		 formatted(
			 _("a frame claims %zu bytes at %zu of descriptor %d, which has %zu bytes"),
			 size, offset, fd, gsize(identity->size)),
		 ""},
		fd));
}

/* As gst_video_frame_map() finds a plane: its first byte, and the rest in the same memory. */
Result<PlaneLayout> planeInMemory(GstBuffer *frame, const GstVideoMeta &meta, unsigned plane,
				  uint64_t &size)
{
	guint index = 0, length = 0;
	gsize skip = 0;
	const gsize offset = meta.offset[plane];
	const gint stride = meta.stride[plane];
	if (stride <= 0 || !gst_buffer_find_memory(frame, offset, 1, &index, &length, &skip) ||
	    skip > std::numeric_limits<uint32_t>::max())
		return fail(
			EINVAL,
			formatted(
				_("plane %u has stride %d and offset %zu in a frame of %zu bytes"),
				plane, stride, offset, gst_buffer_get_size(frame)));
	size = gst_memory_get_sizes(gst_buffer_peek_memory(frame, index), nullptr, nullptr);
	return PlaneLayout{.offset = uint32_t(skip), .stride = uint32_t(stride)};
}

Result<void> checkMeta(const FrameFormat &format, GstBuffer *frame, const GstVideoMeta &meta)
{
	FrameLayout layout{.fourcc = format.fourcc,
			   .modifier = format.modifier,
			   .width = meta.width,
			   .height = meta.height};
	std::array<uint64_t, GST_VIDEO_MAX_PLANES> sizes = {};
	for (unsigned i = 0; i < meta.n_planes && i < sizes.size(); i++) {
		const auto plane = planeInMemory(frame, meta, i, sizes[i]);
		if (!plane)
			return std::unexpected(plane.error());
		layout.planes.push_back(*plane);
	}
	return checkPlanesFit(layout, std::span(sizes).first(layout.planes.size()));
}

} /* namespace */

Result<void> checkFrameBounds(const FrameFormat &format, GstBuffer *frame)
{
	const guint memories = gst_buffer_n_memory(frame);
	for (guint i = 0; i < memories; i++) {
		GstMemory *memory = gst_buffer_peek_memory(frame, i);
		if (!gst_is_fd_memory(memory))
			continue;
		if (auto there = checkDescriptor(memory); !there)
			return there;
	}
	/* Without a meta gst_video_frame_map() looks at the size of the whole. */
	const GstVideoMeta *meta = gst_buffer_get_video_meta(frame);
	return meta ? checkMeta(format, frame, *meta) : Result<void>();
}

} /* namespace heapflow::gst */
