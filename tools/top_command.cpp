/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "ending_signals.h"
#include "output.h"
#include "top/live_view.h"
#include "top/report.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <poll.h>
#include <unistd.h>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr const char *kTopExamples =
	"On a terminal: a live view of regions, processes and buffers; h shows its keys. Rates "
	"are\n"
	"the kernel's counters where it has them (CMA regions), so they miss nothing.\n\n"
	"Examples:\n"
	"  heapctl top\n"
	"  heapctl top --once                      one look, with the rates of a second\n"
	"  heapctl top --count 10 --interval 0.5   ten of them, without the live view\n"
	"  heapctl top --json | jq -c '.regions[] | [.id, .free, "
	".rates.allocated_bytes_per_second]'\n\n"
	"Status: 0 done, 1 failed, 2 used wrongly, 129, 130, 143 ended by SIGHUP, Ctrl-C, SIGTERM.";

struct TopOptions {
	bool json = false;
	bool once = false;
	std::optional<uint64_t> count;
	double interval = 1; /* seconds */
	SystemPaths paths;

	milliseconds step() const { return milliseconds(std::llround(interval * 1000.0)); }
};

/* Whether the screen and the keyboard are a terminal that understands more than lines. */
bool isTerminal()
{
	const char *kind = std::getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind && *kind &&
	       std::string_view(kind) != "dumb";
}

/* Waits for the next look; the exit status when a signal came instead. */
std::optional<int> waitFor(std::chrono::steady_clock::time_point time, const UniqueFd &signals)
{
	for (;;) {
		const auto left =
			std::chrono::ceil<milliseconds>(time - std::chrono::steady_clock::now());
		if (left.count() <= 0)
			return std::nullopt;
		pollfd file{signals.get(), POLLIN, 0};
		if (poll(&file, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
			return report({errno, "cannot wait for the next look", {}});
		if (const auto status = endedBySignal(signals))
			return status;
	}
}

int printLook(const Look &look, const Look &before, bool json, bool first)
{
	const Flows flows = flowsBetween(before, look);
	if (json)
		/* One object a line, so that a reader has each at once. */
		return print(lookToJson(look, &before, flows)
				     .dump(-1, ' ', true, Json::error_handler_t::replace) +
			     "\n");
	return print((first ? "" : "\n") + lookText(look, &before, flows));
}

/* Looks in lines: rates need two, so the first is shown after one interval. */
int printLooks(const TopOptions &options, std::optional<uint64_t> count, const UniqueFd &signals)
{
	auto before = takeLook(options.paths);
	if (!before)
		return report(before.error());
	for (uint64_t i = 0; !count || i < *count; i++) {
		if (const auto status = waitFor(before->time + options.step(), signals))
			return *status;
		auto look = takeLook(options.paths);
		if (!look)
			return report(look.error());
		if (const int status = printLook(*look, *before, options.json, i == 0))
			return status;
		before = std::move(look);
	}
	return kSuccess;
}

int top(const TopOptions &options)
{
	const auto signals = watchSignals();
	if (!signals)
		return report(signals.error());
	std::optional<uint64_t> count = options.count;
	if (options.once)
		count = 1;
	if (count || options.json)
		return printLooks(options, count, *signals);
	if (!isTerminal()) {
		std::fprintf(stderr, "heapctl: no terminal for the live view: one look, as with "
				     "--once\n");
		return printLooks(options, 1, *signals);
	}
	return runLiveView(options.paths, options.step(), *signals);
}

} /* namespace */

void addTopCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("top", "Watch regions, processes and buffers, live");
	const auto options = std::make_shared<TopOptions>();
	command->footer(kTopExamples);
	auto *once = command->add_flag("--once", options->once, "One look, without the live view");
	command->add_option("--count", options->count, "That many looks, without the live view")
		->type_name("N")
		->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40))
		->excludes(once);
	command->add_option("--interval", options->interval, "Time between looks, 0.1 to 3600")
		->type_name("SECONDS")
		->check(CLI::Range(0.1, 3600.0))
		->capture_default_str();
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return top(*options);
		};
	});
}

} /* namespace heapflow::tool */
