/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framebuffer_cache.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <drm_fourcc.h>
#include <sys/stat.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

/* The part of a layout that a framebuffer is made from; colours are the plane's. */
bool sameMemory(const FrameLayout &a, const FrameLayout &b)
{
	return a.fourcc == b.fourcc && a.modifier == b.modifier && a.width == b.width &&
	       a.height == b.height && a.planes == b.planes;
}

} /* namespace */

Result<BufferIdentity> bufferIdentity(int dmabuf)
{
	struct stat status;
	if (fstat(dmabuf, &status))
		return fail(errno,
			    std::format("cannot identify the dma-buf of descriptor {}", dmabuf));
	return BufferIdentity{status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size)};
}

Result<void> checkLayoutFits(const FrameLayout &layout, uint64_t bufferSize)
{
	uint64_t needed = 0;
	for (const PlaneLayout &plane : layout.planes)
		needed = std::max(needed, uint64_t{plane.offset} + plane.length);
	if (layout.planes.empty() || layout.planes.size() > 4)
		return fail(EINVAL, std::format("a frame with {} planes: {}", layout.planes.size(),
						describe(layout)));
	if (needed > bufferSize)
		return fail(
			EINVAL,
			std::format("the dma-buf is too small: {} bytes, the frame needs {} ({})",
				    bufferSize, needed, describe(layout)),
			"Allocate at least the size of the frame's layout");
	return {};
}

FramebufferCache::FramebufferCache(int drm, bool withModifiers)
	: drm_(drm), withModifiers_(withModifiers)
{
}

FramebufferCache::~FramebufferCache()
{
	clear();
}

Result<uint32_t> FramebufferCache::get(int dmabuf, const FrameLayout &layout)
{
	const auto buffer = bufferIdentity(dmabuf);
	if (!buffer)
		return std::unexpected(buffer.error());

	const std::lock_guard lock(mutex_);
	for (Entry &entry : entries_) {
		if (entry.buffer == *buffer && sameMemory(entry.layout, layout)) {
			entry.forgotten = false;
			return entry.framebuffer;
		}
	}

	if (auto fits = checkLayoutFits(layout, buffer->size); !fits)
		return std::unexpected(fits.error());
	auto framebuffer = make(dmabuf, layout);
	if (framebuffer)
		entries_.push_back({*buffer, layout, *framebuffer});
	return framebuffer;
}

Result<uint32_t> FramebufferCache::make(int dmabuf, const FrameLayout &layout)
{
	uint32_t handle = 0;
	if (drmPrimeFDToHandle(drm_, dmabuf, &handle))
		return fail(errno,
			    std::format("the display cannot import the dma-buf of {}",
					describe(layout)),
			    "It may need contiguous memory: try a heap such as default_cma_region");
	imports_++;

	uint32_t handles[4] = {};
	uint32_t pitches[4] = {};
	uint32_t offsets[4] = {};
	uint64_t modifiers[4] = {};
	for (size_t i = 0; i < layout.planes.size(); i++) {
		handles[i] = handle;
		pitches[i] = layout.planes[i].stride;
		offsets[i] = layout.planes[i].offset;
		modifiers[i] = layout.modifier;
	}

	uint32_t framebuffer = 0;
	/* Both give 0 or a negative errno (xf86drmMode.c). */
	const int result =
		withModifiers_
			? drmModeAddFB2WithModifiers(drm_, layout.width, layout.height,
						     layout.fourcc, handles, pitches, offsets,
						     modifiers, &framebuffer, DRM_MODE_FB_MODIFIERS)
			: drmModeAddFB2(drm_, layout.width, layout.height, layout.fourcc, handles,
					pitches, offsets, &framebuffer, 0);
	drmCloseBufferHandle(drm_, handle);
	if (result)
		return fail(-result,
			    std::format("the display makes no framebuffer of {}, modifier {:#x}",
					describe(layout), layout.modifier),
			    "Its driver may want another stride or alignment of planes");
	return framebuffer;
}

void FramebufferCache::forget(int dmabuf, const InUse &inUse)
{
	const auto buffer = bufferIdentity(dmabuf);
	if (!buffer)
		return;
	{
		const std::lock_guard lock(mutex_);
		for (Entry &entry : entries_) {
			if (entry.buffer == *buffer)
				entry.forgotten = true;
		}
	}
	collect(inUse);
}

void FramebufferCache::collect(const InUse &inUse)
{
	const std::lock_guard lock(mutex_);
	std::erase_if(entries_, [&](const Entry &entry) {
		if (!entry.forgotten || inUse(entry.framebuffer))
			return false;
		drmModeRmFB(drm_, entry.framebuffer);
		return true;
	});
}

void FramebufferCache::clear()
{
	const std::lock_guard lock(mutex_);
	for (const Entry &entry : entries_)
		drmModeRmFB(drm_, entry.framebuffer);
	entries_.clear();
}

uint64_t FramebufferCache::imports() const
{
	const std::lock_guard lock(mutex_);
	return imports_;
}

uint64_t FramebufferCache::framebuffers() const
{
	const std::lock_guard lock(mutex_);
	return entries_.size();
}

} /* namespace heapflow */
