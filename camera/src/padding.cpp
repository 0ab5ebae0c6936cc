/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "padding.h"

#include "heapflow/camera/camera.h"

#include <cerrno>
#include <format>

namespace heapflow
{

Result<void> padFrameLayout(FrameLayout &layout, uint64_t size)
{
	const uint64_t picture = layout.size();
	if (size == 0 || size == picture)
		return {};
	if (size < picture)
		return fail(EINVAL,
			    std::format("the driver says {} bytes a frame, but {} needs {}", size,
					describe(layout), picture),
			    "This is a defect of the driver; another format or size may work");

	layout.planes.back().length += static_cast<uint32_t>(size - picture);
	return {};
}

FrameLayout compressedLayout(uint32_t width, uint32_t height, uint32_t longest)
{
	FrameLayout layout;
	layout.fourcc = fourccMjpeg;
	layout.width = width;
	layout.height = height;
	layout.planes = {{0, 0, longest ? longest : width * height * 2}};
	return layout;
}

} /* namespace heapflow */
