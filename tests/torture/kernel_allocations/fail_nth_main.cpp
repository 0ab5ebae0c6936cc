/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes each allocation of the kernel's fail in turn while a camera application starts, plays,
 * stops and closes: the first, the second, and so on until none is left to fail.
 *
 * Runs on the debug kernel: board/run --debug --simulated-time fail-nth
 */
#include "attempt.h"
#include "command_line.h"
#include "fail_nth.h"
#include "fault_row.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <regex>
#include <string>

using namespace heapflow;
using namespace heapflow::torture;

namespace
{

/* Errors that name the process are the same error in each. */
const std::regex processNumber("\\[[0-9]+\\]");

/* The allocations of one thread in one part of the application. */
struct Row {
	struct Told {
		unsigned times = 0;
		unsigned first = 0; /* allocation, for --from */
	};

	std::string name;
	unsigned injected = 0;
	unsigned survived = 0;
	unsigned unnoticed = 0;
	std::map<std::string, Told> errors;
	std::map<std::string, Told> kept; /* by the kernel, and why */

	void add(unsigned nth, const Outcome &outcome);
};

void Row::add(unsigned nth, const Outcome &outcome)
{
	injected++;
	survived += outcome.broken.empty();
	unnoticed += outcome.broken.empty() && outcome.error.empty();
	if (!outcome.broken.empty())
		std::printf("# broken: allocation %u: %s%s%s; failed in %s\n", nth,
			    outcome.broken.c_str(),
			    outcome.error.empty() ? "" : "; error: ", outcome.error.c_str(),
			    outcome.where.c_str());
	std::fflush(stdout);
	const auto count = [nth](Told &told) {
		if (told.times++ == 0)
			told.first = nth;
	};
	if (!outcome.kept.empty())
		count(kept[outcome.kept]);
	if (!outcome.error.empty())
		count(errors[std::regex_replace(outcome.error, processNumber, "[PID]")]);
}

/* "no error 210 times; 12 times: cannot ..." */
std::string seen(const Row &row)
{
	if (row.injected == 0)
		return "there is no allocation of this number";
	std::string text = "no error " + std::to_string(row.unnoticed) + " times";
	const auto most = std::ranges::max_element(
		row.errors, {}, [](const auto &error) { return error.second.times; });
	if (most != row.errors.end())
		text += "; " + std::to_string(row.errors.size()) + " errors, as " +
			std::to_string(most->second.times) + " times: " + most->first;
	for (const auto &[why, told] : row.kept)
		text += "; a dma-buf lost in Linux itself " + std::to_string(told.times) + " times";
	return text;
}

/* \return false when a fault was not survived */
bool print(const Row &row)
{
	for (const auto &[error, told] : row.errors)
		std::printf("#   %u times, first of allocation %u: %s\n", told.times, told.first,
			    error.c_str());
	for (const auto &[why, told] : row.kept)
		std::printf("#   %u times, first of allocation %u: Linux keeps a dma-buf: %s\n",
			    told.times, told.first, why.c_str());
	/* A thread may have no allocation in a part, or not so many; not all of them, see main().
	 */
	const FaultRow shown{row.name, row.injected, row.survived, seen(row), true};
	heapflow::torture::print(shown);
	return shown.good();
}

/* From `first` in steps, until there is no allocation of that number. */
Row failEach(const CameraToScreenOptions &options, Fault fault, unsigned first, unsigned step,
	     bool verbose)
{
	Row row;
	row.name = "kernel allocation fails, " + std::string(phaseName(fault.phase)) + ", " +
		   (fault.thread == 0 ? "calling thread"
				      : "thread " + std::to_string(fault.thread + 1)) +
		   ", " + options.heap;
	for (fault.nth = first;; fault.nth += step) {
		if (verbose)
			std::fprintf(stderr, "%s, allocation %u\n", row.name.c_str(), fault.nth);
		const Outcome outcome = attempt(options, fault);
		if (!outcome.injected && outcome.broken.empty())
			return row;
		row.add(fault.nth, outcome);
		if (!outcome.injected) /* broken without a fault: it would be so for ever */
			return row;
	}
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Makes each allocation of the kernel's fail in turn (board/run --debug)");
	/* A size that the screen has: each mode that is tried else has allocations of its own, the
	 * same. */
	CameraToScreenOptions options{.width = 640, .height = 480};
	unsigned step = 1;
	unsigned first = 1;
	bool verbose = false;
	app.add_option("--heap", options.heap, "heap expression")->capture_default_str();
	app.add_option("--camera", options.camera, "camera")->capture_default_str();
	app.add_option("--frames", options.frames, "frames to play")->capture_default_str();
	app.add_option("--every", step, "only each N-th allocation")
		->capture_default_str()
		->check(oneOrMore);
	app.add_option("--from", first, "the first allocation to fail")
		->capture_default_str()
		->check(oneOrMore);
	app.add_flag("--verbose", verbose, "say which allocation comes next, on stderr");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	if (auto set = failEveryKindOfAllocation(); !set) {
		std::fprintf(stderr, "fail-nth: %s\n", set.error().text().c_str());
		return 2;
	}
	const Outcome whole = attempt(options, {});
	if (!whole.broken.empty()) {
		std::fprintf(stderr, "fail-nth: without any fault: %s\n", whole.broken.c_str());
		return 2;
	}
	bool good = true;
	unsigned injected = 0;
	for (const Phase phase : {Phase::Start, Phase::Play, Phase::Stop, Phase::Close}) {
		/* The other threads are there between start and close. */
		const bool others = phase == Phase::Play || phase == Phase::Stop;
		const unsigned threads = others ? whole.threads : 1;
		for (unsigned thread = 0; thread < threads; thread++) {
			const Row row = failEach(options, {phase, thread, 0}, first, step, verbose);
			good &= print(row);
			injected += row.injected;
		}
	}
	heapflow::torture::printPlan();
	if (injected == 0) {
		std::fprintf(stderr, "fail-nth: no part has %u allocations: nothing has failed\n",
			     first);
		return badUsage;
	}
	return good ? 0 : 1;
}
