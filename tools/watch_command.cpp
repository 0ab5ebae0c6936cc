/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "ending_signals.h"
#include "output.h"
#include "table.h"

#include "heapflow/heap/heap_watch.h"

#include <cerrno>
#include <cmath>

#include <poll.h>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char *kWatchExamples =
	"Prints a line for each heap that is there, and for each that appears, vanishes or whose\n"
	"owner, group or mode change. With EXPRESSION it ends as soon as a heap can be taken.\n\n"
	"Examples:\n"
	"  heapctl watch                                   until Ctrl-C\n"
	"  heapctl watch 'video@*:default' --timeout 10    wait for udev and the heap drivers\n"
	"  heapctl watch --json | jq -r 'select(.event == \"appeared\") | .heap.name'\n\n"
	"Status: 0 the expression can be chosen, or the time of a watch without one is over; 1 it\n"
	"cannot, after the time-out; 2 used wrongly; 130 ended by Ctrl-C, 143 by SIGTERM.";

struct WatchOptions {
	bool json = false;
	std::string expression;
	std::optional<double> timeout; /* seconds */
	SystemPaths paths;
};

int printEvent(std::string_view event, const Heap &heap, bool json)
{
	if (json)
		/* One object a line, so that a reader has each at once. */
		return print(
			Json{{"time", utcNow()}, {"event", event}, {"heap", toJson(heap)}}.dump(
				-1, ' ', true, Json::error_handler_t::replace) +
			"\n");
	const std::string link = heap.linkTarget.empty() ? "" : ", a link to " + heap.linkTarget;
	return print(utcNow() + "  " + std::string(event) +
		     std::string(event.size() < 14 ? 14 - event.size() : 0, ' ') + "  " +
		     safeText(heap.name.text + link) + "  " + describeAccess(heap) +
		     (heap.accessible ? "" : ", may not be opened") + "\n");
}

class Watching
{
public:
	Watching(const WatchOptions &options, std::optional<HeapExpression> expression,
		 HeapWatch watch, UniqueFd signals)
		: options_(options),
		  expression_(std::move(expression)),
		  watch_(std::move(watch)),
		  signals_(std::move(signals))
	{
		if (options.timeout)
			end_ = Clock::now() + milliseconds(std::llround(*options.timeout * 1000.0));
	}

	int run();

private:
	int waitTime() const;
	std::optional<int> settle();
	int printTaken(const HeapChoice &choice) const;

	const WatchOptions &options_;
	const std::optional<HeapExpression> expression_;
	HeapWatch watch_;
	UniqueFd signals_;
	std::optional<Clock::time_point> end_;
	Error missing_;
};

int Watching::printTaken(const HeapChoice &choice) const
{
	const Heap &heap = choice.taken().heap;
	if (options_.json)
		return printEvent("taken", heap, true);
	return print(utcNow() + "  " + choice.expression.text + " takes " +
		     safeText(heap.name.text) + "\n");
}

/* The exit status once there is nothing left to wait for. */
std::optional<int> Watching::settle()
{
	if (expression_) {
		const auto choice = chooseHeap(*expression_, watch_.heaps());
		if (choice)
			return printTaken(*choice);
		missing_ = choice.error();
	}
	if (!end_ || Clock::now() < *end_)
		return std::nullopt;
	if (!expression_)
		return kSuccess;
	return report({ETIMEDOUT, missing_.message, missing_.hint});
}

int Watching::waitTime() const
{
	/* Free memory is announced by nobody: with a condition on it, look twice a second. */
	const bool looks = expression_ && expression_->text.find("min-free=") != std::string::npos;
	std::optional<milliseconds> time;
	if (looks)
		time = milliseconds(500);
	if (end_) {
		const auto left = std::max(milliseconds(0),
					   std::chrono::ceil<milliseconds>(*end_ - Clock::now()));
		time = time ? std::min(*time, left) : left;
	}
	return time ? static_cast<int>(std::min<milliseconds::rep>(time->count(), 1 << 30)) : -1;
}

int Watching::run()
{
	for (const Heap &heap : watch_.heaps()) {
		if (const int status = printEvent("is there", heap, options_.json))
			return status;
	}
	for (;;) {
		if (const auto status = settle())
			return *status;
		pollfd files[] = {{watch_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
		if (poll(files, 2, waitTime()) < 0 && errno != EINTR)
			return report({errno, "cannot wait for changes", {}});
		if (const auto status = endedBySignal(signals_))
			return *status;
		const auto changes = watch_.read();
		if (!changes)
			return report(changes.error());
		for (const HeapChange &change : *changes) {
			if (const int status =
				    printEvent(change.name(), change.heap, options_.json))
				return status;
		}
	}
}

int watch(const WatchOptions &options)
{
	std::optional<HeapExpression> expression;
	if (!options.expression.empty()) {
		expression = readExpression(options.expression);
		if (!expression)
			return kUsage;
	}
	auto signals = watchSignals();
	if (!signals)
		return report(signals.error());
	auto heaps = HeapWatch::create(options.paths);
	if (!heaps)
		return report(heaps.error());
	return Watching(options, std::move(expression), std::move(*heaps), std::move(*signals))
		.run();
}

} /* namespace */

void addWatchCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand(
		"watch", "Tell of heaps that appear, vanish or change permission");
	const auto options = std::make_shared<WatchOptions>();
	command->footer(kWatchExamples);
	command->add_option("EXPRESSION", options->expression, "End when this can be chosen");
	command->add_option("--timeout", options->timeout, "End after that long")
		->type_name("SECONDS")
		->check(CLI::Range(0.0, 1e9));
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return watch(*options);
		};
	});
}

} /* namespace heapflow::tool */
