/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcamera's virtual camera: NV12, drawn by the CPU through a mapping of the dma-buf. */
#include "capture.h"
#include "color_bars.h"
#include "result.h"

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <optional>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libcamera/logging.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

const std::string camera = "Virtual0";
const CaptureRequest small = request(DRM_FORMAT_NV12, 640, 480);

/*
 * The bars turn left by one column a frame, and the first frame is turned already, so the sequence
 * tells the picture. libyuv's ARGBToNV12 is BT.601, limited, in 8-bit fixed point: its coefficients
 * are off by up to 1/512 each, which is 0.5 a channel, and it rounds once more. Each 2x2 block of
 * chroma is one sample, so a column beside an edge is mixed.
 */
BarsExpectation bars(uint64_t sequence)
{
	return {.bars = fullBars,
		.colorimetry = {ColorEncoding::BT601, ColorRange::Limited},
		.shift = static_cast<unsigned>(sequence + 1),
		.margin = 2,
		.tolerance = 2};
}

void expectFrames(const std::string &heap, const CaptureRequest &wanted = small)
{
	auto capture = startCapture(camera, wanted, heap);
	ASSERT_TRUE(capture) << textOf(capture);
	const FrameLayout &layout = capture->configuration.layout;
	/* Invariant 2: two planes, exact, one after the other. */
	const auto exact = makeFrameLayout(DRM_FORMAT_NV12, wanted.width, wanted.height);
	ASSERT_TRUE(exact);
	EXPECT_EQ(layout.planes, exact->planes);
	ASSERT_EQ(layout.planes.size(), 2u);
	EXPECT_EQ(capture->configuration.bufferCount, 4u);
	EXPECT_TRUE(capture->configuration.needs.cpuMappable);
	EXPECT_EQ(capture->configuration.needs.contiguous, Demand::No);

	const auto frames = takeFrames(*capture, 8, [&](const auto &frame, const Buffer &buffer) {
		if (frame.sequence < 4)
			return;
		auto mapping = buffer.map(Access::Read);
		ASSERT_TRUE(mapping) << textOf(mapping);
		EXPECT_TRUE(showsBars(layout, mapping->bytes(), bars(frame.sequence)));
	});
	ASSERT_TRUE(frames) << textOf(frames);
	/* Nothing is lost: it draws when it is given a buffer. */
	EXPECT_EQ(frames->back().sequence, 7u);
}

class VirtualCapture : public testing::TestWithParam<std::string>
{
};

TEST_P(VirtualCapture, FillsTheBuffersOfTheHeap)
{
	expectFrames(GetParam());
}

TEST(Virtual, EverySizeIsExact)
{
	for (const auto &[width, height] : {std::pair{1280U, 720U}, {1920U, 1080U}})
		expectFrames("video@42000000", request(DRM_FORMAT_NV12, width, height));
}

INSTANTIATE_TEST_SUITE_P(Virtual, VirtualCapture, testing::ValuesIn(allHeaps),
			 [](const auto &tested) { return nameForTest(tested.param); });

TEST(Virtual, AnOpenRequestWorks)
{
	auto capture = startCapture(camera, {}, "system");
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_EQ(capture->configuration.layout.fourcc, static_cast<uint32_t>(DRM_FORMAT_NV12));
	EXPECT_TRUE(takeFrames(*capture, 1));
}

TEST(Virtual, ModesAreTheSizesOfItsFileNotTheRangeItSays)
{
	auto opened = openCamera(camera);
	ASSERT_TRUE(opened) << textOf(opened);
	const auto modes = (*opened)->modes();
	ASSERT_TRUE(modes) << textOf(modes);
	std::vector<uint32_t> widths;
	for (const CaptureMode &mode : *modes) {
		EXPECT_EQ(mode.minWidth, mode.maxWidth);
		widths.push_back(mode.minWidth);
	}
	EXPECT_THAT(widths, testing::ElementsAre(640, 1280, 1920));

	/* libcamera itself would go to the largest. */
	const auto near = (*opened)->configure(request(DRM_FORMAT_NV12, 660, 500));
	ASSERT_TRUE(near) << textOf(near);
	EXPECT_EQ(near->layout.width, 640u);
	EXPECT_EQ(near->layout.height, 480u);
}

/* How often libcamera says meanwhile that it looked at a size. */
size_t sizesTried(const std::function<void()> &what)
{
	testing::internal::CaptureStderr();
	what();
	const std::string said = testing::internal::GetCapturedStderr();
	const std::string line = "Stream configuration adjusted";
	size_t lines = 0;
	for (size_t at = said.find(line); at != said.npos; at = said.find(line, at + 1))
		++lines;
	return lines;
}

/* LIBCAMERA_LOG_LEVELS as wanted, and as it was at the end. */
class LogLevels
{
public:
	explicit LogLevels(const char *levels)
	{
		if (const char *before = getenv(name))
			before_ = before;
		set(levels);
	}
	~LogLevels() { set(before_ ? before_->c_str() : nullptr); }
	LogLevels(const LogLevels &) = delete;
	LogLevels &operator=(const LogLevels &) = delete;

private:
	static constexpr const char *name = "LIBCAMERA_LOG_LEVELS";
	static void set(const char *levels)
	{
		if (levels)
			setenv(name, levels, 1);
		else
			unsetenv(name);
	}
	std::optional<std::string> before_;
};

/* Each size is a validate(), and each of these a line. */
TEST(Virtual, ListingItsModesDoesNotFillTheLog)
{
	const LogLevels none(nullptr);
	auto opened = openCamera(camera);
	ASSERT_TRUE(opened) << textOf(opened);
	/* As in a process whose first this is. */
	libcamera::logSetLevel("Virtual", "INFO");
	EXPECT_LE(sizesTried([&] { EXPECT_TRUE((*opened)->modes()); }), 1U);
}

TEST(Virtual, ItsSizesAreTriedOnce)
{
	/* A user's levels are left alone; libcamera has read them by now. */
	const LogLevels users("Virtual:INFO");
	libcamera::logSetLevel("Virtual", "INFO");
	auto opened = openCamera(camera);
	ASSERT_TRUE(opened) << textOf(opened);
	EXPECT_GT(sizesTried([&] { EXPECT_TRUE((*opened)->modes()); }), 2U);
	EXPECT_EQ(sizesTried([&] { EXPECT_TRUE((*opened)->modes()); }), 0U);
	EXPECT_LE(sizesTried([&] { EXPECT_TRUE((*opened)->configure(small)); }), 2U);
}

TEST(Virtual, AFormatItDoesNotHaveIsAnErrorNotAnotherFormat)
{
	const auto capture = openCapture(camera, request(DRM_FORMAT_BGR888, 640, 480));
	ASSERT_FALSE(capture);
	EXPECT_EQ(codeOf(capture), EINVAL);
	EXPECT_THAT(capture.error().hint, testing::HasSubstr("NV12"));
}

/* validate() would take 8 without a word, and give 4. */
TEST(Virtual, TheBufferCountIsTheCamerasNotTheWish)
{
	CaptureRequest wish = small;
	wish.bufferCount = 8;
	const auto capture = openCapture(camera, wish);
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_EQ(capture->configuration.bufferCount, 4u);
}

} /* namespace */
