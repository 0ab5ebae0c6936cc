/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"
#include "table.h"

#include "heapflow/heap/buffer_pool.h"
#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <unistd.h>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char *kBenchExamples =
	"For each heap of EXPRESSION (every heap that may be opened, without one), times of:\n"
	"  allocate   one buffer from the kernel, which zeroes it; and free it\n"
	"  map        mmap(), a touch of every page, munmap()\n"
	"  zero       all bytes set to 0 through a mapping that is there\n"
	"  sync       an empty bracket for reading and writing: two ioctls\n"
	"  recycle    taken from a warm pool and given back\n"
	"Compare figures of one run only: machines are noisy. A region must have room for two "
	"buffers.\n\n"
	"Examples:\n"
	"  heapctl bench\n"
	"  heapctl bench 'video@*:system' --size 3110400 --count 200\n"
	"  heapctl bench --json | jq '.heaps[] | {heap, allocate: .allocate.median}'\n\n"
	"Status: 0 every heap was measured, 1 one could not be, 2 used wrongly, 130 ended by "
	"Ctrl-C.";

struct BenchOptions {
	bool json = false;
	std::string expression;
	std::string size = "8M";
	uint64_t count = 50;
};

/* Set by SIGINT and SIGTERM; looked at between two measurements, so that all is given back. */
std::atomic<int> endedBy = 0;
static_assert(std::atomic<int>::is_always_lock_free, "for a signal handler");

void endSoon(int signal)
{
	endedBy = signal;
}

void catchSignals()
{
	struct sigaction action = {};
	action.sa_handler = endSoon;
	sigaction(SIGINT, &action, nullptr);
	sigaction(SIGTERM, &action, nullptr);
}

/* Nanoseconds of each time that something was done. */
struct Series {
	std::string what;
	std::vector<double> times;

	double percentile(double part) const
	{
		return times[static_cast<size_t>(part * static_cast<double>(times.size() - 1))];
	}
};

struct HeapBench {
	std::string heap;
	std::vector<Series> series;
	std::optional<Error> error;
};

/* Does `work` count times; each may be `batch` in one, for what is shorter than the clock's step.
 */
template<typename Work>
Result<Series> measure(std::string what, uint64_t count, unsigned batch, const Work &work)
{
	Series series{.what = std::move(what), .times = {}};
	/* The first one pays for what is cold. */
	if (auto done = work(); !done)
		return std::unexpected(done.error());
	for (uint64_t i = 0; i < count && endedBy == 0; i++) {
		const auto begin = Clock::now();
		for (unsigned j = 0; j < batch; j++) {
			if (auto done = work(); !done)
				return std::unexpected(done.error());
		}
		const std::chrono::duration<double, std::nano> time = Clock::now() - begin;
		series.times.push_back(time.count() / batch);
	}
	if (series.times.empty())
		return fail(EINTR, "ended by a signal");
	std::ranges::sort(series.times);
	return series;
}

Result<void> touchPages(const Buffer &buffer)
{
	auto mapping = buffer.map(Access::ReadWrite);
	if (!mapping)
		return std::unexpected(mapping.error());
	const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	volatile std::byte *bytes = mapping->bytes().data();
	for (size_t at = 0; at < mapping->bytes().size(); at += page)
		bytes[at] = std::byte{1};
	return mapping->end();
}

Result<void> zero(const CpuView &view)
{
	auto scope = view.begin(Access::Write);
	if (!scope)
		return std::unexpected(scope.error());
	std::memset(scope->bytes().data(), 0, scope->bytes().size());
	return scope->end();
}

Result<void> bracket(const CpuView &view)
{
	auto scope = view.begin(Access::ReadWrite);
	if (!scope)
		return std::unexpected(scope.error());
	return scope->end();
}

/* Protected memory has no mapping: only what needs none is measured. */
Result<void> measureAccess(HeapBench &bench, const HeapDevice &device, uint64_t size,
			   uint64_t count)
{
	const auto buffer = device.allocate(size, "heapctl bench");
	if (!buffer)
		return std::unexpected(buffer.error());
	if (buffer->isProtected())
		return {};
	auto mapped = measure("map", count, 1, [&] { return touchPages(*buffer); });
	if (!mapped)
		return std::unexpected(mapped.error());
	bench.series.push_back(std::move(*mapped));

	const auto view = buffer->view();
	if (!view)
		return std::unexpected(view.error());
	auto zeroed = measure("zero", count, 1, [&] { return zero(*view); });
	if (!zeroed)
		return std::unexpected(zeroed.error());
	bench.series.push_back(std::move(*zeroed));
	auto synced = measure("sync", count, 16, [&] { return bracket(*view); });
	if (!synced)
		return std::unexpected(synced.error());
	bench.series.push_back(std::move(*synced));
	return {};
}

Result<void> measureHeap(HeapBench &bench, const Heap &heap, uint64_t size, uint64_t count)
{
	auto device = HeapDevice::open(heap);
	if (!device)
		return std::unexpected(device.error());

	auto allocated = measure("allocate", count, 1, [&]() -> Result<void> {
		const auto buffer = device->allocate(size);
		if (!buffer)
			return std::unexpected(buffer.error());
		return {};
	});
	if (!allocated)
		return std::unexpected(allocated.error());
	bench.series.push_back(std::move(*allocated));
	if (auto accessed = measureAccess(bench, *device, size, count); !accessed)
		return accessed;

	auto pool =
		BufferPool::create(std::move(*device), size, {.name = "heapctl bench", .count = 1});
	if (!pool)
		return std::unexpected(pool.error());
	auto recycled = measure("recycle", count, 1024, [&]() -> Result<void> {
		const auto lease = pool->acquire();
		if (!lease)
			return std::unexpected(lease.error());
		return {};
	});
	if (!recycled)
		return std::unexpected(recycled.error());
	bench.series.push_back(std::move(*recycled));
	return {};
}

