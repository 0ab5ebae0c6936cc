/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes in the place of what debugfs and sysfs say of a CMA area. */
#include "fuzz_target.h"

#include "heapflow/heap/fit.h"
#include "heapflow/heap/region_map.h"

using namespace heapflow;
using heapflow::test::promise;

namespace
{

/* Runs follow each other without a gap, used and free in turn, and are as long as was asked. */
void checkRuns(const std::vector<MemoryRun> &runs, uint64_t base, uint64_t size)
{
	uint64_t end = base;
	for (size_t i = 0; i < runs.size(); i++) {
		promise(runs[i].begin == end, "runs follow each other");
		promise(runs[i].size > 0, "a run has a size");
		promise(i == 0 || runs[i].used != runs[i - 1].used, "used and free in turn");
		end = runs[i].end();
	}
	promise(size == 0 || runs.empty() || end >= base + size, "the runs are the whole range");
}

/* What is predicted for the map never exceeds what is free in it. */
void checkFit(const std::vector<MemoryRun> &runs, uint64_t base, uint64_t frame)
{
	RegionMap map;
	map.ranges = {runs};
	const uint64_t free = map.free();
	promise(map.largestFree() <= free, "the largest run is a part of what is free");
	const FreeSpace space{.base = base,
			      .total = free + map.used(),
			      .free = free,
			      .largest = map.largestFree(),
			      .map = std::move(map)};
	const Fit fit = predictFit({.buffers = {frame}, .frames = 3}, space);
	promise(fit.certain <= free / frame, "no more frames than there is room for");
	promise(!fit.atMost || fit.certain <= *fit.atMost, "certain is at most the most");
}

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	/* The first bytes choose where the region lies and how large its frames are. */
	const uint64_t base = uint64_t{data[0]} << 24;
	const uint64_t granule = uint64_t{4096} << (data[1] % 5);
	const uint64_t length = (uint64_t{data[2]} << 16) / granule * granule;
	const uint64_t frame = (1 + uint64_t{data[3]}) * 8192;
	const auto runs = parseCmaBitmap(heapflow::test::asText(data + 4, size - 4), base, granule,
					 length, data[1] & 0x80);
	if (!runs) {
		promise(runs.error().code != 0 && !runs.error().message.empty(),
			"an error says what it is");
		return 0;
	}
	checkRuns(*runs, base, length);
	checkFit(*runs, base, frame);
	return 0;
}
