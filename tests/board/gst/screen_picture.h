/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PNG file of the screen, as pixels to compare. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <cstddef>
#include <string>
#include <vector>

namespace heapflow::test
{

struct ScreenPicture {
	FrameLayout layout; /**< XRGB8888 */
	std::vector<std::byte> pixels;
};

/** \brief Reads with libpng alone; a failed test and nothing when that goes wrong */
ScreenPicture readPng(const std::string &path);

} /* namespace heapflow::test */
