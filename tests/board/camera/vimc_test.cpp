/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vimc media pipeline through libcamera, with both kinds of memory (vimc.allocator=0 and 1). */
#include "capture.h"
#include "color_bars.h"
#include "result.h"

#include <cerrno>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

const std::string vimc = "platform/vimc.0 Sensor B";
const CaptureRequest small = request(DRM_FORMAT_BGR888, 640, 480);

void expectAllocator(const std::string &allocator)
{
	EXPECT_EQ(moduleParameter("vimc", "allocator"), allocator)
		<< "start this board with vimc.allocator=" << allocator;
}

/*
 * The sensor paints 1920x1080 Bayer bars with a text at the top; a debayer averages and a scaler
 * picks pixels. Inside a bar all neighbours are alike, so only pixels beside an edge are mixed
 * and the rest is exact.
 */
BarsExpectation bars(const FrameLayout &layout)
{
	return {.bars = threeQuarterBars,
		.firstLine = layout.height / 2,
		.margin = 4,
		.tolerance = 0};
}

void expectFrames(const std::string &heap, const CaptureRequest &wanted = small)
{
	auto capture = startCapture(vimc, wanted, heap);
	ASSERT_TRUE(capture) << textOf(capture);
	const FrameLayout &layout = capture->configuration.layout;
	const auto exact = makeFrameLayout(DRM_FORMAT_BGR888, wanted.width, wanted.height);
	ASSERT_TRUE(exact);
	EXPECT_EQ(layout.planes, exact->planes);
	EXPECT_EQ(capture->configuration.bufferCount, 4u);
	EXPECT_EQ(capture->camera->info().backend, CameraBackend::Libcamera);

	const auto frames = takeFrames(*capture, 5, [&](const auto &frame, const Buffer &buffer) {
		if (frame.sequence < 3)
			return;
		auto mapping = buffer.map(Access::Read);
		ASSERT_TRUE(mapping) << textOf(mapping);
		EXPECT_TRUE(showsBars(layout, mapping->bytes(), bars(layout)));
	});
	ASSERT_TRUE(frames) << textOf(frames);
	EXPECT_GT(frames->back().timestamp, frames->front().timestamp);
	EXPECT_TRUE(capture->camera->stop());
}

class VimcVmallocCapture : public testing::TestWithParam<std::string>
{
};

TEST_P(VimcVmallocCapture, FillsTheBuffersOfTheHeap)
{
	expectAllocator("0");
	expectFrames(GetParam());
}

INSTANTIATE_TEST_SUITE_P(VimcVmalloc, VimcVmallocCapture, testing::ValuesIn(allHeaps),
			 [](const auto &tested) { return nameForTest(tested.param); });

TEST(VimcVmalloc, EverySizeIsExact)
{
	expectAllocator("0");
	for (const auto &[width, height] :
	     {std::pair{320U, 240U}, {800U, 600U}, {1280U, 720U}, {1920U, 1080U}})
		expectFrames("video@42000000", request(DRM_FORMAT_BGR888, width, height));
}

class VimcContiguousCapture : public testing::TestWithParam<std::string>
{
};

TEST_P(VimcContiguousCapture, AcceptsTheContiguousHeap)
{
	expectAllocator("1");
	expectFrames(GetParam());
}

INSTANTIATE_TEST_SUITE_P(VimcContiguous, VimcContiguousCapture, testing::ValuesIn(contiguousHeaps),
			 [](const auto &tested) { return nameForTest(tested.param); });

/* libcamera says nothing but that its requests came back cancelled; it must not look like a hang.
 */
TEST(VimcContiguous, RefusalOfSystemSaysWhyAndWhatWouldDo)
{
	expectAllocator("1");
	/* 2 764 800 bytes: no chunk of the system heap (1 MiB at most) holds a frame. */
	auto capture = openCapture(vimc, request(DRM_FORMAT_BGR888, 1280, 720));
	ASSERT_TRUE(capture) << textOf(capture);
	const auto expectRefusal = [](const auto &refused) {
		ASSERT_FALSE(refused);
		EXPECT_EQ(codeOf(refused), EFAULT) << textOf(refused);
		EXPECT_THAT(refused.error().message,
			    AllOf(HasSubstr("vimc"),
				  HasSubstr("refused the memory of heap 'system'"),
				  HasSubstr("contiguous")));
		EXPECT_THAT(refused.error().hint,
			    AllOf(HasSubstr("Try a contiguous heap"), HasSubstr("video@42000000")));
	};
	/* Up to libcamera 0.5 it is found before libcamera sees it (memory_preflight.h). */
	if (const auto imported = importFrom(*capture, "system"); !imported) {
		expectRefusal(imported);
	} else {
		ASSERT_TRUE(capture->camera->start());
		for (int again = 0; again < 2; ++again)
			expectRefusal(capture->camera->waitFrame(patience));
		EXPECT_TRUE(capture->camera->stop());
	}

	/* Configured anew, it takes another heap. */
	ASSERT_TRUE(capture->camera->configure(small));
	ASSERT_TRUE(importFrom(*capture, "memory@48000000-contiguous"));
	ASSERT_TRUE(capture->camera->start());
	const auto frames = takeFrames(*capture, 2);
	EXPECT_TRUE(frames) << textOf(frames);
}

