/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "heapflow/heap/size_text.h"
#include "output.h"
#include "table.h"

#include "heapflow/heap/heap_choice.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kAllocExamples =
	"HEAP is a heap expression (heapctl explain --help). SIZE is in bytes, or with K, M, G, "
	"T.\n"
	"Each buffer is looked at: its true size, and that every byte of it is zero.\n\n"
	"Examples:\n"
	"  heapctl alloc system 4096\n"
	"  heapctl alloc 'video@*:default' 3110400 --count 6     do six NV12 frames of 1080p fit?\n"
	"  heapctl alloc default 8MiB --hold 60 --name probe     hold it, to look at the counters";

struct AllocOptions {
	bool json = false;
	std::string expression;
	std::string size;
	uint64_t count = 1;
	std::string name = "heapctl";
	double hold = 0; /* seconds */
};

/* What was asked, and what came of it. */
struct Outcome {
	uint64_t wanted = 0;
	AllocatedBuffers got;
	std::vector<uint64_t> sizes; /* what the kernel says each buffer has */
	bool mapped = false;         /* the zeros were looked at: not in protected memory */
	std::optional<uint64_t> freeBefore;
	std::optional<uint64_t> freeAfter;
};

/* The size by the kernel, not by what was asked for. */
Result<uint64_t> checkedSize(const Buffer &buffer, uint64_t wanted)
{
	const auto size = bufferSize(buffer.fd());
	if (size && *size < wanted)
		return fail(EIO, "a buffer of " + buffer.heap() + " has " + std::to_string(*size) +
					 " bytes, of the " + std::to_string(wanted) + " asked for");
	return size;
}

/* Every heap clears its pages; a byte that is not zero is another program's data. */
Result<void> checkZeroed(const Buffer &buffer)
{
	const auto mapping = buffer.map(Access::Read);
	if (!mapping)
		return std::unexpected(mapping.error());
	const auto bytes = mapping->bytes();
	const auto dirty =
		std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{}; });
	if (dirty != bytes.end())
		return fail(EIO, "a buffer of " + buffer.heap() + " is not zeroed: byte " +
					 std::to_string(dirty - bytes.begin()) + " is " +
					 std::to_string(std::to_integer<unsigned>(*dirty)));
	return {};
}

std::optional<uint64_t> freeNow(const Heap &heap)
{
	const auto heaps = listHeaps();
	if (!heaps)
		return std::nullopt;
	const auto found = std::ranges::find(*heaps, heap.name.text,
					     [](const Heap &one) { return one.name.text; });
	return found == heaps->end() ? std::nullopt : found->region.free;
}

Result<Outcome> allocate(const HeapChoice &choice, uint64_t size, const AllocOptions &options)
{
	auto got = allocateBuffers(choice, options.count, size, options.name);
	if (!got)
		return std::unexpected(got.error());

	Outcome outcome{.wanted = size, .got = std::move(*got)};
	outcome.mapped = !outcome.got.heap.name.isProtected;
	outcome.freeBefore = outcome.got.heap.region.free;
	outcome.freeAfter = freeNow(outcome.got.heap);
	for (const Buffer &buffer : outcome.got.buffers) {
		const auto given = checkedSize(buffer, size);
		if (!given)
			return std::unexpected(given.error());
		outcome.sizes.push_back(*given);
		if (!outcome.mapped)
			continue;
		if (auto zeroed = checkZeroed(buffer); !zeroed)
			return std::unexpected(zeroed.error());
	}
	return outcome;
}

int printOutcome(const Outcome &outcome)
{
	const auto &buffers = outcome.got.buffers;
	const uint64_t each = outcome.sizes.front();
	std::string text;
	for (const HeapFallback &fallback : outcome.got.fallbacks)
		text += "fallback: " + safeText(fallback.text()) + "\n";
	text += safeText(outcome.got.heap.name.text) + ": " + std::to_string(buffers.size()) +
		(buffers.size() == 1 ? " buffer of " : " buffers of ") + std::to_string(each) +
		" bytes";
	if (each != outcome.wanted)
		text += " (" + std::to_string(outcome.wanted) + " asked, rounded to whole pages)";
	text += outcome.mapped ? ", all zeroed" : ", not mapped: the heap is protected";
	text += "\n";
	if (outcome.freeBefore && outcome.freeAfter)
		text += safeText(outcome.got.heap.region.id) + ": " +
			std::to_string(*outcome.freeBefore) + " bytes free before, " +
			std::to_string(*outcome.freeAfter) + " now\n";
	return print(text);
}

