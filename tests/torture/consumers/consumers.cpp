/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Consumers that are slow, that are stuck, and that keep frames: for a while, for ever, beyond the
 * end of their pipeline, or of their pool. Runs on the board, in simulated time.
 */
#include "board_rest.h"
#include "command_line.h"
#include "consumer_scenarios.h"
#include "fault_rows.h"

#include <CLI/CLI.hpp>
#include <gst/gst.h>

#include <cstdio>
#include <cstdlib>
#include <format>

using namespace heapflow::torture;

namespace
{

void prepare()
{
	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	g_log_set_always_fatal(GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
	gst_init(nullptr, nullptr);
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Consumers that are slow, stuck, or keep frames");
	uint64_t seed = 1;
	unsigned rounds = 12;
	std::string only;
	app.add_option("--seed", seed, "of the lot")->capture_default_str();
	app.add_option("--rounds", rounds, "times that each of them is tried")
		->capture_default_str()
		->check(oneOrMore);
	app.add_option("--only", only, "those whose name contains this");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	prepare();
	std::printf("# seed %llu\n", static_cast<unsigned long long>(seed));
	FaultRows rows;
	std::vector<std::string> names;
	for (const ConsumerScenario &scenario : consumerScenarios()) {
		names.emplace_back(scenario.name);
		if (!std::string(scenario.name).contains(only))
			continue;
		RandomDraw random(seed);
		/* What a process makes once is there after the first. */
		scenario.run(random);
		const BoardRest rest = BoardRest::settled();
		for (unsigned i = 0; i < rounds; i++) {
			ConsumerOutcome outcome = scenario.run(random);
			if (outcome.broken.empty())
				outcome.broken = rest.lost();
			rows.add(scenario.name, outcome.saw,
				 outcome.broken.empty()
					 ? ""
					 : std::format("round {}: {}", i, outcome.broken));
		}
	}
	if (!rows.injected())
		return nothingFits("torture-consumers", only, names);
	return rows.print() ? 0 : 1;
}
