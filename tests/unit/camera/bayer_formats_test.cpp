/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The raw formats of heapflow's table are libcamera's: fourcc, modifier and name. */
#include "heapflow/heap/pixel_format.h"

#include <gtest/gtest.h>
#include <libcamera/pixel_format.h>

using namespace heapflow;

namespace
{

TEST(RawFormats, AreNamedAsLibcameraNamesThem)
{
	unsigned compared = 0;
	for (const FormatInfo &info : knownFormats()) {
		if (info.kind != FormatKind::Bayer && info.modifier == 0)
			continue;
		const auto named = libcamera::PixelFormat(info.fourcc, info.modifier).toString();
		const std::string packing = info.modifier == 0             ? ""
					    : info.modifier >> 56 == 0x0bU ? "_CSI2P"
									   : "_IPU3";
		EXPECT_EQ(named, info.name + packing);
		compared++;
	}
	EXPECT_EQ(compared, 20u + 12 + 4 + 2);
}

} /* namespace */
