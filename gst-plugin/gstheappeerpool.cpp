/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheappeerpool.h"

#include "gstheapallocator.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

namespace heapflow::gst
{

namespace
{

bool configurePool(const PeerOffer &offer, GstCaps *caps, const CaptureConfiguration &configuration)
{
	const guint size = guint(configuration.layout.size());
	const guint count = configuration.bufferCount;

	for (int attempt = 0; attempt < 2; attempt++) {
		GstStructure *config = gst_buffer_pool_get_config(offer.pool);
		gst_buffer_pool_config_set_params(config, caps, size, count, count);
		if (offer.allocator)
			gst_buffer_pool_config_set_allocator(config, offer.allocator,
							     &offer.parameters);
		if (gst_buffer_pool_has_option(offer.pool, GST_BUFFER_POOL_OPTION_VIDEO_META))
			gst_buffer_pool_config_add_option(config,
							  GST_BUFFER_POOL_OPTION_VIDEO_META);
		/* FALSE: it changed something; the second time it is asked for what it made. */
		if (gst_buffer_pool_set_config(offer.pool, config))
			return true;
		config = gst_buffer_pool_get_config(offer.pool);
		const bool acceptable =
			gst_buffer_pool_config_validate_params(config, caps, size, count, 0);
		if (acceptable && gst_buffer_pool_set_config(offer.pool, config))
			return true;
		if (!acceptable)
			gst_structure_free(config);
	}
	return false;
}

/* Where downstream says that the planes are; without a GstVideoMeta as in GStreamer's caps. */
bool planesOf(GstBuffer *buffer, const FrameLayout &layout, std::vector<PlaneLayout> &planes)
{
	const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);

	for (unsigned i = 0; meta && i < meta->n_planes; i++)
		planes.push_back({uint32_t(meta->offset[i]), uint32_t(meta->stride[i]), 0});
	if (meta)
		return true;
	const auto bare = makeFrameLayout(layout.fourcc, layout.width, layout.height);
	if (bare)
		planes = bare->planes;
	return bare.has_value();
}

} /* namespace */

PeerBuffers::PeerBuffers(PeerBuffers &&other) noexcept
	: pool_(std::exchange(other.pool_, nullptr)), buffers_(std::exchange(other.buffers_, {}))
{
}

PeerBuffers &PeerBuffers::operator=(PeerBuffers &&other) noexcept
{
	std::swap(pool_, other.pool_);
	std::swap(buffers_, other.buffers_);
	return *this;
}

PeerBuffers::~PeerBuffers()
{
	release();
}

void PeerBuffers::release()
{
	for (GstBuffer *buffer : buffers_)
		gst_buffer_unref(buffer);
	buffers_.clear();
	if (pool_)
		gst_buffer_pool_set_active(pool_, FALSE);
	gst_clear_object(&pool_);
}

Result<PeerBuffers> PeerBuffers::take(const PeerOffer &offer, GstCaps *caps,
				      const CaptureConfiguration &configuration, uint32_t &stride)
{
	PeerBuffers taken;

	if (gst_buffer_pool_is_active(offer.pool))
		return fail(EBUSY, _("downstream's pool is in use"));
	if (!configurePool(offer, caps, configuration) ||
	    !gst_buffer_pool_set_active(offer.pool, TRUE))
		return fail(EINVAL, formatted(_("downstream's pool refuses %u buffers of %s"),
					      configuration.bufferCount,
					      describe(configuration.layout).c_str()));
	taken.pool_ = GST_BUFFER_POOL_CAST(gst_object_ref(offer.pool));

	GstBufferPoolAcquireParams now = {};
	now.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
	while (taken.buffers_.size() < configuration.bufferCount) {
		GstBuffer *buffer = nullptr;
		if (gst_buffer_pool_acquire_buffer(offer.pool, &buffer, &now) != GST_FLOW_OK)
			return fail(ENOMEM,
				    formatted(_("downstream's pool gives %zu buffers, the camera "
						"needs %u"),
					      taken.buffers_.size(), configuration.bufferCount));
		taken.buffers_.push_back(buffer);
	}
	if (auto fits = taken.check(configuration, stride); !fits)
		return std::unexpected(fits.error());
	return taken;
}

Result<void> PeerBuffers::check(const CaptureConfiguration &configuration, uint32_t &stride) const
{
	const FrameLayout &layout = configuration.layout;

	for (GstBuffer *buffer : buffers_) {
		if (gst_buffer_n_memory(buffer) != 1)
			return fail(ENOTSUP,
				    formatted(_("a frame of downstream's pool is in %u memories"),
					      gst_buffer_n_memory(buffer)));
		GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
		if (!gst_is_dmabuf_memory(memory))
			return fail(ENOTSUP, _("downstream's pool has no dma-bufs"));
		gsize offset = 0, maxsize = 0;
		gst_memory_get_sizes(memory, &offset, &maxsize);
		if (offset != 0 || maxsize < layout.size())
			return fail(ENOTSUP, formatted(_("downstream's buffers have %zu bytes, of "
							 "which %zu are skipped; %s are needed"),
						       maxsize, offset, describe(layout).c_str()));
		std::vector<PlaneLayout> planes;
		if (!planesOf(buffer, layout, planes) || planes.size() != layout.planes.size())
			return fail(ENOTSUP, _("downstream's buffers have other planes"));
		for (size_t i = 0; i < planes.size(); i++) {
			if (planes[i].offset == layout.planes[i].offset &&
			    planes[i].stride == layout.planes[i].stride)
				continue;
			stride = planes.front().stride;
			return fail(ERANGE,
				    formatted(_("plane %zu of downstream's buffers is at %u with "
						"stride %u, the camera's at %u with stride %u"),
					      i, planes[i].offset, planes[i].stride,
					      layout.planes[i].offset, layout.planes[i].stride));
		}
	}
	return {};
}

Result<std::vector<Buffer>> PeerBuffers::forCamera() const
{
	std::vector<Buffer> buffers;

	for (GstBuffer *buffer : buffers_) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
		UniqueFd fd(fcntl(gst_dmabuf_memory_get_fd(memory), F_DUPFD_CLOEXEC, 3));
		if (!fd.valid())
			return fail(errno, _("cannot duplicate the descriptor of a buffer"));
		const auto size = bufferSize(fd.get());
		if (!size)
			return std::unexpected(size.error());
		buffers.emplace_back(std::move(fd), *size, heap());
	}
	return buffers;
}

std::string PeerBuffers::heap() const
{
	if (buffers_.empty())
		return {};
	GstAllocator *allocator = gst_buffer_peek_memory(buffers_.front(), 0)->allocator;
	return GST_IS_HEAP_ALLOCATOR(allocator)
		       ? gst_heap_allocator_get_heap(GST_HEAP_ALLOCATOR(allocator))
		       : std::string();
}

std::string PeerBuffers::description() const
{
	const std::string type = pool_ ? G_OBJECT_TYPE_NAME(pool_) : "no pool";
	const std::string name = heap();
	return name.empty() ? type : "heap '" + name + "' of " + type;
}

} /* namespace heapflow::gst */