/* "193 us": three figures say all that is true. */
std::string timeText(double nanoseconds)
{
	const char *unit = "ns";
	for (const char *next : {"us", "ms", "s"}) {
		if (nanoseconds < 1000)
			break;
		nanoseconds /= 1000;
		unit = next;
	}
	char text[32];
	std::snprintf(text, sizeof(text), "%.*f %s",
		      nanoseconds < 10 ? 2 : (nanoseconds < 100 ? 1 : 0), nanoseconds, unit);
	return text;
}

int printTable(const std::vector<HeapBench> &benches, uint64_t size, uint64_t count)
{
	using enum Table::Align;
	Table table({{"HEAP", Left},
		     {"WHAT", Left},
		     {"MIN", Right},
		     {"MEDIAN", Right},
		     {"P95", Right},
		     {"MAX", Right}});
	for (const HeapBench &bench : benches) {
		std::string heap = bench.heap;
		for (const Series &one : bench.series) {
			table.addRow({heap, one.what, timeText(one.times.front()),
				      timeText(one.percentile(0.5)), timeText(one.percentile(0.95)),
				      timeText(one.times.back())});
			heap.clear();
		}
	}
	return print("buffers of " + sizeText(size) + ", each " + std::to_string(count) +
		     " times\n\n" + table.text());
}

int printBenchJson(const std::vector<HeapBench> &benches, uint64_t size, uint64_t count)
{
	Json heaps = Json::array();
	for (const HeapBench &bench : benches) {
		Json json{{"heap", bench.heap},
			  {"error", bench.error ? Json(bench.error->message) : Json(nullptr)}};
		for (const Series &one : bench.series)
			json[one.what] = {{"min", one.times.front()},
					  {"median", one.percentile(0.5)},
					  {"p95", one.percentile(0.95)},
					  {"max", one.times.back()},
					  {"count", one.times.size()}};
		heaps.push_back(std::move(json));
	}
	return printJson({{"size", size},
			  {"count", count},
			  {"unit", "nanoseconds"},
			  {"heaps", std::move(heaps)}});
}

/* The heaps of the expression in its order; all that may be opened without one. */
Result<std::vector<Heap>> heapsToMeasure(const std::optional<HeapExpression> &expression)
{
	auto heaps = listHeaps();
	if (!heaps)
		return std::unexpected(heaps.error());
	std::vector<Heap> chosen;
	if (!expression) {
		std::ranges::copy_if(*heaps, std::back_inserter(chosen), &Heap::accessible);
		if (chosen.empty())
			return fail(EACCES, "no heap may be opened by this user",
				    "heapctl doctor tells what to change");
		return chosen;
	}
	const auto choice = chooseHeap(*expression, *heaps);
	if (!choice)
		return std::unexpected(choice.error());
	for (const HeapCandidate &candidate : choice->candidates) {
		if (candidate.matches)
			chosen.push_back(candidate.heap);
	}
	return chosen;
}

int bench(const BenchOptions &options)
{
	const auto size = parseSize(options.size);
	if (!size)
		return report(size.error(), kUsage);
	std::optional<HeapExpression> expression;
	if (!options.expression.empty()) {
		expression = readExpression(options.expression);
		if (!expression)
			return kUsage;
	}
	const auto heaps = heapsToMeasure(expression);
	if (!heaps)
		return report(heaps.error());

	catchSignals();
	const bool showProgress = isatty(STDERR_FILENO);
	std::vector<HeapBench> benches;
	int status = kSuccess;
	for (const Heap &heap : *heaps) {
		if (showProgress)
			std::fprintf(stderr, "\r\033[K%zu of %zu: %s", benches.size() + 1,
				     heaps->size(), safeText(heap.name.text).c_str());
		HeapBench &one = benches.emplace_back(HeapBench{heap.name.text, {}, {}});
		const auto measured = measureHeap(one, heap, *size, options.count);
		if (showProgress)
			std::fprintf(stderr, "\r\033[K");
		if (endedBy)
			return 128 + endedBy;
		if (!measured) {
			one.error = measured.error();
			status = report(measured.error());
		}
	}
	const int printed = options.json ? printBenchJson(benches, *size, options.count)
					 : printTable(benches, *size, options.count);
	return printed ? printed : status;
}

} /* namespace */

void addBenchCommand(CLI::App &app, Run &run)
{
	auto *command =
		app.add_subcommand("bench", "Measure heaps: allocation, mapping, recycling");
	const auto options = std::make_shared<BenchOptions>();
	command->footer(kBenchExamples);
	command->add_option("EXPRESSION", options->expression, "A heap expression (every heap)");
	command->add_option("--size", options->size, "Of a buffer (8M)")->type_name("SIZE");
	command->add_option("--count", options->count, "How often each is measured (50)")
		->type_name("N")
		->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}));
	addJson(command, options->json);
	command->callback([&run, options] {
		run = [options] {
			return bench(*options);
		};
	});
}

} /* namespace heapflow::tool */
