/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/screen.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <format>
#include <memory>

#include <png.h>
#include <sys/stat.h>

namespace heapflow
{

namespace
{

struct CloseFile {
	void operator()(std::FILE *file) const { std::fclose(file); }
};

/* X is not alpha: a PNG with it would be see-through wherever a driver writes 0 there. */
std::vector<uint8_t> withoutPadding(const Image &image)
{
	const size_t count = size_t{image.width} * image.height;
	std::vector<uint8_t> packed(count * 3);
	for (size_t i = 0; i < count; i++)
		std::copy_n(&image.pixels[i * 4], 3, &packed[i * 3]);
	return packed;
}

} /* namespace */

Result<void> writePng(const Image &image, const std::string &path)
{
	const uint64_t expected = uint64_t{image.width} * image.height * 4;
	if (!expected || image.pixels.size() != expected)
		return fail(EINVAL,
			    std::format("an image of {}x{} has {} bytes, not {}", image.width,
					image.height, expected, image.pixels.size()));

	std::unique_ptr<std::FILE, CloseFile> file;
	do {
		file.reset(std::fopen(path.c_str(), "wbe"));
	} while (!file && errno == EINTR);
	if (!file)
		return fail(errno, std::format("cannot create {}", path));

	/* libpng's simplified interface reports errors as values, without longjmp(). */
	png_image png = {};
	png.version = PNG_IMAGE_VERSION;
	png.width = image.width;
	png.height = image.height;
	png.format = PNG_FORMAT_BGR;
	errno = 0;
	const bool written = png_image_write_to_stdio(&png, file.get(), 0,
						      withoutPadding(image).data(), 0, nullptr);
	const bool flushed = written && !std::fflush(file.get());
	if (written && flushed)
		return {};

	const int code = errno ? errno : EIO;
	/* Half an image is worse than none; but the path may be a device. */
	struct stat status;
	const bool ours = !fstat(fileno(file.get()), &status) && S_ISREG(status.st_mode);
	file.reset();
	if (ours)
		std::remove(path.c_str());
	return fail(code, std::format("cannot write {}: {}", path, written ? "disk" : png.message));
}

} /* namespace heapflow */
