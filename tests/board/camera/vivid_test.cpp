/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vivid with memory that may be scattered (vivid.allocators=0): every heap, through both APIs. */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <tuple>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <linux/videodev2.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

using HeapAndFormat = std::tuple<std::string, uint32_t>;

std::string nameOfParameter(const testing::TestParamInfo<HeapAndFormat> &info)
{
	return nameForTest(std::get<0>(info.param) + "_" + fourccToString(std::get<1>(info.param)));
}

const auto everyHeapAndFormat = testing::Combine(
	testing::ValuesIn(allHeaps), testing::Values(DRM_FORMAT_NV12, DRM_FORMAT_YUV420,
						     DRM_FORMAT_BGR888, DRM_FORMAT_XRGB8888));

/* Invariants 2 and 11: the smallest layout there is, known from the definition of the format. */
void expectExactLayout(const FrameLayout &layout, uint32_t fourcc)
{
	const auto exact = makeFrameLayout(fourcc, 1280, 720);
	ASSERT_TRUE(exact);
	EXPECT_EQ(layout.planes, exact->planes);
	EXPECT_EQ(layout.fourcc, fourcc);
	EXPECT_EQ(layout.width, 1280u);
	EXPECT_EQ(layout.height, 720u);
	EXPECT_EQ(layout.modifier, 0u);
}

void expectFrames(const std::string &node, const std::string &heap, uint32_t fourcc)
{
	auto capture = startCapture(node, Vivid::request720p(fourcc), heap);
	ASSERT_TRUE(capture) << textOf(capture);
	expectExactLayout(capture->configuration.layout, fourcc);
	EXPECT_EQ(capture->configuration.bufferCount, 4u);
	EXPECT_EQ(capture->configuration.rate, (FrameRate{60, 1}));
	EXPECT_EQ(capture->configuration.needs.who, "vivid");

	/* The first ones only rotate: each buffer is looked at once when it was reused. */
	std::set<unsigned> seen;
	unsigned count = 0;
	const auto frames =
		takeFrames(*capture, 8, [&](const CapturedFrame &frame, const Buffer &buffer) {
			if (count++ < 4)
				return;
			auto mapping = buffer.map(Access::Read);
			ASSERT_TRUE(mapping) << textOf(mapping);
			EXPECT_TRUE(showsBars(capture->configuration.layout, mapping->bytes(),
					      Vivid::bars(capture->configuration.layout)));
			seen.insert(frame.index);
		});
	ASSERT_TRUE(frames) << textOf(frames);
	EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3));
	expectRate(*frames, {60, 1});
	EXPECT_TRUE(capture->camera->stop());
}

class VividVmallocCapture : public testing::TestWithParam<HeapAndFormat>
{
};

