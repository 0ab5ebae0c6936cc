/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin as gst-inspect-1.0 loads it, in a process of its own. */
#include "run_command.h"

#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

class Inspect : public testing::TestWithParam<const char *>
{
protected:
	/* GST_PLUGIN_PATH is the board's. */
	static CommandResult inspect(const std::string &what)
	{
		return runCommand("gst-inspect-1.0 --no-colors " + what);
	}
};

TEST_F(Inspect, ThePluginHasThreeElements)
{
	const CommandResult result = inspect("--plugin heapflow");
	ASSERT_EQ(result.status, 0) << result.errors;
	EXPECT_NE(result.output.find("3 elements"), std::string::npos) << result.output;
	EXPECT_NE(result.output.find("LGPL"), std::string::npos) << result.output;
	EXPECT_EQ(result.errors.find("CRITICAL"), std::string::npos) << result.errors;
}

TEST_P(Inspect, DocumentsTheElementAndEachOfItsProperties)
{
	const CommandResult result = inspect(GetParam());
	ASSERT_EQ(result.status, 0) << result.errors;
	EXPECT_EQ(result.errors.find("CRITICAL"), std::string::npos) << result.errors;
	for (const char *heading : {"Long-name", "Klass", "Description", "Author", "Pad Templates",
				    "Element Properties", "  heap "})
		EXPECT_NE(result.output.find(heading), std::string::npos) << heading;

	/* "  name                : blurb" for each property, and nothing empty. */
	std::istringstream lines(result.output.substr(result.output.find("Element Properties")));
	int properties = 0;
	for (std::string line; std::getline(lines, line);) {
		if (line.size() < 4 || line.substr(0, 2) != "  " || line[2] == ' ')
			continue;
		const size_t colon = line.find(':');
		if (colon == std::string::npos)
			continue;
		properties++;
		EXPECT_GT(line.size(), colon + 10) << "no blurb: " << line;
	}
	EXPECT_GE(properties, 2);
}

INSTANTIATE_TEST_SUITE_P(Elements, Inspect,
			 testing::Values("heapcamerasrc", "heapkmssink", "heapalloc"),
			 [](const auto &test) { return std::string(test.param); });

} /* namespace */
