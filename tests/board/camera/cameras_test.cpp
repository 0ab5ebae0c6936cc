/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of cameras, and how they are opened. */
#include "capture.h"
#include "result.h"
#include "run_command.h"
#include "vivid.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libcamera/camera_manager.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

const std::string vimc = "platform/vimc.0 Sensor B";

TEST(Cameras, ListHasEachCameraOnceLibcamerasFirst)
{
	const auto cameras = listCameras();
	ASSERT_TRUE(cameras) << textOf(cameras);
	std::vector<std::string> ids;
	for (const CameraInfo &camera : *cameras)
		ids.push_back(camera.id);
	/* No vimc node (libcamera has it), no vim2m, no vicodec, no output node. */
	EXPECT_THAT(ids, testing::ElementsAre("Virtual0", vimc, vividNode()));
	EXPECT_EQ(cameras->at(0).model, "Virtual bars");
	EXPECT_EQ(cameras->at(1).backend, CameraBackend::Libcamera);
	EXPECT_EQ(cameras->at(2).model, "vivid");
	EXPECT_EQ(cameras->at(2).backend, CameraBackend::V4l2);
}

/* The suite for libcamera 0.4 must not run with another by mistake, and the other way round. */
TEST(Cameras, RunWithTheLibcameraThatIsMeant)
{
	const char *expected = std::getenv("HEAPFLOW_EXPECT_LIBCAMERA");
	const std::string version = libcamera::CameraManager::version();
	std::cout << "libcamera " << version << '\n';
	EXPECT_THAT(version,
		    testing::StartsWith(std::string("v") + (expected ? expected : "0.7") + "."));
}

TEST(Cameras, ListIsTheSameEveryTime)
{
	const auto first = listCameras();
	const auto second = listCameras();
	ASSERT_TRUE(first && second);
	ASSERT_EQ(first->size(), second->size());
	for (size_t i = 0; i < first->size(); ++i)
		EXPECT_EQ(first->at(i).id, second->at(i).id);
}

TEST(Cameras, OpenByIdByModelByPathAndFirst)
{
	const std::pair<std::string, std::string> names[] = {
		{"Virtual0", "Virtual0"}, {"Virtual bars", "Virtual0"}, {vimc, vimc},
		{"vivid", vividNode()},   {vividNode(), vividNode()},   {"", "Virtual0"},
	};
	for (const auto &[name, id] : names) {
		const auto camera = openCamera(name);
		ASSERT_TRUE(camera) << name << ": " << textOf(camera);
		EXPECT_EQ((*camera)->info().id, id) << name;
	}
}

/* They are listed once, as long as the node says that they are the same. */
TEST(Cameras, ModesFollowAnInputThatSomebodyElseSelects)
{
	const Vivid vivid("0");
	auto camera = openCamera(vivid.node());
	ASSERT_TRUE(camera) << textOf(camera);
	const auto listed = [&] {
		return (*camera)->modes().value_or(std::vector<CaptureMode>());
	};
	const auto webcam = listed();
	ASSERT_FALSE(webcam.empty());
	EXPECT_TRUE(listed() == webcam);

	selectInput(vivid.node(), hdmiInput);
	const auto hdmi = listed();
	sendSignal(vivid.node(), timings720p50);
	const auto slower = listed();
	sendSignal(vivid.node(), timings720p60);
	selectInput(vivid.node(), webcamInput);
	ASSERT_FALSE(hdmi.empty());
	EXPECT_LT(hdmi.size(), webcam.size()) << "a range of sizes instead of a list";
	EXPECT_FALSE(slower == hdmi) << "the rate is that of the signal";
	EXPECT_TRUE(listed() == webcam);
}

TEST(Cameras, MissingOneIsENOENTWithAListOfTheOthers)
{
	const auto camera = openCamera("no such camera");
	ASSERT_FALSE(camera);
	EXPECT_EQ(codeOf(camera), ENOENT);
	EXPECT_THAT(camera.error().message, HasSubstr("'no such camera'"));
	EXPECT_THAT(camera.error().hint,
		    AllOf(HasSubstr("Virtual0"), HasSubstr(vimc), HasSubstr(vividNode())));
	EXPECT_EQ(codeOf(openCamera("/dev/video999")), ENOENT);
}

TEST(Cameras, WhatIsNoCameraIsENODEV)
{
	for (const char *path : {"/dev/null", "/dev/shm", "/dev/dri/card0"})
		EXPECT_EQ(codeOf(openCamera(path)), ENODEV) << path;
}

