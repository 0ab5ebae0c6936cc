/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls take effect on the pictures, and what cannot be set is said. */
#include "board.h"
#include "capture.h"
#include "result.h"
#include "run_command.h"
#include "vivid.h"

#include <cerrno>
#include <fstream>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <libcamera/camera_manager.h>
#include <sys/inotify.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

const std::string vimc = "platform/vimc.0 Sensor B";

double meanOf(const Buffer &buffer, uint64_t size)
{
	auto mapping = buffer.map(Access::Read);
	if (!mapping) {
		ADD_FAILURE() << textOf(mapping);
		return 0;
	}
	uint64_t sum = 0, count = 0;
	for (uint64_t i = 0; i < size; i += 97, ++count)
		sum += std::to_integer<unsigned>(mapping->bytes()[i]);
	return double(sum) / double(count);
}

/* Mean of all samples some frames later: those that are queued already are not changed. */
double brightness(Capture &capture)
{
	double mean = 0;
	unsigned count = 0;
	const auto frames = takeFrames(capture, 10, [&](const auto &, const Buffer &buffer) {
		if (++count == 10)
			mean = meanOf(buffer, capture.configuration.layout.size());
	});
	EXPECT_TRUE(frames) << textOf(frames);
	return mean;
}

/* The sensor keeps what it was set to: as it was, for the tests that look at its picture. */
class VimcVmallocControls : public testing::Test
{
protected:
	~VimcVmallocControls() override
	{
		auto capture = startCapture(vimc, request(DRM_FORMAT_BGR888, 320, 240), "system");
		EXPECT_TRUE(capture) << textOf(capture);
		EXPECT_TRUE(capture &&
			    capture->camera->setControls({{"Brightness", 0.0}, {"Contrast", 1.0}}));
		EXPECT_TRUE(capture && takeFrames(*capture, 8));
	}
};

TEST_F(VimcVmallocControls, ChangeThePictureWhilePlaying)
{
	auto capture = startCapture(vimc, request(DRM_FORMAT_BGR888, 640, 480), "system");
	ASSERT_TRUE(capture) << textOf(capture);
	const double normal = brightness(*capture);
	ASSERT_TRUE(capture->camera->setControls({{"Brightness", -0.5}}));
	const double dark = brightness(*capture);
	EXPECT_LT(dark, normal - 20);
	/* Two of them at once. */
	ASSERT_TRUE(capture->camera->setControls({{"brightness", 0.9}, {"contrast", 0.1}}));
	EXPECT_GT(brightness(*capture), dark + 20);
}

TEST_F(VimcVmallocControls, BeforeStartHoldForTheFirstFrame)
{
	auto capture = openCapture(vimc, request(DRM_FORMAT_BGR888, 640, 480));
	ASSERT_TRUE(capture) << textOf(capture);
	ASSERT_TRUE(importFrom(*capture, "system"));
	ASSERT_TRUE(capture->camera->start());
	double normal = 0, dark = 0;
	const auto mean = [&](double &value) {
		return [&](const auto &, const Buffer &buffer) {
			value = meanOf(buffer, capture->configuration.layout.size());
		};
	};
	ASSERT_TRUE(takeFrames(*capture, 1, mean(normal)));
	ASSERT_TRUE(capture->camera->stop());
	ASSERT_TRUE(capture->camera->setControls({{"Brightness", -0.8}}));
	ASSERT_TRUE(capture->camera->start());
	ASSERT_TRUE(takeFrames(*capture, 1, mean(dark)));
	EXPECT_LT(dark, normal - 20);
}

TEST_F(VimcVmallocControls, AreListedWithTheirLimits)
{
	auto camera = openCamera(vimc);
	ASSERT_TRUE(camera);
	const auto controls = (*camera)->controls();
	const auto found = findControl(controls, "brightness");
	ASSERT_TRUE(found) << textOf(found);
	EXPECT_EQ((*found)->limits(), "-1 to 1");
	EXPECT_EQ((*found)->type, ControlType::Float);
}

TEST_F(VimcVmallocControls, WhatIsWrongIsSaidAndNothingIsSet)
{
	auto capture = startCapture(vimc, request(DRM_FORMAT_BGR888, 640, 480), "system");
	ASSERT_TRUE(capture) << textOf(capture);
	const double normal = brightness(*capture);
	const auto set = [&](const ControlList &controls) {
		return capture->camera->setControls(controls);
	};
	const auto range = set({{"Contrast", 0.1}, {"Brightness", 3.0}});
	ASSERT_FALSE(range);
	EXPECT_EQ(codeOf(range), ERANGE);
	EXPECT_THAT(range.error().message, AllOf(HasSubstr("Brightness"), HasSubstr("-1 to 1")));
	EXPECT_EQ(codeOf(set({{"Brightness", std::string("very")}})), EINVAL);
	const auto unknown = set({{"Brightnes", 0.5}});
	EXPECT_EQ(codeOf(unknown), ENOENT);
	EXPECT_THAT(unknown.error().hint, HasSubstr("Brightness"));
	EXPECT_NEAR(brightness(*capture), normal, 2) << "the contrast was not set either";
}

