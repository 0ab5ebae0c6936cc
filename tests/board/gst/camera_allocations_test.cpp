/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 6 in the heap of C and C++: who allocates memory for each frame, and who does not. */
#include "run_command.h"
#include "vivid.h"

#include <format>
#include <map>

#include <gmock/gmock.h>

using namespace heapflow::test;

namespace
{

using Counts = std::map<std::string, double>;

Counts allocationsOf(const std::string &source, unsigned frames)
{
	const CommandResult result = runCommand(
		std::format("LD_PRELOAD=$HEAPFLOW_BUILD/tests/board/gst/liballocation-witness.so "
			    "gst-launch-1.0 -q heapcamerasrc {} heap=video@* num-buffers={} ! "
			    "fakesink sync=false",
			    source, frames));
	EXPECT_EQ(result.status, 0) << result.errors;
	Counts counts;
	std::istringstream lines(result.errors);
	std::string word, module;
	for (std::string line; std::getline(lines, line);) {
		double count = 0;
		std::istringstream fields(line);
		if (fields >> word >> module >> count && word == "allocations")
			counts[module] = count;
	}
	return counts;
}

class Allocations : public testing::TestWithParam<std::string>
{
};

TEST_P(Allocations, NoneOfOursForAFrame)
{
	const Vivid vivid("0");
	const std::string source = std::vformat(GetParam(), std::make_format_args(vivid.node()));
	const unsigned few = 20, many = 80;
	const Counts before = allocationsOf(source, few);
	const Counts after = allocationsOf(source, many);
	ASSERT_GT(after.size(), 3U) << "the witness saw nothing";
	for (const auto &[module, count] : after) {
		const auto known = before.find(module);
		const double each =
			(count - (known == before.end() ? 0 : known->second)) / (many - few);
		if (each >= 0.5)
			std::cout << std::format("{}: {:.1f} a frame\n", module, each);
		if (module.starts_with("libheapflow") || module.starts_with("libgstheap") ||
		    module == "for-heapflow") {
			EXPECT_LT(each, 0.1) << module;
		}
	}
}

std::string nameOfSource(const testing::TestParamInfo<std::string> &info)
{
	static const char *const names[] = {"Vivid", "VividLatest", "Vimc", "Virtual"};
	return names[info.index];
}

INSTANTIATE_TEST_SUITE_P(Cameras, Allocations,
			 testing::Values("camera-name={}", "camera-name={} drop-policy=latest",
					 "camera-name='platform/vimc.0 Sensor B'",
					 "camera-name=Virtual0"),
			 nameOfSource);

} /* namespace */
