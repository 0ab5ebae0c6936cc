/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A made-up V4L2 camera whose frames differ in length; mjpeg_node.cpp. */
#pragma once

#include <cstdint>
#include <vector>

namespace heapflow::test
{

/** \brief The file that is opened for it */
inline constexpr const char *mjpegNode = "/dev/null";

/** \brief Environment: how its sensor is mounted, "DEGREES HFLIP VFLIP"; unset: no such controls */
inline constexpr const char *mjpegMounted = "HEAPFLOW_TEST_MOUNTED";

/** \brief What the node calls its format, V4L2_PIX_FMT_MJPEG unless set; set it before it is opened
 */
void setMjpegNodeFormat(uint32_t pixelformat);

/** \brief How often it was asked for a size so far (VIDIOC_ENUM_FRAMESIZES) */
unsigned mjpegNodeSizesAsked();

/** \brief Of the picture with this number: now longer, now shorter than the one before */
inline uint32_t mjpegBytes(uint32_t sequence)
{
	return 5000 + 7919 * (sequence * 7 % 11);
}

/** \brief Begins and ends as JPEG does, with the number in between */
inline std::vector<uint8_t> mjpegPicture(uint32_t sequence)
{
	std::vector<uint8_t> picture(mjpegBytes(sequence), static_cast<uint8_t>(sequence % 251));
	picture.front() = 0xff;
	picture[1] = 0xd8;
	picture[picture.size() - 2] = 0xff;
	picture.back() = 0xd9;
	return picture;
}

} /* namespace heapflow::test */