TEST(VividVmallocControls, OfEachKindAreSet)
{
	const Vivid vivid("0");
	auto camera = openCamera(vivid.node());
	ASSERT_TRUE(camera);
	const auto set = [&](const char *name, const ControlValue &value) {
		return (*camera)->setControls({{name, value}});
	};
	EXPECT_TRUE(set("Boolean", false));
	EXPECT_TRUE(set("Integer 64 Bits", int64_t{1} << 40));
	EXPECT_TRUE(set("menu", std::string("Menu Item 4")));
	EXPECT_TRUE(set("Bitmask", int64_t{0x80000000}));
	EXPECT_TRUE(set("String", std::string("abcd")));
	EXPECT_TRUE(set("Button", true));
	EXPECT_TRUE(set("S32 2 Element Array", std::vector<int64_t>{-3, 7}));
	EXPECT_TRUE(set("U16 8x16 Matrix", std::vector<int64_t>(128, 100)));
	const auto hole = set("Menu", int64_t{2});
	EXPECT_EQ(codeOf(hole), EINVAL) << "the menu has a hole";
	EXPECT_EQ(codeOf(set("Brightness", int64_t{256})), ERANGE);
	EXPECT_EQ(codeOf(set("Read-Only Integer 32 Bits", int64_t{1})), EACCES);
	EXPECT_EQ(codeOf(set("S32 2 Element Array", std::vector<int64_t>{1})), EINVAL);
	/* Of two, none is set when one is wrong. */
	ASSERT_TRUE(set("Brightness", int64_t{100}));
	EXPECT_FALSE((*camera)->setControls({{"Brightness", int64_t{50}}, {"Hue", int64_t{999}}}));
	EXPECT_THAT(runCommand("v4l2-ctl -d " + vivid.node() + " -C brightness,menu").output,
		    AllOf(HasSubstr("brightness: 100"), HasSubstr("menu: 4")));
	ASSERT_TRUE(set("Brightness", int64_t{128}));
	ASSERT_TRUE(set("Menu", int64_t{3}));
}

/* libcamera would ignore it without a word; vivid has no sensor. */
void expectTheSensorModeToBeRefused(const std::string &id, const CaptureRequest &wanted)
{
	auto camera = openCamera(id);
	ASSERT_TRUE(camera) << textOf(camera);
	SensorRequest sensor;
	sensor.bitDepth = 8;
	EXPECT_EQ(codeOf((*camera)->configureStreams(std::span(&wanted, 1), sensor)),
		  id.starts_with("/dev/") ? ENOTSUP : EINVAL)
		<< "without a size";
	sensor.outputWidth = 640;
	sensor.outputHeight = 480;
	const auto configured = (*camera)->configureStreams(std::span(&wanted, 1), sensor);
	ASSERT_FALSE(configured);
	EXPECT_EQ(codeOf(configured), ENOTSUP);
	EXPECT_THAT(configured.error().message, AllOf(HasSubstr(id), HasSubstr("sensor")));
	EXPECT_TRUE((*camera)->configure(wanted)) << "without it all is well";
}

TEST_F(VimcVmallocControls, AModeOfTheSensorIsRefusedNotIgnored)
{
	expectTheSensorModeToBeRefused(vimc, request(DRM_FORMAT_BGR888, 640, 480));
}

TEST(VividVmallocControls, AModeOfTheSensorIsRefusedNotIgnored)
{
	expectTheSensorModeToBeRefused(vividNode(), request(DRM_FORMAT_NV12, 640, 480));
}

TEST(VirtualControls, AModeOfTheSensorIsRefusedNotIgnored)
{
	expectTheSensorModeToBeRefused("Virtual0", request(DRM_FORMAT_NV12, 640, 480));
}

TEST(Cameras, ATuningFileIsReadByLibcamera)
{
	const std::string file = "/tmp/board-camera-tuning.conf";
	std::ofstream(file) << "# nothing\n";
	EXPECT_EQ(codeOf(setTuningFile("/tmp/no-such-file")), ENOENT);
	const UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	ASSERT_GE(inotify_add_watch(watch.get(), file.c_str(), IN_OPEN), 0);
	ASSERT_TRUE(setTuningFile(file));
	{
		const auto camera = openCamera(vimc);
		ASSERT_TRUE(camera) << textOf(camera);
		/* 0.4 looks at the variable for the Raspberry Pi only. */
		inotify_event opened{};
		const bool looks = !libcamera::CameraManager::version().starts_with("v0.4.");
		EXPECT_EQ(read(watch.get(), &opened, sizeof(opened)),
			  looks ? ssize_t(sizeof(opened)) : -1)
			<< "whether the image processing of vimc has opened it";
		EXPECT_EQ(codeOf(setTuningFile("")), EBUSY);
		EXPECT_TRUE(setTuningFile(file)) << "the same is no change";
	}
	EXPECT_TRUE(setTuningFile(""));
	EXPECT_EQ(std::getenv("LIBCAMERA_VIMC_TUNING_FILE"), nullptr);
}

} /* namespace */
