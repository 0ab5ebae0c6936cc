/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A framebuffer in memory of the display's driver, for the CPU to read. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace heapflow
{

/** \brief A mapped XRGB8888 dumb buffer with its framebuffer; all of it goes with its owner */
class DumbFramebuffer
{
public:
	static Result<DumbFramebuffer> create(int drm, uint32_t width, uint32_t height);

	DumbFramebuffer(DumbFramebuffer &&other) noexcept;
	DumbFramebuffer &operator=(DumbFramebuffer &&) = delete;
	~DumbFramebuffer();

	uint32_t id() const { return framebuffer_; }
	uint32_t stride() const { return stride_; }
	const uint8_t *pixels() const { return pixels_; }

private:
	explicit DumbFramebuffer(int drm) : drm_(drm) {}

	int drm_;
	uint32_t handle_ = 0;
	uint32_t framebuffer_ = 0;
	uint32_t stride_ = 0;
	size_t size_ = 0;
	uint8_t *pixels_ = nullptr;
};

} /* namespace heapflow */
