/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dumb_framebuffer.h"

#include <cerrno>
#include <format>

#include <drm_fourcc.h>
#include <sys/mman.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

Result<DumbFramebuffer> DumbFramebuffer::create(int drm, uint32_t width, uint32_t height)
{
	DumbFramebuffer buffer(drm);
	uint64_t size = 0;
	/* 0 or a negative errno (xf86drmMode.c) */
	if (const int code = drmModeCreateDumbBuffer(drm, width, height, 32, 0, &buffer.handle_,
						     &buffer.stride_, &size))
		return fail(-code, std::format("no memory of the display for a read-back of {}x{}",
					       width, height));

	const uint32_t handles[4] = {buffer.handle_};
	const uint32_t pitches[4] = {buffer.stride_};
	const uint32_t offsets[4] = {};
	if (const int code = drmModeAddFB2(drm, width, height, DRM_FORMAT_XRGB8888, handles,
					   pitches, offsets, &buffer.framebuffer_, 0))
		return fail(-code,
			    std::format("no framebuffer for a read-back of {}x{}", width, height));

	uint64_t offset = 0;
	if (const int code = drmModeMapDumbBuffer(drm, buffer.handle_, &offset))
		return fail(-code, "the read-back's memory cannot be mapped");
	void *map = mmap(nullptr, size, PROT_READ, MAP_SHARED, drm, static_cast<off_t>(offset));
	if (map == MAP_FAILED)
		return fail(errno, "the read-back's memory cannot be mapped");
	buffer.pixels_ = static_cast<uint8_t *>(map);
	buffer.size_ = size;
	return buffer;
}

DumbFramebuffer::DumbFramebuffer(DumbFramebuffer &&other) noexcept
	: drm_(other.drm_),
	  handle_(std::exchange(other.handle_, 0)),
	  framebuffer_(std::exchange(other.framebuffer_, 0)),
	  stride_(other.stride_),
	  size_(other.size_),
	  pixels_(std::exchange(other.pixels_, nullptr))
{
}

DumbFramebuffer::~DumbFramebuffer()
{
	if (pixels_)
		munmap(pixels_, size_);
	if (framebuffer_)
		drmModeRmFB(drm_, framebuffer_);
	if (handle_)
		drmModeDestroyDumbBuffer(drm_, handle_);
}

} /* namespace heapflow */
