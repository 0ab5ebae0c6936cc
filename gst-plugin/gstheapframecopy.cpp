/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapframecopy.h"

#include "gstheapbufferpool.h"

#include <cerrno>

namespace heapflow::gst
{

namespace
{

/* One on the screen, one waiting for the vblank, one being filled. */
constexpr guint minimumBuffers = 3;

bool copyPixels(const GstVideoInfo &info, GstBuffer *from, GstBuffer *to)
{
	GstVideoFrame source, target;
	if (!gst_video_frame_map(&source, &info, from, GST_MAP_READ))
		return false;
	bool done = false;
	if (gst_video_frame_map(&target, &info, to, GST_MAP_WRITE)) {
		done = gst_video_frame_copy(&target, &source);
		gst_video_frame_unmap(&target);
	}
	gst_video_frame_unmap(&source);
	return done;
}

} /* namespace */

FrameCopier::~FrameCopier()
{
	reset();
}

void FrameCopier::reset()
{
	if (pool_)
		gst_buffer_pool_set_active(pool_, FALSE);
	gst_clear_object(&pool_);
	gst_clear_caps(&caps_);
}

Result<GstBuffer *> FrameCopier::copy(GstElement *element, const std::string &heap, GstCaps *caps,
				      const FrameFormat &format, GstBuffer *frame)
{
	if (!format.planesKnown)
		return fail(ENOTSUP, "frames of " +
					     drmFormatString(format.fourcc, format.modifier) +
					     " cannot be copied: the CPU cannot read them");
	if (!caps_ || !gst_caps_is_equal(caps_, caps)) {
		reset();
		auto offer = offerHeapPool(element, heap, caps, minimumBuffers, nullptr);
		if (!offer)
			return std::unexpected(offer.error());
		pool_ = offer->pool;
		caps_ = gst_caps_ref(caps);
		if (!gst_buffer_pool_set_active(pool_, TRUE)) {
			reset();
			return fail(ENOMEM, "no memory for copies in heap " + heap);
		}
	}

	GstBuffer *copied = nullptr;
	if (gst_buffer_pool_acquire_buffer(pool_, &copied, nullptr) != GST_FLOW_OK)
		return fail(ENOMEM, "no buffer for a copy in heap " + heap);
	if (!copyPixels(format.info, frame, copied)) {
		gst_buffer_unref(copied);
		return fail(EIO, "the pixels of a frame could not be copied");
	}
	gst_buffer_copy_into(copied, frame,
			     GstBufferCopyFlags(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS),
			     0, gsize(-1));
	/* What is cut off stays cut off. */
	if (const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(frame)) {
		GstVideoCropMeta *own = gst_buffer_add_video_crop_meta(copied);
		own->x = crop->x;
		own->y = crop->y;
		own->width = crop->width;
		own->height = crop->height;
	}
	return copied;
}

} /* namespace heapflow::gst */
