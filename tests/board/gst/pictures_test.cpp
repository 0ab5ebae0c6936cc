/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the screen shows is what the camera was told to show. */
#include "board.h"
#include "pipeline.h"
#include "screen_picture.h"
#include "temporary_directory.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <format>
#include <tuple>

using namespace heapflow::test;

namespace
{

/*
 * vivid keeps the colorimetry that the last program asked for, v4l2src among them, and then RGB too
 * is of limited range, which no display is told of.
 */
void forgetColorimetry(const std::string &node)
{
	/* A control that has the value already is not applied again: first another, then the
	 * default. */
	for (const auto &[control, other, value] :
	     {std::tuple("Colorspace", 1, 2), std::tuple("Quantization", 1, 0)}) {
		setControl(node, control, other);
		setControl(node, control, value);
	}
}

class Picture : public testing::TestWithParam<std::tuple<std::string, std::string>>
{
};

/*
 * Twice rounded: v4l2-tpg from RGB to YCbCr cuts off up to 2 of 255, and the conversion back to RGB
 * makes up to twice that of an error in chroma. RGB formats are not computed at all.
 */
int toleranceOf(const std::string &format)
{
	return format == "NV12" || format == "I420" ? 5 : 0;
}

TEST_P(Picture, OfVividIsOnTheScreenWhilePlaying)
{
	const Vivid vivid("0");
	forgetColorimetry(vivid.node());
	const TemporaryDirectory directory;
	const std::string file = (directory.path() / "screen.png").string();
	const auto &[heap, format] = GetParam();
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap={} ! "
				      "video/x-raw,format={},width=640,height=480 ! "
				      "heapkmssink name=sink sync=false",
				      vivid.node(), heap, format));
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(10)) << pipeline.errorText();
	gboolean written = FALSE;
	g_signal_emit_by_name(pipeline.element("sink"), "screenshot", file.c_str(), &written);
	ASSERT_TRUE(written);
	const double shown = pipeline.stat("shown");
	EXPECT_TRUE(pipeline.waitShown(uint64_t(shown) + 5)) << "it goes on afterwards";
	pipeline.setState(GST_STATE_NULL);

	const ScreenPicture picture = readPng(file);
	EXPECT_EQ(picture.layout.width, 640U);
	EXPECT_EQ(picture.layout.height, 480U);
	EXPECT_TRUE(showsBars(picture.layout, picture.pixels,
			      {.bars = fullBars, .tolerance = toleranceOf(format)}));
}

INSTANTIATE_TEST_SUITE_P(HeapsAndFormats, Picture,
			 testing::Combine(testing::ValuesIn(allHeaps),
					  testing::Values("NV12", "I420", "RGB", "BGRx")),
			 [](const auto &test) {
				 return nameForTest(std::get<0>(test.param) + "_" +
						    std::get<1>(test.param));
			 });

TEST(Screenshot, IsWrittenAtTheEndOfTheStream)
{
	const Vivid vivid("0");
	forgetColorimetry(vivid.node());
	const TemporaryDirectory directory;
	const std::string file = (directory.path() / "end.png").string();
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} num-buffers=8 "
			    "heap=video@* ! video/x-raw,format=BGRx,width=640,height=480 ! "
			    "heapkmssink name=sink sync=false screenshot-location={}",
			    vivid.node(), file));
	pipeline.run();
	expectAllShown(pipeline, 8);
	EXPECT_TRUE(pipeline.warnings().empty());
	const ScreenPicture picture = readPng(file);
	EXPECT_TRUE(showsBars(picture.layout, picture.pixels, {.bars = fullBars}));
}

TEST(Screenshot, ThatCannotBeWrittenIsAWarning)
{
	Pipeline pipeline(
		"videotestsrc num-buffers=3 ! video/x-raw,width=640,height=480 ! "
		"heapkmssink name=sink sync=false screenshot-location=/no/such/place.png");
	pipeline.run();
	expectAllShown(pipeline, 3);
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_EQ(pipeline.warnings()[0].domain, GST_RESOURCE_ERROR);
	EXPECT_EQ(pipeline.warnings()[0].code, GST_RESOURCE_ERROR_WRITE);
}

} /* namespace */
