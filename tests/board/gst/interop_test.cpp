/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of docs/interop.md is what happens: every row is run, watched from outside of it. */
#include "interop_table.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
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

	const Witnessed seen =
		witness("gst-row '" + setup->complete(row.pipeline) + "'", setup->environment());
	const InteropResult result = resultOf(seen);
	if (const char *file = std::getenv("HEAPFLOW_INTEROP_WRITE"))
		std::ofstream(file, std::ios::app) << row.with(result) << '\n';

	EXPECT_EQ(row.result, result) << "the row is\n"
				      << row.with(result) << '\n'
				      << seen.output << seen.errors;
	EXPECT_TRUE(seen.sawMark || result.frames != "100") << "strace saw nothing";
}

INSTANTIATE_TEST_SUITE_P(Rows, Interop, testing::ValuesIn(interopRows()),
			 [](const auto &test) { return test.param.testName(); });

} /* namespace */
