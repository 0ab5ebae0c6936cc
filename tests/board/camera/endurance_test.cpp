/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Long runs, in simulated time: nothing grows. HEAPFLOW_FRAMES and HEAPFLOW_CYCLES for other
 * lengths than those of CI.
 */
#include "capture.h"
#include "long_form.h"
#include "result.h"
#include "vivid.h"

#include <cstdlib>
#include <fstream>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <malloc.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

/* `slack`: bytes that malloc may have more afterwards. */
void manyFrames(const std::string &camera, const CaptureRequest &wanted, unsigned frames,
		size_t slack)
{
	auto capture = startCapture(camera, wanted, "video@42000000");
	ASSERT_TRUE(capture) << textOf(capture);
	ASSERT_TRUE(takeFrames(*capture, 100));
	const Resources before = Resources::now();
	const size_t allocated = mallinfo2().uordblks;
	uint64_t first = 0, last = 0;
	for (unsigned i = 0; i < frames; ++i) {
		const auto frame = capture->camera->waitFrame(patience);
		ASSERT_TRUE(frame) << "frame " << i << ": " << textOf(frame);
		ASSERT_TRUE(capture->camera->queue(frame->index));
		(i ? last : first) = frame->sequence;
	}
	EXPECT_EQ(last - first, frames - 1) << "no frame is lost";
	EXPECT_EQ(Resources::now(), before);
	EXPECT_LE(mallinfo2().uordblks, allocated + slack);
}

TEST(CameraEndurance, VividManyFramesWithoutGrowth)
{
	const Vivid vivid("0");
	manyFrames(vivid.node(), request(DRM_FORMAT_NV12, 320, 180, {60, 1}),
		   numberFrom("HEAPFLOW_FRAMES", 20000), 4096);
}

/* libcamera's messages and lists of controls are made and freed for each frame. */
TEST(CameraEndurance, TheVirtualCameraManyFramesWithoutGrowth)
{
	manyFrames("Virtual0", request(DRM_FORMAT_NV12, 640, 480, {60, 1}),
		   numberFrom("HEAPFLOW_FRAMES", 1000), 65536);
}

void startAndStop(const std::string &camera, uint32_t fourcc, unsigned cycles)
{
	/* What a library opens once in a process is no leak. */
	ASSERT_TRUE(openCapture(camera, request(fourcc, 320, 240)));
	const Resources before = Resources::now();
	{
		auto capture = openCapture(camera, request(fourcc, 320, 240));
		ASSERT_TRUE(capture) << textOf(capture);
		ASSERT_TRUE(importFrom(*capture, "system"));
		for (unsigned cycle = 0; cycle < cycles; ++cycle) {
			const auto started = capture->camera->start();
			ASSERT_TRUE(started) << "cycle " << cycle << ": " << textOf(started);
			/* In between as well as at once. */
			if (cycle % 2) {
				const auto frame = capture->camera->waitFrame(patience);
				ASSERT_TRUE(frame) << "cycle " << cycle << ": " << textOf(frame);
			}
			ASSERT_TRUE(capture->camera->stop()) << "cycle " << cycle;
		}
	}
	EXPECT_EQ(settled(before), before);
}

TEST(CameraEndurance, VividStartsAndStops)
{
	const Vivid vivid("0");
	startAndStop(vivid.node(), DRM_FORMAT_NV12, numberFrom("HEAPFLOW_CYCLES", 200));
}

TEST(CameraEndurance, VimcStartsAndStops)
{
	startAndStop("platform/vimc.0 Sensor B", DRM_FORMAT_BGR888,
		     numberFrom("HEAPFLOW_CYCLES", 30));
}

TEST(CameraEndurance, TheVirtualCameraStartsAndStops)
{
	startAndStop("Virtual0", DRM_FORMAT_NV12, numberFrom("HEAPFLOW_CYCLES", 100));
}

} /* namespace */
