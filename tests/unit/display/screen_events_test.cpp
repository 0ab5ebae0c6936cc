/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/screen_events.h"

#include "hdr_metadata.h"

#include <gtest/gtest.h>

using namespace heapflow;

TEST(LatencyHistogram, StepsAreAFactorOfTwo)
{
	constexpr int64_t ms = 1'000'000;
	Histogram histogram;
	histogram.add(-5);
	histogram.add(ms - 1);
	histogram.add(ms);
	histogram.add(2 * ms - 1);
	histogram.add(2 * ms);
	histogram.add(16 * ms);
	histogram.add(int64_t{1} << 62);
	EXPECT_EQ(histogram.buckets[0], 2u);
	EXPECT_EQ(histogram.buckets[1], 2u);
	EXPECT_EQ(histogram.buckets[2], 1u);
	EXPECT_EQ(histogram.buckets[5], 1u);
	EXPECT_EQ(histogram.buckets[Histogram::bucketCount - 1], 1u);
	EXPECT_EQ(histogram.total(), 7u);
}

TEST(ScreenNotices, HaveNamesForPrograms)
{
	EXPECT_STREQ(noticeName(ScreenNotice::Kind::Unplugged), "unplugged");
	EXPECT_STREQ(noticeName(ScreenNotice::Kind::DeviceGone), "device-gone");
}

TEST(HdrInfoframe, HasEveryField)
{
	HdrMetadata metadata{.transfer = HdrMetadata::Transfer::Hlg,
			     .primaries = {{1, 2}, {3, 4}, {5, 6}},
			     .whitePoint = {7, 8},
			     .maximumLuminance = 1000,
			     .minimumLuminance = 50,
			     .maximumContentLight = 900,
			     .maximumFrameAverage = 400};
	const hdr_output_metadata kms = kmsHdrMetadata(metadata);
	EXPECT_EQ(kms.metadata_type, 0u);
	EXPECT_EQ(kms.hdmi_metadata_type1.eotf, 3u);
	EXPECT_EQ(kms.hdmi_metadata_type1.display_primaries[2].y, 6u);
	EXPECT_EQ(kms.hdmi_metadata_type1.white_point.x, 7u);
	EXPECT_EQ(kms.hdmi_metadata_type1.max_display_mastering_luminance, 1000u);
	EXPECT_EQ(kms.hdmi_metadata_type1.min_display_mastering_luminance, 50u);
	EXPECT_EQ(kms.hdmi_metadata_type1.max_cll, 900u);
	EXPECT_EQ(kms.hdmi_metadata_type1.max_fall, 400u);
}