TEST(Cameras, WithoutPermissionIsEACCES)
{
	/* In a child: root opens anything. */
	const std::string node = vividNode();
	const pid_t child = fork();
	if (child == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(250);
		const auto camera = openCamera(node);
		_exit(camera ? 0 : camera.error().code);
	}
	int status = 0;
	ASSERT_EQ(waitpid(child, &status, 0), child);
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), EACCES);
}

/* Another process that has configured a camera, until the end of the test. */
class Holder
{
public:
	explicit Holder(const std::string &camera)
	{
		int ready[2];
		EXPECT_EQ(pipe(ready), 0);
		child_ = fork();
		if (child_ == 0) {
			auto held = openCapture(camera, {});
			const char done = held ? 'y' : 'n';
			if (write(ready[1], &done, 1) == 1)
				pause();
			_exit(0);
		}
		char done = 0;
		EXPECT_EQ(read(ready[0], &done, 1), 1);
		EXPECT_EQ(done, 'y') << "the other process did not get " << camera;
		close(ready[0]);
		close(ready[1]);
	}
	~Holder()
	{
		kill(child_, SIGKILL);
		waitpid(child_, nullptr, 0);
	}

private:
	pid_t child_ = -1;
};

TEST(Cameras, BusyInAnotherProcessIsEBUSYAndCanStillBeLookedAt)
{
	for (const std::string &name : {vividNode(), vimc}) {
		const Holder holder(name);
		auto camera = openCamera(name);
		ASSERT_TRUE(camera) << textOf(camera);
		const auto modes = (*camera)->modes();
		ASSERT_TRUE(modes) << textOf(modes);
		EXPECT_FALSE(modes->empty());
		const auto configured = (*camera)->configure({});
		ASSERT_FALSE(configured) << name;
		EXPECT_EQ(codeOf(configured), EBUSY) << textOf(configured);
		EXPECT_THAT(configured.error().hint, HasSubstr("using"));
	}
}

TEST(Cameras, BusyInThisProcessIsEBUSYUntilLetGo)
{
	for (const std::string &name : {vividNode(), vimc, std::string("Virtual0")}) {
		auto second = openCamera(name);
		ASSERT_TRUE(second);
		{
			const auto first = openCapture(name, {});
			ASSERT_TRUE(first) << textOf(first);
			EXPECT_EQ(codeOf((*second)->configure({})), EBUSY) << name;
		}
		EXPECT_TRUE((*second)->configure({})) << name;
	}
}

/* A second CameraManager would abort the process: say so instead, and leave V4L2 usable. */
TEST(Cameras, AnotherUserOfLibcameraInThisProcessIsAnError)
{
	libcamera::CameraManager foreign;
	ASSERT_EQ(foreign.start(), 0);
	const auto camera = openCamera("Virtual0");
	ASSERT_FALSE(camera);
	EXPECT_EQ(codeOf(camera), EBUSY) << textOf(camera);
	EXPECT_THAT(camera.error().hint, HasSubstr("CameraManager"));
	EXPECT_TRUE(openCamera("vivid"));
	const auto cameras = listCameras();
	ASSERT_TRUE(cameras);
	EXPECT_EQ(cameras->size(), 1u);
	foreign.stop();
}

/* Exit status 0: no camera without a descriptor, and one when there are some again. */
[[noreturn]] void openWithoutDescriptorsAndWith()
{
	rlimit limit = {};
	getrlimit(RLIMIT_NOFILE, &limit);
	const UniqueFd next(dup(STDOUT_FILENO));
	const rlimit none = {rlim_t(next.get()) + 1, limit.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	const bool without = openCamera("Virtual0").has_value();
	setrlimit(RLIMIT_NOFILE, &limit);
	const auto camera = openCamera("Virtual0");
	if (!camera)
		fprintf(stderr, "%s\n", camera.error().text().c_str());
	_exit(without || !camera);
}

/* In a process of its own: in this one the module that uses libcamera is loaded long since. */
TEST(Cameras, OfLibcameraAreThereWhenDescriptorsAreAgain)
{
	const char *const inside = "HEAPFLOW_WITHOUT_DESCRIPTORS";
	if (getenv(inside))
		openWithoutDescriptorsAndWith();
	const CommandResult result =
		runCommand(std::string(inside) + "=1 " +
			   std::filesystem::read_symlink("/proc/self/exe").string() +
			   " --gtest_filter=Cameras.OfLibcameraAreThereWhenDescriptorsAreAgain");
	EXPECT_EQ(result.status, 0) << result.errors;
}

} /* namespace */
