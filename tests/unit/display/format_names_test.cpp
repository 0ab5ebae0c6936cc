/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in heapflow's table of formats against libdrm's. */
#include "heapflow/heap/pixel_format.h"

#include <cstdlib>
#include <set>
#include <string>

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <xf86drm.h>

using namespace heapflow;

namespace
{

/*
 * libdrm knows names and nothing else of a format: drm_format_info is the kernel's alone. Its
 * fourccs are those of the kernel it was released with, so newer ones have no name yet.
 */
TEST(FormatNames, AreThoseOfLibdrm)
{
	std::set<std::string> unnamed;
	unsigned compared = 0;
	for (const FormatInfo &info : knownFormats()) {
		if (info.modifier != DRM_FORMAT_MOD_LINEAR || info.kind == FormatKind::Bayer)
			continue;
		char *name = drmGetFormatName(info.fourcc);
		if (name) {
			EXPECT_STREQ(name, info.name);
			compared++;
		} else {
			unnamed.insert(info.name);
		}
		std::free(name);
	}
	EXPECT_GE(compared, 100u);
	for (const std::string &name : unnamed)
		EXPECT_TRUE(name.starts_with('S') || name == "P230" || name.ends_with("161616"))
			<< name << " is unknown to libdrm";
}

/* The one collision: libcamera's SGRBG12 is DRM's BGRA4444. The camera's meaning is kept. */
TEST(FormatNames, OnlyOneBayerFourccIsAnotherFormatOfDrm)
{
	for (const FormatInfo &info : knownFormats()) {
		if (info.modifier != DRM_FORMAT_MOD_LINEAR || info.kind != FormatKind::Bayer)
			continue;
		char *name = drmGetFormatName(info.fourcc);
		if (name) {
			EXPECT_EQ(std::string(info.name) + " is " + name, "SGRBG12 is BGRA4444");
		}
		EXPECT_FALSE(isPicture(info.fourcc));
		std::free(name);
	}
}

} /* namespace */
