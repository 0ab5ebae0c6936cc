/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Framebuffers of dma-bufs, made once each. */
#pragma once

#include "heapflow/heap/buffer_identity.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace heapflow
{

/** \brief Those of a frame: one, or one for each plane; the rest is empty */
using FrameIdentity = std::array<BufferIdentity, 4>;

/**
 * \brief EINVAL with numbers when a plane reaches beyond the end of its dma-buf
 *
 * \param[in] count Of dma-bufs: 1, or as many as there are planes
 */
Result<void> checkLayoutFits(const FrameLayout &layout, const FrameIdentity &buffers, size_t count);

/**
 * \brief Framebuffers by dma-buf and layout (invariant 7)
 *
 * The GEM handle of an import is closed as soon as the framebuffer holds the memory. Handles are
 * one for each dma-buf and DRM file, and not counted (drm_prime.c): kept ones would be closed
 * under the feet of another framebuffer of the same dma-buf, or never.
 *
 * Thread-safe. A framebuffer that is on the screen outlives forget() until collect(): removing it
 * would make the kernel turn its plane off (drm_framebuffer_remove()).
 */
class FramebufferCache
{
public:
	/** \brief Is this framebuffer on the screen, or about to be? */
	using InUse = std::function<bool(uint32_t)>;

	FramebufferCache(int drm, bool withModifiers);
	~FramebufferCache();

	FramebufferCache(const FramebufferCache &) = delete;
	FramebufferCache &operator=(const FramebufferCache &) = delete;

	/**
	 * \brief The framebuffer of a frame in a dma-buf, made when it is new
	 *
	 * `dmabufs` is one that holds all planes, or one for each plane. A refusal is remembered
	 * with the dma-buf, and told again without asking the driver.
	 *
	 * Errors: EINVAL a dma-buf is too small or none, or their number fits no frame; what PRIME
	 * import and AddFB2 say, with what the driver needs and what the frame has.
	 */
	Result<uint32_t> get(std::span<const int> dmabufs, const FrameLayout &layout);
	Result<uint32_t> get(int dmabuf, const FrameLayout &layout)
	{
		return get(std::span<const int>(&dmabuf, 1), layout);
	}

	/** \brief Remove those of one dma-buf, now or when nothing uses them any more */
	void forget(const BufferIdentity &buffer, const InUse &inUse);

	/** \brief Remove what was forgotten and is now unused */
	void collect(const InUse &inUse);

	/** \brief Is it one of ours? */
	bool owns(uint32_t framebuffer) const;

	/** \brief Remove all; the kernel turns off the planes of those that are on the screen */
	void clear();

	uint64_t imports() const;
	uint64_t framebuffers() const;

private:
	struct Entry {
		FrameIdentity buffers;
		FrameLayout layout;
		uint32_t framebuffer = 0; /* 0: it was refused */
		std::optional<Error> refusal = {};
		bool forgotten = false;
	};

	Result<uint32_t> make(std::span<const int> dmabufs, const FrameLayout &layout);

	int drm_;
	bool withModifiers_;
	mutable std::mutex mutex_;
	std::vector<Entry> entries_;
	uint64_t imports_ = 0;
};

} /* namespace heapflow */