int printOutcomeJson(const Outcome &outcome, const AllocOptions &options)
{
	Json fallbacks = Json::array();
	for (const HeapFallback &one : outcome.got.fallbacks)
		fallbacks.push_back({{"heap", one.heap},
				     {"next", one.next},
				     {"error", errnoName(one.error.code)},
				     {"reason", one.error.message},
				     {"hint", one.error.hint}});
	return printJson({
		{"heap", outcome.got.heap.name.text},
		{"region", outcome.got.heap.region.id},
		{"name", options.name},
		{"wanted", outcome.wanted},
		{"sizes", outcome.sizes},
		{"zeroed", outcome.mapped ? Json(true) : Json(nullptr)},
		{"free_before", orNull(outcome.freeBefore)},
		{"free_after", orNull(outcome.freeAfter)},
		{"fallbacks", std::move(fallbacks)},
	});
}

/* Waits, and returns 128 + signal when one ended the wait: the buffers go as main() returns. */
int hold(double seconds)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, nullptr);

	timespec until{};
	clock_gettime(CLOCK_MONOTONIC, &until);
	const auto whole = static_cast<time_t>(seconds);
	until.tv_sec += whole;
	until.tv_nsec += static_cast<long>((seconds - static_cast<double>(whole)) * 1e9);

	for (;;) {
		timespec now{};
		clock_gettime(CLOCK_MONOTONIC, &now);
		const int64_t left =
			(static_cast<int64_t>(until.tv_sec) - now.tv_sec) * 1'000'000'000 +
			(until.tv_nsec - now.tv_nsec);
		if (left <= 0)
			return kSuccess;
		const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
		const int signal = sigtimedwait(&ends, nullptr, &wait);
		if (signal > 0)
			return 128 + signal;
		/* EAGAIN is the end of the time; EINTR a stop and continue (signal(7)). */
	}
}

int allocateAndShow(const AllocOptions &options)
{
	const auto size = parseSize(options.size);
	if (!size)
		return report(size.error(), kUsage);
	const auto expression = readExpression(options.expression);
	if (!expression)
		return kUsage;

	const SystemPaths paths;
	const auto heaps = listHeaps(paths);
	if (!heaps)
		return report(heaps.error());
	const auto choice = chooseHeap(*expression, *heaps, {}, &paths);
	if (!choice)
		return report(choice.error());
	const auto outcome = allocate(*choice, *size, options);
	if (!outcome)
		return report(outcome.error());

	const int printed =
		options.json ? printOutcomeJson(*outcome, options) : printOutcome(*outcome);
	if (printed != kSuccess)
		return printed;
	return hold(options.hold);
}

} /* namespace */

void addAllocCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand(
		"alloc", "Allocate buffers, prove their size and zeros, free them");
	const auto options = std::make_shared<AllocOptions>();
	command->footer(kAllocExamples);
	command->add_option("HEAP", options->expression, "A heap expression")->required();
	command->add_option("SIZE", options->size, "Such as 4096, 8M, 8MiB")->required();
	command->add_option("--count", options->count, "Buffers, all from one heap (1)")
		->type_name("N")
		->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}));
	command->add_option("--name", options->name, "Their name in /proc/PID/fdinfo (heapctl)")
		->type_name("NAME");
	command->add_option("--hold", options->hold, "Keep them that long; Ctrl-C ends it (0)")
		->type_name("SECONDS")
		->check(CLI::Range(0.0, 1e9));
	addJson(command, options->json);
	command->callback([&run, options] {
		run = [options] {
			return allocateAndShow(*options);
		};
	});
}

} /* namespace heapflow::tool */
