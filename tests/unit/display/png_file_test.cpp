/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/screen.h"

#include "temporary_directory.h"

#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>
#include <png.h>

using namespace heapflow;
using heapflow::test::TemporaryDirectory;

namespace
{

Image gradient(uint32_t width, uint32_t height)
{
	Image image{width, height, {}};
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++)
			for (const uint32_t value : {x * 3, y * 5, x + y, 0u}) /* B G R X */
				image.pixels.push_back(static_cast<uint8_t>(value));
	}
	return image;
}

} /* namespace */

TEST(PngFile, ReadsBackAsWritten)
{
	const TemporaryDirectory directory;
	const std::string path = directory.path() / "image.png";
	const Image image = gradient(37, 21);
	const auto written = writePng(image, path);
	ASSERT_TRUE(written) << written.error().text();

	png_image png = {};
	png.version = PNG_IMAGE_VERSION;
	ASSERT_TRUE(png_image_begin_read_from_file(&png, path.c_str())) << png.message;
	EXPECT_EQ(png.width, 37u);
	EXPECT_EQ(png.height, 21u);
	EXPECT_FALSE(png.format & PNG_FORMAT_FLAG_ALPHA) << "X is not alpha";
	png.format = PNG_FORMAT_RGB;
	std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(png));
	ASSERT_TRUE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr)) << png.message;
	for (size_t i = 0; i < pixels.size() / 3; i++) {
		EXPECT_EQ(pixels[i * 3], image.pixels[i * 4 + 2]);
		EXPECT_EQ(pixels[i * 3 + 1], image.pixels[i * 4 + 1]);
		EXPECT_EQ(pixels[i * 3 + 2], image.pixels[i * 4]);
	}
}

TEST(PngFile, OfNoDirectory)
{
	const auto written = writePng(gradient(2, 2), "/no/such/directory/image.png");
	ASSERT_FALSE(written);
	EXPECT_EQ(written.error().code, ENOENT);
	EXPECT_NE(written.error().message.find("/no/such/directory/image.png"), std::string::npos);
}

TEST(PngFile, DiskFull)
{
	const auto written = writePng(gradient(200, 200), "/dev/full");
	ASSERT_FALSE(written);
	EXPECT_EQ(written.error().code, ENOSPC) << written.error().text();
	EXPECT_TRUE(std::filesystem::exists("/dev/full")) << "only a file of ours is removed";
}

TEST(PngFile, ImageThatIsNotItsSize)
{
	const TemporaryDirectory directory;
	Image image = gradient(4, 4);
	image.pixels.pop_back();
	EXPECT_EQ(writePng(image, directory.path() / "image.png").error().code, EINVAL);
	EXPECT_EQ(writePng({}, directory.path() / "image.png").error().code, EINVAL);
	EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}
