/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signal at vivid's HDMI input changes while it is captured. */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include <cerrno>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

class VividVmallocSignal : public testing::Test
{
protected:
	VividVmallocSignal()
	{
		selectInput(vivid_.node(), hdmiInput);
		sendSignal(vivid_.node(), timings720p60);
	}
	~VividVmallocSignal() override
	{
		capture_ = {};
		setControl(vivid_.node(), "DV Timings Signal Mode", currentSignal);
		selectInput(vivid_.node(), webcamInput);
	}
	void start()
	{
		auto started =
			startCapture(vivid_.node(), request(DRM_FORMAT_NV12, 0, 0), "system");
		ASSERT_TRUE(started) << textOf(started);
		capture_ = std::move(*started);
		ASSERT_TRUE(takeFrames(capture_, 3));
	}
	Result<CapturedFrame> untilError()
	{
		for (;;) {
			auto frame = capture_.camera->waitFrame(patience);
			if (!frame)
				return frame;
			EXPECT_TRUE(capture_.camera->queue(frame->index));
		}
	}

	const Vivid vivid_{"0"};
	Capture capture_;
};

TEST_F(VividVmallocSignal, ItsSizeAndRateAreTaken)
{
	start();
	EXPECT_EQ(capture_.configuration.layout.width, 1280u);
	EXPECT_EQ(capture_.configuration.layout.height, 720u);
	EXPECT_NEAR(double(capture_.configuration.rate.numerator) /
			    capture_.configuration.rate.denominator,
		    60, 0.1);
}

TEST_F(VividVmallocSignal, AChangeIsESTALEAndConfiguringAnewFollowsIt)
{
	start();
	sendSignal(vivid_.node(), timings1080p60);
	const auto changed = untilError();
	EXPECT_EQ(codeOf(changed), ESTALE) << textOf(changed);
	EXPECT_THAT(
		changed.error().message,
		testing::AllOf(HasSubstr("1280x720"), HasSubstr("1920x1080"), HasSubstr("HDMI")));
	ASSERT_TRUE(capture_.camera->stop());
	const auto configuration = capture_.camera->configure(request(DRM_FORMAT_NV12, 1920, 1080));
	ASSERT_TRUE(configuration) << textOf(configuration);
	EXPECT_EQ(configuration->layout.width, 1920u);
	capture_.configuration = *configuration;
	ASSERT_TRUE(importFrom(capture_, "system"));
	ASSERT_TRUE(capture_.camera->start());
	EXPECT_TRUE(takeFrames(capture_, 3));
}

TEST_F(VividVmallocSignal, ALossIsENOLINK)
{
	start();
	setControl(vivid_.node(), "DV Timings Signal Mode", noSignal);
	const auto lost = untilError();
	EXPECT_EQ(codeOf(lost), ENOLINK) << textOf(lost);
	ASSERT_TRUE(capture_.camera->stop());
	const auto still = capture_.camera->configure(request(DRM_FORMAT_NV12, 0, 0));
	EXPECT_EQ(codeOf(still), ENOLINK) << textOf(still);
	sendSignal(vivid_.node(), timings720p60);
	EXPECT_TRUE(capture_.camera->configure(request(DRM_FORMAT_NV12, 0, 0)));
}

} /* namespace */
