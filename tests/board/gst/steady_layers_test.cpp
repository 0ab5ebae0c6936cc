/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariant 6 as the kernel sees it: after the first frames, nothing is allocated, imported,
 * registered or mapped any more. Counted from outside of the process.
 */
#include "board.h"
#include "long_form.h"
#include "syscall_witness.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <format>
#include <fstream>

using namespace heapflow::test;

namespace
{

/* By then each buffer has been on the screen, of both cameras. */
constexpr unsigned settledAfter = 60;

struct Cameras {
	const char *name;
	unsigned number;
	unsigned width, height;
	const char *heap;
};

std::ostream &operator<<(std::ostream &out, const Cameras &which)
{
	return out << which.name;
}

/* The capture node of the N-th vivid. */
std::string vividNumber(unsigned number)
{
	const std::string wanted = std::format("vivid-{:03}-vid-cap", number);
	for (const auto &entry : std::filesystem::directory_iterator("/sys/class/video4linux")) {
		std::string name;
		std::getline(std::ifstream(entry.path() / "name") >> std::ws, name);
		if (name == wanted)
			return "/dev/" + entry.path().filename().string();
	}
	return {};
}

class SteadyLayers : public testing::TestWithParam<Cameras>
{
};

TEST_P(SteadyLayers, TakeNothingAfterTheFirstFrames)
{
	const Cameras &which = GetParam();
	const unsigned frames = numberFrom("HEAPFLOW_FRAMES", 140);
	std::string pipeline;
	for (unsigned i = 0; i < which.number; i++) {
		const std::string node = vividNumber(i);
		ASSERT_FALSE(node.empty()) << "start this board with vivid.n_devs=2";
		pipeline += std::format(
			"heapcamerasrc camera-name={} heap={} num-buffers={} ! "
			"video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width={},"
			"height={} ! heapkmssink name={} zpos={} sync=false ",
			node, which.heap, frames, which.width, which.height,
			i == 0 ? "sink" : "second", i);
	}
	const Witnessed seen =
		witness(std::format("gst-row --mark {} '{}'", settledAfter, pipeline));
	EXPECT_EQ(seen.status, 0) << seen.output << seen.errors;
	EXPECT_TRUE(seen.output.contains(std::format("frames {}\n", frames))) << seen.output;
	EXPECT_TRUE(seen.output.contains(std::format("memory {} {}", which.heap, frames)))
		<< seen.output;
	ASSERT_TRUE(seen.sawMark);

	EXPECT_EQ(seen.marked.allocations, 0U);
	EXPECT_EQ(seen.marked.imports, 0U);
	EXPECT_EQ(seen.marked.framebuffers, 0U);
	EXPECT_EQ(seen.marked.dumbBuffers, 0U);
	EXPECT_EQ(seen.marked.mappings, 0U);
	EXPECT_EQ(seen.marked.brackets, 0U);
	/* Else the witness was blind. */
	EXPECT_GE(seen.whole.imports, 2 * which.number);
	EXPECT_GE(seen.whole.allocations, 2 * which.number);
	EXPECT_GT(seen.marked.all, frames - settledAfter);
	/* A commit, a buffer out and a buffer in, for each frame of each camera. */
	EXPECT_LT(seen.marked.all, 6 * which.number * frames);
	RecordProperty("calls after the mark", int(seen.marked.all));
}

INSTANTIATE_TEST_SUITE_P(Sizes, SteadyLayers,
			 testing::Values(Cameras{"OneOf1080p", 1, 1920, 1080, "video@42000000"},
					 Cameras{"TwoOf1080p", 2, 1920, 1080, "system"},
					 Cameras{"OneOf4k", 1, 3840, 2160, "system"},
					 Cameras{"TwoOf4k", 2, 3840, 2160, "system"}),
			 [](const auto &test) { return test.param.name; });

} /* namespace */
