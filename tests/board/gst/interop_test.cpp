/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of docs/interop.md is what happens: every row is run, watched by the tracer and from
 * outside. */
#include "interop_table.h"
#include "temporary_directory.h"
#include "traced.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <memory>

using namespace heapflow::test;

namespace
{

class Interop : public testing::TestWithParam<InteropRow>
{
};

TEST_P(Interop, IsAsDocumented)
{
	const InteropRow &row = GetParam();
	const Vivid vivid("0");
	const std::unique_ptr<InteropSetup> setup = InteropSetup::make(row.setup);
	ASSERT_NE(setup, nullptr) << "no setup '" << row.setup << "'";

	const TemporaryDirectory directory;
	const std::string json = (directory.path() / "json").string();
	const Witnessed seen = witness(
		setup->program() + " '" + setup->complete(row.pipeline) + "'",
		std::format("{} GST_TRACERS='heapflow(json={})'", setup->environment(), json));
	/* Of each pipeline of the process, and of each of its runs. */
	std::vector<nlohmann::json> reports;
	for (const auto &file : std::filesystem::directory_iterator(directory.path()))
		reports.push_back(readReport(file.path()));
	const InteropResult result = resultOf(seen, reports);
	if (const char *file = std::getenv("HEAPFLOW_INTEROP_WRITE"))
		std::ofstream(file, std::ios::app) << row.with(result) << '\n';

	EXPECT_EQ(row.result, result)
		<< "the row is\n"
		<< row.with(result) << '\n'
		<< seen.output << seen.errors << nlohmann::json(reports).dump(1);
	EXPECT_TRUE(seen.sawMark || result.frames != "100") << "strace saw nothing";
}

INSTANTIATE_TEST_SUITE_P(Rows, Interop, testing::ValuesIn(interopRows()),
			 [](const auto &test) { return test.param.testName(); });

} /* namespace */