TEST_P(VividVmallocCapture, FillsTheBuffersOfTheHeap)
{
	const Vivid vivid("0");
	EXPECT_FALSE(deviceCapabilities(vivid.node()) & V4L2_CAP_VIDEO_CAPTURE_MPLANE);
	expectFrames(vivid.node(), std::get<0>(GetParam()), std::get<1>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(VividVmalloc, VividVmallocCapture, everyHeapAndFormat, nameOfParameter);

class VividMultiplanarCapture : public testing::TestWithParam<HeapAndFormat>
{
};

TEST_P(VividMultiplanarCapture, FillsTheBuffersOfTheHeap)
{
	const Vivid vivid("0");
	ASSERT_TRUE(deviceCapabilities(vivid.node()) & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		<< "start this board with vivid.multiplanar=2";
	expectFrames(vivid.node(), std::get<0>(GetParam()), std::get<1>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(VividMultiplanar, VividMultiplanarCapture, everyHeapAndFormat,
			 nameOfParameter);

/* Invariant 4: a stride that was asked for is honoured, and used for all planes. */
TEST(VividVmalloc, AStrideIsHonoured)
{
	const Vivid vivid("0");
	for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_XRGB8888}) {
		CaptureRequest wish = Vivid::request720p(fourcc);
		wish.stride = 1280 * (fourcc == DRM_FORMAT_XRGB8888 ? 4 : 1) + 128;
		auto capture = startCapture(vivid.node(), wish, "video@42000000");
		ASSERT_TRUE(capture) << textOf(capture);
		const FrameLayout &layout = capture->configuration.layout;
		EXPECT_EQ(layout.planes.front().stride, wish.stride);
		EXPECT_EQ(layout.size(),
			  uint64_t{wish.stride} * 720 * (layout.planes.size() == 1 ? 2 : 3) / 2);
		const auto frames =
			takeFrames(*capture, 2, [&](const auto &, const Buffer &buffer) {
				auto mapping = buffer.map(Access::Read);
				ASSERT_TRUE(mapping);
				EXPECT_TRUE(
					showsBars(layout, mapping->bytes(), Vivid::bars(layout)));
			});
		ASSERT_TRUE(frames) << textOf(frames);
	}
}

TEST(VividVmalloc, ModesListFormatsSizesAndRates)
{
	const Vivid vivid("0");
	auto camera = openCamera(vivid.node());
	ASSERT_TRUE(camera) << textOf(camera);
	EXPECT_EQ((*camera)->info().model, "vivid");
	EXPECT_EQ((*camera)->info().backend, CameraBackend::V4l2);
	const auto modes = (*camera)->modes();
	ASSERT_TRUE(modes) << textOf(modes);
	EXPECT_EQ(modes->front().fourcc, static_cast<uint32_t>(DRM_FORMAT_NV12));
	unsigned found = 0;
	for (const CaptureMode &mode : *modes) {
		EXPECT_NE(formatInfo(mode.fourcc), nullptr) << fourccToString(mode.fourcc);
		if (mode.fourcc != DRM_FORMAT_XRGB8888 || mode.minWidth != 1280 ||
		    mode.minHeight != 720)
			continue;
		EXPECT_EQ(mode.maxWidth, 1280u);
		EXPECT_THAT(mode.rates, testing::Contains(FrameRate{60, 1}));
		++found;
	}
	EXPECT_EQ(found, 1u);
}

/* In whatever order they are asked for: what is known already is not listed twice. */
TEST(VividVmalloc, ModesOfSomeFormatsAreThoseOfAll)
{
	const Vivid vivid("0");
	auto fresh = openCamera(vivid.node());
	ASSERT_TRUE(fresh) << textOf(fresh);
	const auto all = (*fresh)->modes();
	ASSERT_TRUE(all) << textOf(all);
	const auto of = [&](std::vector<uint32_t> formats) {
		std::vector<CaptureMode> some;
		std::ranges::copy_if(*all, std::back_inserter(some), [&](const auto &mode) {
			return std::ranges::contains(formats, mode.fourcc);
		});
		return some;
	};
	auto camera = openCamera(vivid.node());
	ASSERT_TRUE(camera) << textOf(camera);
	const std::vector<uint32_t> questions[] = {
		{DRM_FORMAT_XRGB8888},
		{DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12},
		{fourccMjpeg},
		{DRM_FORMAT_NV12, fourccMjpeg, DRM_FORMAT_YUYV},
	};
	for (const auto &formats : questions) {
		const auto some = (*camera)->modes(StreamRole::Viewfinder, formats);
		ASSERT_TRUE(some) << textOf(some);
		EXPECT_EQ(*some, of(formats)) << fourccToString(formats.back());
	}
	for (auto last = all->rbegin(); last != all->rend(); ++last)
		ASSERT_TRUE((*camera)->modes(StreamRole::Viewfinder, std::array{last->fourcc}));
	const auto whole = (*camera)->modes();
	ASSERT_TRUE(whole) << textOf(whole);
	EXPECT_EQ(*whole, *all);
}

TEST(VividVmalloc, AFormatThatItDoesNotHaveIsAnErrorThatListsThoseItHas)
{
	const Vivid vivid("0");
	auto camera = openCamera(vivid.node());
	ASSERT_TRUE(camera) << textOf(camera);
	const auto configured = (*camera)->configure(Vivid::request720p(fourccMjpeg));
	ASSERT_FALSE(configured);
	EXPECT_EQ(configured.error().code, EINVAL);
	EXPECT_THAT(configured.error().hint, testing::HasSubstr("NV12, "));
	EXPECT_THAT(configured.error().hint, testing::HasSubstr("YUYV"));
}

TEST(VividVmalloc, AnOpenRequestWorks)
{
	const Vivid vivid("0");
	auto capture = startCapture(vivid.node(), {}, "system");
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_NE(capture->configuration.rate.numerator, 0u);
	EXPECT_TRUE(takeFrames(*capture, 2));
}

TEST(VividVmalloc, TheColorimetryIsThatOfThePixels)
{
	const Vivid vivid("0");
	/* Entries of vivid's menu "Colorspace": SMPTE 170M and Rec. 709. */
	const std::pair<int32_t, ColorEncoding> spaces[] = {{0, ColorEncoding::BT601},
							    {1, ColorEncoding::BT709}};
	for (const auto &[entry, encoding] : spaces) {
		setControl(vivid.node(), "Colorspace", entry);
		auto capture =
			startCapture(vivid.node(), Vivid::request720p(DRM_FORMAT_NV12), "system");
		ASSERT_TRUE(capture) << textOf(capture);
		const FrameLayout &layout = capture->configuration.layout;
		EXPECT_EQ(layout.colorimetry, (Colorimetry{encoding, ColorRange::Limited}));
		const auto frames =
			takeFrames(*capture, 1, [&](const auto &, const Buffer &buffer) {
				auto mapping = buffer.map(Access::Read);
				ASSERT_TRUE(mapping);
				EXPECT_TRUE(
					showsBars(layout, mapping->bytes(), Vivid::bars(layout)));
			});
		EXPECT_TRUE(frames);
	}
	setControl(vivid.node(), "Colorspace", 2); /* sRGB, the default */
}

TEST(VividVmalloc, BufferCountsOtherThanFourWork)
{
	const Vivid vivid("0");
	for (const unsigned wanted : {2u, 3u, 8u, 1000u}) {
		CaptureRequest wish = request(DRM_FORMAT_NV12, 640, 360, {60, 1});
		wish.bufferCount = wanted;
		auto capture = startCapture(vivid.node(), wish, "system");
		ASSERT_TRUE(capture) << textOf(capture);
		/* V4L2 has at most VIDEO_MAX_FRAME slots. */
		EXPECT_EQ(capture->configuration.bufferCount, std::min(wanted, 32u));
		EXPECT_EQ(capture->buffers.size(), capture->configuration.bufferCount);
		EXPECT_TRUE(takeFrames(*capture, 4));
	}
}

/* The whole device vanishes; vivid comes back when the last user has closed it. */
TEST(VividVmalloc, ACameraThatGoesIsENODEV)
{
	const Vivid vivid("0");
	{
		auto capture =
			startCapture(vivid.node(), Vivid::request720p(DRM_FORMAT_NV12), "system");
		ASSERT_TRUE(capture) << textOf(capture);
		ASSERT_TRUE(takeFrames(*capture, 2));
		setControl(vivid.node(), "Disconnect", 1);
		Result<CapturedFrame> frame;
		do
			frame = capture->camera->waitFrame(patience);
		while (frame);
		EXPECT_EQ(codeOf(frame), ENODEV) << textOf(frame);
		EXPECT_EQ(codeOf(capture->camera->configure({})), EBUSY);
		EXPECT_TRUE(capture->camera->stop());
	}
	auto again = startCapture(vivid.node(), Vivid::request720p(DRM_FORMAT_NV12), "system");
	ASSERT_TRUE(again) << textOf(again);
	EXPECT_TRUE(takeFrames(*again, 2));
}

} /* namespace */
