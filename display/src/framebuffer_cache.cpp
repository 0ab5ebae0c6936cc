/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framebuffer_cache.h"

#include "framebuffer_needs.h"

#include "heapflow/heap/plane_bounds.h"

#include <algorithm>
#include <cerrno>
#include <format>

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

/* Many an error is that a descriptor is of something else. */
Error named(Error error, std::span<const int> dmabufs)
{
	for (const int dmabuf : dmabufs)
		if (otherThanDmabuf(dmabuf))
			return withForeignDescriptor(std::move(error), dmabuf);
	return error;
}

/* A lack of memory or descriptors may be over the next time. */
bool isLasting(int code)
{
	return code == EINVAL || code == ERANGE || code == ENOTSUP || code == EFAULT ||
	       code == ENXIO;
}

/*
 * The handles of a frame's planes, for as long as this lives. One dma-buf has one handle, however
 * often it is imported (drm_prime.c), so each is closed once.
 */
class ImportedPlanes
{
public:
	ImportedPlanes(int drm, std::span<const int> dmabufs) : drm_(drm)
	{
		for (size_t i = 0; i < handles_.size(); i++) {
			if (i >= dmabufs.size())
				handles_[i] = dmabufs.size() == 1 ? handles_[0] : 0;
			else if (!error_ && drmPrimeFDToHandle(drm, dmabufs[i], &handles_[i]))
				error_ = errno;
		}
	}
	~ImportedPlanes()
	{
		for (size_t i = 0; i < handles_.size(); i++)
			if (handles_[i] &&
			    !std::ranges::contains(handles_.begin(), handles_.begin() + i,
						   handles_[i]))
				drmCloseBufferHandle(drm_, handles_[i]);
	}

	ImportedPlanes(const ImportedPlanes &) = delete;
	ImportedPlanes &operator=(const ImportedPlanes &) = delete;

	int error() const { return error_; }
	const GemHandles &handles() const { return handles_; }

private:
	int drm_;
	int error_ = 0;
	GemHandles handles_ = {};
};

} /* namespace */

Result<void> checkLayoutFits(const FrameLayout &layout, const FrameIdentity &buffers, size_t count)
{
	const size_t planes = layout.planes.size();
	if (planes < 1 || planes > 4 || (count != 1 && count != planes))
		return fail(EINVAL, std::format("a frame with {} planes in {} dma-bufs: {}", planes,
						count, describe(layout)));
	std::array<uint64_t, 4> sizes = {};
	std::ranges::transform(buffers, sizes.begin(), &BufferIdentity::size);
	return checkPlanesFit(layout, std::span(sizes).first(count));
}

FramebufferCache::FramebufferCache(int drm, bool withModifiers)
	: drm_(drm), withModifiers_(withModifiers)
{
}

FramebufferCache::~FramebufferCache()
{
	clear();
}

Result<uint32_t> FramebufferCache::get(std::span<const int> dmabufs, const FrameLayout &layout)
{
	FrameIdentity buffers = {};
	if (dmabufs.size() > buffers.size())
		return fail(EINVAL, std::format("a frame in {} dma-bufs", dmabufs.size()));
	for (size_t i = 0; i < dmabufs.size(); i++) {
		const auto buffer = bufferIdentity(dmabufs[i]);
		if (!buffer)
			return std::unexpected(buffer.error());
		buffers[i] = *buffer;
	}

	const std::lock_guard lock(mutex_);
	for (Entry &entry : entries_) {
		if (entry.buffers == buffers && sameMemory(entry.layout, layout)) {
			entry.forgotten = false;
			if (entry.refusal)
				return std::unexpected(*entry.refusal);
			return entry.framebuffer;
		}
	}

	if (auto fits = checkLayoutFits(layout, buffers, dmabufs.size()); !fits)
		return std::unexpected(named(fits.error(), dmabufs));
	auto framebuffer = make(dmabufs, layout);
	if (framebuffer)
		entries_.push_back({buffers, layout, *framebuffer});
	else if (isLasting(framebuffer.error().code))
		entries_.push_back({buffers, layout, 0, framebuffer.error()});
	return framebuffer;
}

Result<uint32_t> FramebufferCache::make(std::span<const int> dmabufs, const FrameLayout &layout)
{
	const ImportedPlanes planes(drm_, dmabufs);
	if (planes.error())
		return std::unexpected(named(
			{planes.error(),
			 std::format("the display cannot import the dma-buf of {}",
				     describe(layout)),
			 "It may need contiguous memory: try a heap such as default_cma_region"},
			dmabufs));
	imports_ += dmabufs.size();

	const auto framebuffer = addFramebuffer(drm_, planes.handles(), layout, withModifiers_);
	if (framebuffer)
		return framebuffer;
	return fail(framebuffer.error().code,
		    std::format("the display makes no framebuffer of {}, modifier {:#x}",
				describe(layout), layout.modifier),
		    framebufferNeeds(drm_, planes.handles(), layout, withModifiers_));
}

void FramebufferCache::forget(const BufferIdentity &buffer, const InUse &inUse)
{
	{
		const std::lock_guard lock(mutex_);
		for (Entry &entry : entries_) {
			if (std::ranges::contains(entry.buffers, buffer))
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
