/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libheap costs; run on the board: board/run heap-bench. Compare figures of one run only.
 */

#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/heap_choice.h"

#include <benchmark/benchmark.h>
#include <drm/drm_fourcc.h>

using namespace heapflow;

namespace
{

void listing(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(listHeaps());
}
BENCHMARK(listing);

void choosing(benchmark::State &state)
{
	const auto heaps = listHeaps().value_or(std::vector<Heap>{});
	const auto expression = parseHeapExpression("video@*:default");
	for (auto _ : state)
		benchmark::DoNotOptimize(chooseHeap(*expression, heaps));
}
BENCHMARK(choosing);

void layout(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(makeFrameLayout(DRM_FORMAT_NV12, 1920, 1080));
}
BENCHMARK(layout);

/* Zeroing is nine tenths of it: time grows with the size. */
void allocating(benchmark::State &state)
{
	const auto choice = chooseHeap("default");
	if (!choice) {
		state.SkipWithError(choice.error().text().c_str());
		return;
	}
	const auto device = HeapDevice::open(choice->taken().heap);
	if (!device) {
		state.SkipWithError(device.error().text().c_str());
		return;
	}
	const auto size = static_cast<uint64_t>(state.range(0));
	for (auto _ : state)
		benchmark::DoNotOptimize(device->allocate(size));
	state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(allocating)->Arg(4096)->Arg(1382400)->Arg(3110400)->Arg(8 << 20);

} /* namespace */

BENCHMARK_MAIN();
