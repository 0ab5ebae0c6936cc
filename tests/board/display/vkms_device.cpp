/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vkms_device.h"

#include "display_fixture.h"

#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <ranges>
#include <set>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow::test
{

namespace
{

std::set<std::string> cardNodes()
{
	std::set<std::string> nodes;
	for (const auto &entry : std::filesystem::directory_iterator("/dev/dri")) {
		if (entry.path().filename().string().starts_with("card"))
			nodes.insert(entry.path());
	}
	return nodes;
}

void writeFile(const std::string &path, const std::string &text)
{
	std::ofstream file(path);
	file << text << std::flush;
	EXPECT_TRUE(file) << path << " does not take " << text << ": " << std::strerror(errno);
}

} /* namespace */

VkmsDevice::VkmsDevice(const VkmsDescription &description)
{
	static int number = 0;
	root_ = std::format("/sys/kernel/config/vkms/heapflow{}", number++);
	const auto make = [&](const std::string &path) {
		EXPECT_EQ(mkdir((root_ + path).c_str(), 0755), 0) << path << std::strerror(errno);
		directories_.push_back(root_ + path);
	};
	const auto link = [&](const std::string &from, const std::string &to) {
		EXPECT_EQ(symlink((root_ + to).c_str(), (root_ + from).c_str()), 0)
			<< from << ": " << std::strerror(errno);
		links_.push_back(root_ + from);
	};
	make("");
	make("/crtcs/crtc");
	writeFile(root_ + "/crtcs/crtc/writeback", description.writeback ? "1" : "0");
	const auto plane = [&](const std::string &name, const char *type) {
		make("/planes/" + name);
		writeFile(root_ + "/planes/" + name + "/type", type);
		link("/planes/" + name + "/possible_crtcs/crtc", "/crtcs/crtc");
	};
	plane("primary", "1");
	if (description.overlay)
		plane("overlay", "0");
	if (description.cursor)
		plane("cursor", "2");
	make("/encoders/encoder");
	link("/encoders/encoder/possible_crtcs/crtc", "/crtcs/crtc");
	make("/connectors/connector");
	setStatus(description.connected ? 1 : 2);
	link("/connectors/connector/possible_encoders/encoder", "/encoders/encoder");

	const std::set<std::string> before = cardNodes();
	writeFile(root_ + "/enabled", "1");
	enabled_ = true;
	EXPECT_TRUE(eventually([&] { return cardNodes().size() > before.size(); }));
	for (const std::string &node : cardNodes()) {
		if (!before.contains(node))
			node_ = node;
	}
}

VkmsDevice::~VkmsDevice()
{
	remove();
	for (const std::string &path : std::views::reverse(links_))
		EXPECT_EQ(unlink(path.c_str()), 0) << path << ": " << std::strerror(errno);
	for (const std::string &path : std::views::reverse(directories_))
		EXPECT_EQ(rmdir(path.c_str()), 0) << path << ": " << std::strerror(errno);
}

void VkmsDevice::remove()
{
	if (enabled_)
		writeFile(root_ + "/enabled", "0");
	enabled_ = false;
}

void VkmsDevice::setStatus(int status)
{
	writeFile(root_ + "/connectors/connector/status", std::to_string(status));
}

} /* namespace heapflow::test */
