/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "screen_picture.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <png.h>

namespace heapflow::test
{

ScreenPicture readPng(const std::string &path)
{
	ScreenPicture picture;
	png_image image = {};

	image.version = PNG_IMAGE_VERSION;
	if (!png_image_begin_read_from_file(&image, path.c_str())) {
		ADD_FAILURE() << path << ": " << image.message;
		return picture;
	}
	/* In memory B, G, R, A, as DRM_FORMAT_XRGB8888. */
	image.format = PNG_FORMAT_BGRA;
	picture.layout = *makeFrameLayout(DRM_FORMAT_XRGB8888, image.width, image.height);
	picture.pixels.resize(PNG_IMAGE_SIZE(image));
	if (!png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr))
		ADD_FAILURE() << path << ": " << image.message;
	return picture;
}

} /* namespace heapflow::test */
