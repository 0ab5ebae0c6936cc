/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vivid.h"

#include "board.h"
#include "capture.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

namespace heapflow::test
{

namespace
{

/* Menu entries of vivid (v4l2-tpg.h, vivid-ctrls.c). */
constexpr int32_t fullBarsPattern = 1;
constexpr int32_t osdOff = 2;

} /* namespace */

std::string vividNode()
{
	/* vivid-000-vid-cap; the lowest, though there is just one. */
	std::set<std::filesystem::path> nodes;
	for (const auto &entry : std::filesystem::directory_iterator("/sys/class/video4linux")) {
		std::string name;
		std::getline(std::ifstream(entry.path() / "name") >> std::ws, name);
		if (name.starts_with("vivid") && name.ends_with("vid-cap"))
			nodes.insert("/dev" / entry.path().filename());
	}
	return nodes.empty() ? std::string() : nodes.begin()->string();
}

void setControl(const std::string &node, const std::string &name, int32_t value)
{
	const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
	v4l2_query_ext_ctrl query{};
	query.id = V4L2_CTRL_FLAG_NEXT_CTRL;
	while (ioctl(fd.get(), VIDIOC_QUERY_EXT_CTRL, &query) == 0) {
		if (name == query.name) {
			v4l2_control control{query.id, value};
			EXPECT_EQ(ioctl(fd.get(), VIDIOC_S_CTRL, &control), 0)
				<< name << ": " << strerror(errno);
			return;
		}
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	ADD_FAILURE() << node << " has no control '" << name << "'";
}

void selectInput(const std::string &node, int input)
{
	const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
	EXPECT_EQ(ioctl(fd.get(), VIDIOC_S_INPUT, &input), 0) << strerror(errno);
}

void sendSignal(const std::string &node, int32_t timings)
{
	setControl(node, "DV Timings", timings);
	setControl(node, "DV Timings Signal Mode", selectedSignal);
}

uint32_t deviceCapabilities(const std::string &node)
{
	const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
	v4l2_capability capability{};
	EXPECT_EQ(ioctl(fd.get(), VIDIOC_QUERYCAP, &capability), 0) << strerror(errno);
	return capability.device_caps;
}

Vivid::Vivid(const std::string &allocators) : node_(vividNode())
{
	EXPECT_FALSE(node_.empty()) << "the board has no vivid";
	EXPECT_TRUE(moduleParameter("vivid", "allocators").starts_with(allocators))
		<< "start this board with vivid.allocators=" << allocators;
	setControl(node_, "Test Pattern", fullBarsPattern);
	setControl(node_, "OSD Text Mode", osdOff);
}

Vivid::~Vivid()
{
	setControl(node_, "Test Pattern", 0);
	setControl(node_, "OSD Text Mode", 0);
}

CaptureRequest Vivid::request720p(uint32_t fourcc)
{
	return request(fourcc, 1280, 720, {60, 1});
}

BarsExpectation Vivid::bars(const FrameLayout &layout)
{
	/*
	 * v4l2-tpg computes YCbCr in fixed point and cuts the fraction off (less than 1 down),
	 * where the expectation is rounded (1/2 up): at most 1.5 apart, 2 in whole numbers. RGB is
	 * not computed at all.
	 */
	const FormatInfo *info = formatInfo(layout.fourcc);
	return {.bars = fullBars,
		.colorimetry = layout.colorimetry,
		.tolerance = info && info->yuv ? 2 : 0};
}

void expectRate(const std::vector<CapturedFrame> &frames, const FrameRate &rate)
{
	const CapturedFrame &first = frames.front();
	const CapturedFrame &last = frames.back();
	ASSERT_GT(last.sequence, first.sequence);
	const double period = static_cast<double>(last.timestamp - first.timestamp) /
			      static_cast<double>(last.sequence - first.sequence);
	const double wanted = 1e9 * rate.denominator / rate.numerator;
	/* In real time a timer may come late; the next rates that vivid has are 17 % and 100 %
	 * away. */
	EXPECT_NEAR(period, wanted, wanted * 0.08);
}

} /* namespace heapflow::test */