/* vimc offers RGB888, and its links refuse it when the stream starts (EPIPE). */
TEST(VimcVmalloc, AFormatThePipelineCannotProduceIsExplained)
{
	auto capture = openCapture(vimc, request(DRM_FORMAT_RGB888, 640, 480));
	ASSERT_TRUE(capture) << textOf(capture);
	ASSERT_TRUE(importFrom(*capture, "system"));
	const auto started = capture->camera->start();
	ASSERT_FALSE(started);
	EXPECT_EQ(codeOf(started), EPIPE);
	EXPECT_THAT(started.error().message,
		    AllOf(HasSubstr("vimc"), HasSubstr("RG24"), HasSubstr("links")));
	EXPECT_THAT(started.error().hint, HasSubstr("BG24 (BGR888)"));

	ASSERT_TRUE(capture->camera->configure(small));
	ASSERT_TRUE(importFrom(*capture, "system"));
	ASSERT_TRUE(capture->camera->start());
	EXPECT_TRUE(takeFrames(*capture, 1));
}

TEST(VimcVmalloc, AnOpenRequestWorks)
{
	auto capture = startCapture(vimc, {}, "video@42000000");
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_EQ(capture->configuration.layout.fourcc, static_cast<uint32_t>(DRM_FORMAT_BGR888));
	EXPECT_TRUE(takeFrames(*capture, 1));
}

TEST(VimcVmalloc, ModesAreThoseTheCameraKeeps)
{
	auto camera = openCamera(vimc);
	ASSERT_TRUE(camera) << textOf(camera);
	const auto modes = (*camera)->modes();
	ASSERT_TRUE(modes) << textOf(modes);
	ASSERT_FALSE(modes->empty());
	const CaptureMode &mode = modes->front();
	EXPECT_EQ(mode.fourcc, static_cast<uint32_t>(DRM_FORMAT_BGR888));
	EXPECT_EQ(mode.minWidth, 16u);
	EXPECT_EQ(mode.maxHeight, 2160u);
	EXPECT_EQ(mode.stepWidth, 2u); /* libcamera says 1, and rounds odd sizes down */

	const auto configuration = (*camera)->configure(request(DRM_FORMAT_BGR888, 641, 479));
	ASSERT_TRUE(configuration) << textOf(configuration);
	EXPECT_EQ(configuration->layout.width % 2, 0u);
	EXPECT_EQ(configuration->layout.height % 2, 0u);
	EXPECT_NEAR(configuration->layout.width, 641, 1);
	EXPECT_NEAR(configuration->layout.height, 479, 1);
}

/* Invariant 4: a wish for a stride is passed on, and the answer is what is used. */
TEST(VimcVmalloc, TheStrideOfTheAnswerIsUsed)
{
	CaptureRequest wish = small;
	wish.stride = 2048;
	auto capture = startCapture(vimc, wish, "system");
	ASSERT_TRUE(capture) << textOf(capture);
	const FrameLayout &layout = capture->configuration.layout;
	EXPECT_EQ(layout.size(), uint64_t{layout.planes[0].stride} * 480);
	const auto frames = takeFrames(*capture, 1, [&](const auto &, const Buffer &buffer) {
		auto mapping = buffer.map(Access::Read);
		ASSERT_TRUE(mapping);
		EXPECT_TRUE(showsBars(layout, mapping->bytes(), bars(layout)));
	});
	EXPECT_TRUE(frames);

	/* And no wish leaves no trace of the one before. */
	ASSERT_TRUE(capture->camera->stop());
	const auto plain = capture->camera->configure(small);
	ASSERT_TRUE(plain) << textOf(plain);
	EXPECT_EQ(plain->layout.planes[0].stride, 1920u);
}

} /* namespace */
