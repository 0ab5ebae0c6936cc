/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cameras that come and go are told of, once. */
#include "capture.h"
#include "result.h"

#include "heapflow/camera/camera_monitor.h"

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;

namespace
{

const std::string vimc = "platform/vimc.0 Sensor B";

class Events
{
public:
	void operator()(const CameraEvent &event)
	{
		std::lock_guard lock(mutex_);
		events_.push_back(event);
		changed_.notify_all();
	}
	/* The next event, or one that nothing equals after five seconds. */
	CameraEvent next()
	{
		std::unique_lock lock(mutex_);
		changed_.wait_for(lock, 5s, [this] { return !events_.empty(); });
		if (events_.empty())
			return {};
		CameraEvent event = events_.front();
		events_.erase(events_.begin());
		return event;
	}
	bool empty()
	{
		std::lock_guard lock(mutex_);
		return events_.empty();
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<CameraEvent> events_;
};

void bindVimc(const char *how)
{
	std::ofstream(std::string("/sys/bus/platform/drivers/vimc/") + how)
		<< "vimc.0" << std::flush;
}

/* The whole life of a camera while it is not streaming: gone, back, and usable. */
TEST(VimcUnplugMonitor, TellsOfACameraThatGoesAndComesBack)
{
	Events events;
	auto monitor = CameraMonitor::start([&events](const CameraEvent &event) { events(event); });
	ASSERT_TRUE(monitor) << textOf(monitor);
	ASSERT_EQ((*monitor)->cameras().size(), 3u);
	for (int cycle = 0; cycle < 3; ++cycle) {
		bindVimc("unbind");
		const CameraEvent gone = events.next();
		EXPECT_FALSE(gone.added);
		EXPECT_EQ(gone.camera.id, vimc);
		EXPECT_EQ((*monitor)->cameras().size(), 2u);
		bindVimc("bind");
		const CameraEvent back = events.next();
		EXPECT_TRUE(back.added);
		EXPECT_EQ(back.camera.id, vimc);
	}
	const auto camera = openCamera(vimc);
	ASSERT_TRUE(camera) << textOf(camera);
	EXPECT_TRUE((*camera)->modes());
	EXPECT_TRUE(events.empty());
}

/* Another camera is in use, so libcamera cannot start anew; it must not abort. */
TEST(VimcUnplugMonitor, ACameraThatComesBackWhileAnotherIsOpenIsLost)
{
	{
		Events events;
		auto monitor = CameraMonitor::start(
			[&events](const CameraEvent &event) { events(event); });
		ASSERT_TRUE(monitor) << textOf(monitor);
		const auto other = openCamera("Virtual0");
		ASSERT_TRUE(other) << textOf(other);
		bindVimc("unbind");
		EXPECT_EQ(events.next().camera.id, vimc);
		bindVimc("bind");
		std::this_thread::sleep_for(2s);
		EXPECT_EQ(codeOf(openCamera(vimc)), ENOTRECOVERABLE);
		EXPECT_TRUE((*other)->modes());
	}
	const auto camera = openCamera(vimc);
	ASSERT_TRUE(camera) << textOf(camera);
	EXPECT_TRUE((*camera)->modes());
}

/* poll() takes no more descriptors than a process may have (man 2 poll, EINVAL). */
TEST(VimcUnplugMonitor, GoesOnAfterAWaitThatFailed)
{
	Events events;
	auto monitor = CameraMonitor::start([&events](const CameraEvent &event) { events(event); });
	ASSERT_TRUE(monitor) << textOf(monitor);

	rlimit whole;
	ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &whole), 0);
	const rlimit tooLow = {2, whole.rlim_max};
	const char *node = "/dev/video-of-nobody"; /* its name wakes the monitor */
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tooLow), 0);
	EXPECT_EQ(mkdir(node, 0700), 0);
	std::this_thread::sleep_for(500ms);
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &whole), 0);
	EXPECT_EQ(rmdir(node), 0);

	bindVimc("unbind");
	EXPECT_EQ(events.next().camera.id, vimc);
	bindVimc("bind");
	EXPECT_TRUE(events.next().added);
}

TEST(Cameras, AreChosenByLocationAndIndex)
{
	const auto id = [](const CameraSelector &selector) {
		const auto camera = openCamera(selector);
		return camera ? (*camera)->info().id : errnoName(camera.error().code);
	};
	EXPECT_EQ(id({"", {}, 0}), "Virtual0");
	EXPECT_EQ(id({"", {}, 1}), vimc);
	EXPECT_EQ(id({"", {}, 9}), "ENOENT");
	EXPECT_EQ(id({"Virtual bars", {}, 0}), "Virtual0");
	EXPECT_EQ(id({"Virtual bars", {}, 1}), "ENOENT");
	const auto cameras = listCameras();
	ASSERT_TRUE(cameras);
	for (const CameraInfo &camera : *cameras) {
		if (camera.location != CameraLocation::Unknown) {
			EXPECT_NE(id({"", camera.location, {}}), "ENOENT");
		}
	}
	/* The virtual camera of the board is on the front; see its virtual.yaml. */
	EXPECT_EQ(id({"", CameraLocation::Front, {}}), "Virtual0");
	const auto none = openCamera(CameraSelector{"", CameraLocation::External, {}});
	ASSERT_FALSE(none);
	EXPECT_THAT(none.error().message, testing::HasSubstr("external"));
}

TEST(Cameras, ComparedTwoListsGiveWhatChanged)
{
	const CameraInfo one{"1", "m", CameraBackend::V4l2, {}},
		two{"2", "m", CameraBackend::V4l2, {}};
	EXPECT_THAT(compareCameras({one}, {one, two}),
		    testing::ElementsAre(CameraEvent{true, two}));
	EXPECT_THAT(compareCameras({one}, {two}),
		    testing::ElementsAre(CameraEvent{false, one}, CameraEvent{true, two}));
	EXPECT_TRUE(compareCameras({one, two}, {one, two}).empty());
}

} /* namespace */
