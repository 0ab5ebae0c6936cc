/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A camera of libcamera that vanishes while it streams. To be run on a board of its own: libcamera
 * keeps what it knew of the device until the process ends.
 */
#include "capture.h"
#include "result.h"

#include <cerrno>
#include <fstream>
#include <thread>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

TEST(VimcUnplug, IsENODEVAndNotAnAbort)
{
	auto capture = startCapture("platform/vimc.0 Sensor B",
				    request(DRM_FORMAT_BGR888, 640, 480), "video@42000000");
	ASSERT_TRUE(capture) << textOf(capture);
	ASSERT_TRUE(takeFrames(*capture, 2));

	std::ofstream("/sys/bus/platform/drivers/vimc/unbind") << "vimc.0" << std::flush;
	/* Frames that were filled before may still come. */
	Result<CapturedFrame> frame;
	do
		frame = capture->camera->waitFrame(std::chrono::milliseconds(500));
	while (frame);
	EXPECT_EQ(codeOf(frame), ENODEV) << textOf(frame);

	EXPECT_TRUE(capture->camera->stop());
	EXPECT_EQ(codeOf(capture->camera->configure({})), ENODEV);
	EXPECT_FALSE(capture->camera->start());
	capture->camera.reset();

	/* The other cameras go on. */
	auto other = startCapture("Virtual0", request(DRM_FORMAT_NV12, 640, 480), "system");
	ASSERT_TRUE(other) << textOf(other);
	EXPECT_TRUE(takeFrames(*other, 2));

	/* Plugged in again, libcamera would abort the process. */
	std::ofstream("/sys/bus/platform/drivers/vimc/bind") << "vimc.0" << std::flush;
	std::this_thread::sleep_for(std::chrono::seconds(2));
	EXPECT_TRUE(takeFrames(*other, 10));
	const auto again = openCamera("platform/vimc.0 Sensor B");
	ASSERT_FALSE(again);
	EXPECT_EQ(codeOf(again), ENOTRECOVERABLE);
	EXPECT_THAT(again.error().hint, testing::HasSubstr("new process"));
	const auto cameras = listCameras();
	ASSERT_TRUE(cameras);
	EXPECT_EQ(cameras->size(), 2U);
}

} /* namespace */
