/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two promises of libheap, measured as ratios in one run, on every heap:
 *
 * - a warm pool hands out a buffer of 8 MiB at least 100 times faster than the heap allocates one;
 * - allocation through HeapDevice costs at most 5 % more than the bare ioctl and close().
 *
 * Run on the board: board/run heap-promises. Exit status 1 when one is not kept.
 *
 * Pairs alternate (bare, libheap, libheap, bare, ...), so that what drifts hits both alike; the
 * ratio is the median of those of all pairs, and its spread goes from the 10th percentile to the
 * 90th.
 */
#include "heapflow/heap/buffer_pool.h"
#include "heapflow/heap/heap.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace heapflow;

namespace
{

using Clock = std::chrono::steady_clock;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr double kMostOverhead = 1.05;
constexpr double kLeastSpeedup = 100;

template<typename Work>
double secondsOf(int times, const Work &work)
{
	const auto begin = Clock::now();
	for (int i = 0; i < times; i++)
		work();
	return std::chrono::duration<double>(Clock::now() - begin).count() / times;
}

double percentile(std::vector<double> values, double part)
{
	std::ranges::sort(values);
	return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

/* What a program without a library does; false when the heap gives nothing. */
bool allocateBare(int heap, uint64_t size)
{
	dma_heap_allocation_data request{};
	request.len = size;
	request.fd_flags = O_RDWR | O_CLOEXEC;
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &request) != 0)
		return false;
	close(static_cast<int>(request.fd));
	return true;
}

/* Two works that are compared, and the spread of what is between them. */
struct Comparison {
	double first = 0;  /* seconds, median */
	double second = 0; /* seconds, median */
	double ratio = 0;  /* second / first, median of the rounds */
	double low = 0;    /* 10th percentile of the rounds */
	double high = 0;   /* 90th */
};

template<typename First, typename Second>
Comparison compare(int rounds, int times, const First &first, const Second &second)
{
	std::vector<double> ofFirst;
	std::vector<double> ofSecond;
	std::vector<double> ratios;
	for (int round = 0; round < rounds; round++) {
		double one;
		double other;
		if (round % 2 == 0) {
			one = secondsOf(times, first);
			other = secondsOf(times, second);
		} else {
			other = secondsOf(times, second);
			one = secondsOf(times, first);
		}
		ofFirst.push_back(one);
		ofSecond.push_back(other);
		ratios.push_back(other / one);
	}
	return {percentile(ofFirst, 0.5), percentile(ofSecond, 0.5), percentile(ratios, 0.5),
		percentile(ratios, 0.1), percentile(ratios, 0.9)};
}

bool checkOverhead(const Heap &heap, const HeapDevice &device, uint64_t size)
{
	const UniqueFd bare(open(heap.node.c_str(), O_RDONLY | O_CLOEXEC));
	if (!bare.valid() || !allocateBare(bare.get(), size)) {
		std::printf("%-28s %8.3f MiB  the heap gives none\n", heap.name.text.c_str(),
			    static_cast<double>(size) / kMiB);
		return false;
	}
	const int rounds = 601;
	const int times = size >= kMiB ? 1 : 16;
	const Comparison result = compare(
		rounds, times, [&] { allocateBare(bare.get(), size); },
		[&] { static_cast<void>(device.allocate(size)); });
	const bool kept = result.ratio <= kMostOverhead;
	std::printf("%-28s %8.3f MiB  ioctl %9.2f us  libheap %9.2f us  ratio %.3f "
		    "(%.3f to %.3f)  %s\n",
		    heap.name.text.c_str(), static_cast<double>(size) / kMiB, result.first * 1e6,
		    result.second * 1e6, result.ratio, result.low, result.high,
		    kept ? "kept" : "NOT KEPT");
	std::fflush(stdout);
	return kept;
}

bool checkPool(const Heap &heap, const HeapDevice &device)
{
	auto own = HeapDevice::open(heap);
	if (!own)
		return false;
	auto pool = BufferPool::create(std::move(*own), 8 * kMiB, {.name = "bench", .count = 1});
	if (!pool) {
		std::printf("%-28s %s\n", heap.name.text.c_str(), pool.error().text().c_str());
		return false;
	}
	const Comparison result = compare(
		51, 1,
		[&] {
			/* Many, as one is shorter than the clock's step; divided below. */
			for (int i = 0; i < 1000; i++)
				static_cast<void>(pool->acquire());
		},
		[&] { static_cast<void>(device.allocate(8 * kMiB)); });
	const double pooled = result.first / 1000;
	const double speedup = result.second / pooled;
	const bool kept = speedup >= kLeastSpeedup;
	std::printf("%-28s    8.000 MiB  heap  %9.2f us  pool    %9.3f us  %.0f times faster "
		    "(%.0f to %.0f)  %s\n",
		    heap.name.text.c_str(), result.second * 1e6, pooled * 1e6, speedup,
		    result.low * 1000, result.high * 1000, kept ? "kept" : "NOT KEPT");
	std::fflush(stdout);
	return kept;
}

} /* namespace */

int main()
{
	const auto heaps = listHeaps();
	if (!heaps) {
		std::fprintf(stderr, "heap-promises: %s\n", heaps.error().text().c_str());
		return 1;
	}
	bool kept = true;
	for (const Heap &heap : *heaps) {
		const auto device = HeapDevice::open(heap);
		if (!device) {
			std::fprintf(stderr, "heap-promises: %s\n", device.error().text().c_str());
			kept = false;
			continue;
		}
		kept = checkPool(heap, *device) && kept;
		for (const uint64_t size : {uint64_t{4096}, uint64_t{1382400}, 8 * kMiB})
			kept = checkOverhead(heap, *device, size) && kept;
	}
	std::printf("%s\n",
		    kept ? "both promises are kept on every heap" : "a promise is not kept");
	return kept ? 0 : 1;
}
