/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which screen is opened, and the errors when none can be. */
#include "display_fixture.h"
#include "other_process.h"

#include <cerrno>
#include <format>

#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

Error errorOf(const ScreenOptions &options)
{
	const auto screen = Screen::open(options);
	EXPECT_FALSE(screen);
	return screen ? Error{} : screen.error();
}

bool contains(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

} /* namespace */

TEST(DisplayOpen, AnyFindsTheDisplayPastDevicesWithoutOne)
{
	/* card0 is vgem: a DRM device, but no display. */
	const auto screen = Screen::open({});
	ASSERT_TRUE(screen) << textOf(screen);
	EXPECT_EQ((*screen)->mode().width, 1024u);
	EXPECT_EQ((*screen)->mode().height, 768u);
	EXPECT_NEAR(static_cast<double>((*screen)->mode().refreshMilliHz), 60000, 100);
	EXPECT_GT((*screen)->modes().size(), 5u);
	EXPECT_EQ((*screen)->modes().front().width, 1024u);
}

TEST(DisplayOpen, ByBusIdWithTheBusOrWithout)
{
	for (const char *busId : {"faux:vkms", "vkms"}) {
		const auto screen = Screen::open({.busId = busId});
		ASSERT_TRUE(screen) << textOf(screen);
	}
	const Error error = errorOf({.driver = "vkms", .busId = "platform:fd4a0000.hdmi"});
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_TRUE(contains(error.text(), "the driver 'vkms' and the bus id 'platform:fd4a0000"))
		<< error.text();
	EXPECT_TRUE(contains(error.text(), vkmsNode() + " (faux:vkms)")) << error.text();
	/* A display that is there, by a driver that is not its own. */
	EXPECT_EQ(errorOf({.driver = "vgem", .busId = "faux:vkms"}).code, ENOENT);
}

TEST(DisplayOpen, ByPathConnectorAndId)
{
	std::string id;
	{
		const auto screen = Screen::open({.device = vkmsNode(), .connector = "Virtual-1"});
		ASSERT_TRUE(screen) << textOf(screen);
		/* This process is master already: the device is shared, not opened again. */
		const auto second = Screen::open({.device = vkmsNode()});
		EXPECT_TRUE(second) << textOf(second);
	}
	const Error error = errorOf({.device = vkmsNode(), .connector = "DP-7"});
	const size_t at = error.text().find("Virtual-1 (id ");
	ASSERT_NE(at, std::string::npos) << error.text();
	id = std::to_string(std::stoi(error.text().substr(at + 14)));
	const auto screen = Screen::open({.device = vkmsNode(), .connector = id});
	EXPECT_TRUE(screen) << textOf(screen);
}

TEST(DisplayOpen, NoSuchDevice)
{
	const Error error = errorOf({.device = "/dev/dri/card77"});
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_TRUE(contains(error.message, "/dev/dri/card77")) << error.text();
}

TEST(DisplayOpen, NoSuchDriver)
{
	const Error error = errorOf({.driver = "amdgpu"});
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_TRUE(contains(error.text(), "'amdgpu'")) << error.text();
	EXPECT_TRUE(contains(error.text(), "vkms")) << error.text();
}

TEST(DisplayOpen, NotADisplay)
{
	EXPECT_EQ(errorOf({.device = "/dev/null"}).code, ENODEV);
	const Error error = errorOf({.driver = "vgem"});
	EXPECT_EQ(error.code, ENODEV) << error.text();
}

TEST(DisplayOpen, NoSuchConnectorListsThoseThereAre)
{
	const Error error = errorOf({.driver = "vkms", .connector = "HDMI-A-9"});
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_TRUE(contains(error.message, "HDMI-A-9")) << error.text();
	EXPECT_TRUE(contains(error.text(), "Virtual-1")) << error.text();
	EXPECT_FALSE(contains(error.text(), "Writeback")) << "is no screen: " << error.text();
}

TEST(DisplayOpen, WritebackConnectorIsNoScreen)
{
	EXPECT_EQ(errorOf({.driver = "vkms", .connector = "Writeback-1"}).code, ENOENT);
}

TEST(DisplayOpen, NoSuchPlane)
{
	const Error error = errorOf({.driver = "vkms", .planeId = 9999});
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_TRUE(contains(error.message, "9999")) << error.text();
}

TEST(DisplayOpen, LeavesNoDescriptorWhenItFails)
{
	errorOf({.driver = "vkms", .connector = "HDMI-A-9"}); /* opens what libraries keep open */
	const size_t before = openDescriptors();
	errorOf({.driver = "vkms", .connector = "HDMI-A-9"});
	errorOf({.device = "/dev/null"});
	EXPECT_EQ(openDescriptors(), before);
}

TEST(DisplayBusy, NamesTheMaster)
{
	OtherProcess other([] {
		auto screen = Screen::open({.driver = "vkms"});
		if (!screen)
			return 1;
		OtherProcess::tellReady();
		return OtherProcess::waitForEnd();
	});
	ASSERT_TRUE(other.ready());

	const Error error = errorOf({.driver = "vkms"});
	EXPECT_EQ(error.code, EBUSY) << error.text();
	EXPECT_TRUE(contains(error.message, std::format("(pid {})", other.pid()))) << error.text();
	EXPECT_FALSE(error.hint.empty());

	EXPECT_EQ(other.end(), 0);
	const auto screen = openVkms();
	EXPECT_TRUE(screen);
}

TEST(DisplayBusy, WithoutRootIsAnErrorToo)
{
	OtherProcess other([] {
		auto screen = Screen::open({.driver = "vkms"});
		if (!screen)
			return 1;
		OtherProcess::tellReady();
		return OtherProcess::waitForEnd();
	});
	ASSERT_TRUE(other.ready());

	/* In the group of the node, as users of displays are, but without privileges. */
	OtherProcess user([] {
		if (setgid(65534) || setuid(65534))
			return 2;
		const auto screen = Screen::open({.driver = "vkms"});
		return screen ? 0 : screen.error().code;
	});
	/* 0600 root:root without udev, else "not master": the kernel says EACCES of both. */
	EXPECT_EQ(user.end(), EACCES);
}
