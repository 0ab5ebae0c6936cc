/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framebuffer_cache.h"

#include "framebuffer_needs.h"

#include <algorithm>
#include <cerrno>
#include <format>

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

/* A lack of memory or descriptors may be over the next time. */
bool isLasting(int code)
{
	return code == EINVAL || code == ERANGE || code == ENOTSUP || code == EFAULT ||
	       code == ENXIO;
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
			if (entry.refusal)
				return std::unexpected(*entry.refusal);
			return entry.framebuffer;
		}
	}

	if (auto fits = checkLayoutFits(layout, buffer->size); !fits)
		return std::unexpected(fits.error());
	auto framebuffer = make(dmabuf, layout);
	if (framebuffer)
		entries_.push_back({*buffer, layout, *framebuffer});
	else if (isLasting(framebuffer.error().code))
		entries_.push_back({*buffer, layout, 0, framebuffer.error()});
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

	const auto framebuffer = addFramebuffer(drm_, handle, layout, withModifiers_);
	std::string needs;
	if (!framebuffer)
		needs = framebufferNeeds(drm_, handle, layout, withModifiers_);
	drmCloseBufferHandle(drm_, handle);
	if (framebuffer)
		return framebuffer;
	return fail(framebuffer.error().code,
		    std::format("the display makes no framebuffer of {}, modifier {:#x}",
				describe(layout), layout.modifier),
		    needs);
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
		if (entry.framebuffer)
			drmModeRmFB(drm_, entry.framebuffer);
		return true;
	});
}

void FramebufferCache::clear()
{
	const std::lock_guard lock(mutex_);
	for (const Entry &entry : entries_) {
		if (entry.framebuffer)
			drmModeRmFB(drm_, entry.framebuffer);
	}
	entries_.clear();
}

bool FramebufferCache::owns(uint32_t framebuffer) const
{
	const std::lock_guard lock(mutex_);
	return framebuffer && std::ranges::contains(entries_, framebuffer, &Entry::framebuffer);
}

uint64_t FramebufferCache::imports() const
{
	const std::lock_guard lock(mutex_);
	return imports_;
}

uint64_t FramebufferCache::framebuffers() const
{
	const std::lock_guard lock(mutex_);
	return static_cast<uint64_t>(std::ranges::count_if(
		entries_, [](const Entry &entry) { return entry.framebuffer != 0; }));
}

} /* namespace heapflow */
