/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is predicted, against a region that is filled page by page as the kernel does it. */
#include "heapflow/heap/fit.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMiB = uint64_t{1} << 20;

/* Pages of a region: the lowest place that is free and aligned, as
 * bitmap_find_next_zero_area_off(). */
class PageRegion
{
public:
	PageRegion(uint64_t base, size_t pages) : base_(base), used_(pages, false) {}

	/* The first page, or nothing. */
	std::optional<size_t> take(uint64_t bytes)
	{
		const size_t count = (bytes + kPage - 1) / kPage;
		const size_t step = cmaAlignment(bytes) / kPage;
		const size_t offset = base_ / kPage % step;
		for (size_t at = (step - offset) % step; at + count <= used_.size(); at += step) {
			const auto begin = used_.begin() + static_cast<ptrdiff_t>(at);
			const auto end = begin + static_cast<ptrdiff_t>(count);
			if (std::find(begin, end, true) != end)
				continue;
			std::fill(begin, end, true);
			return at;
		}
		return std::nullopt;
	}
	void give(size_t at, uint64_t bytes)
	{
		for (size_t i = 0; i < (bytes + kPage - 1) / kPage; i++)
			used_[at + i] = false;
	}

	FreeSpace space(bool withMap) const
	{
		RegionMap map{.granule = kPage, .ranges = {{}}};
		auto &runs = map.ranges[0];
		for (size_t i = 0; i < used_.size(); i++) {
			if (runs.empty() || runs.back().used != used_[i])
				runs.push_back({base_ + i * kPage, 0, used_[i]});
			runs.back().size += kPage;
		}
		FreeSpace space{.base = base_,
				.total = used_.size() * kPage,
				.free = map.free(),
				.largest = map.largestFree()};
		if (withMap)
			space.map = std::move(map);
		return space;
	}

private:
	uint64_t base_;
	std::vector<bool> used_;
};

uint64_t framesOf(PageRegion region, const FitRequest &request)
{
	for (uint64_t frames = 0;; frames++) {
		for (const uint64_t bytes : request.buffers) {
			if (!region.take(bytes))
				return frames;
		}
	}
}

} /* namespace */

TEST(Fit, IsWhatTheKernelGivesInRegionsOfEveryKind)
{
	std::mt19937_64 random(7);
	const auto below = [&random](uint64_t limit) {
		return random() % limit;
	};
	for (int round = 0; round < 300; round++) {
		PageRegion region(below(8) * 4 * kMiB + below(3) * 8 * kPage, 1024 + below(3072));
		std::vector<std::pair<size_t, uint64_t>> held;
		for (int i = 0; i < 40; i++) {
			const uint64_t bytes = 1 + below(below(4) ? 200 * kPage : 3 * kMiB);
			if (const auto at = region.take(bytes))
				held.emplace_back(*at, bytes);
			if (!held.empty() && below(2)) {
				const size_t which = below(held.size());
				region.give(held[which].first, held[which].second);
				held.erase(held.begin() + static_cast<ptrdiff_t>(which));
			}
		}
		FitRequest request{.buffers = {1 + below(2 * kMiB)}, .frames = 1 + below(5)};
		if (below(2))
			request.buffers.push_back(1 + below(kMiB));

		const uint64_t truth = framesOf(region, request);
		const Fit exact = predictFit(request, region.space(true));
		ASSERT_TRUE(exact.exact) << exact.reason;
		ASSERT_EQ(exact.certain, truth) << exact.reason;
		EXPECT_EQ(exact.verdict,
			  truth >= request.frames ? Fit::Verdict::Fits : Fit::Verdict::Fails);

		const Fit bounds = predictFit(request, region.space(false));
		ASSERT_LE(bounds.certain, truth) << bounds.reason;
		ASSERT_GE(bounds.atMost.value_or(UINT64_MAX), truth) << bounds.reason;
	}
}

TEST(Fit, FreeMemoryWithoutARun)
{
	PageRegion region(0x42000000, 16 * 256);
	std::vector<size_t> held;
	for (int i = 0; i < 16; i++)
		held.push_back(*region.take(kMiB));
	for (size_t i = 0; i < held.size(); i += 2)
		region.give(held[i], kMiB);
	const Fit fit = predictFit({.buffers = {kMiB + 1}, .frames = 1}, region.space(true));
	EXPECT_EQ(fit.verdict, Fit::Verdict::Fails);
	EXPECT_EQ(fit.certain, 0u);
	EXPECT_EQ(predictFit({.buffers = {kMiB}, .frames = 8}, region.space(true)).verdict,
		  Fit::Verdict::Fits);
}

TEST(Fit, TheSystemHeapTakesAnyPage)
{
	const FreeSpace space{.free = 10 * kMiB, .contiguous = false};
	EXPECT_EQ(predictFit({.buffers = {3 * kMiB}, .frames = 3}, space).verdict,
		  Fit::Verdict::Fits);
	EXPECT_EQ(predictFit({.buffers = {3 * kMiB}, .frames = 4}, space).verdict,
		  Fit::Verdict::Fails);
}

TEST(Fit, NothingKnownIsUnknown)
{
	EXPECT_EQ(predictFit({.buffers = {kMiB}}, {}).verdict, Fit::Verdict::Unknown);
}

TEST(CmaBitmap, RunsFromTheLowestBit)
{
	const auto runs = parseCmaBitmap("15 4294901760 \n", 0x1000, 4096);
	ASSERT_TRUE(runs) << runs.error().text();
	const std::vector<MemoryRun> expected{
		{0x1000, 4 * 4096, true}, {0x5000, 44 * 4096, false}, {0x31000, 16 * 4096, true}};
	EXPECT_EQ(*runs, expected);
}

TEST(CmaBitmap, RubbishIsAnError)
{
	for (const char *text : {"x", "1 2 3x", "4294967296", "-1", "1,2"})
		EXPECT_EQ(parseCmaBitmap(text, 0, 4096).error().code, EINVAL) << text;
	EXPECT_EQ(parseCmaBitmap("1", 0, 0).error().code, EINVAL);
	EXPECT_EQ(parseCmaBitmap("1", 0, 4096, 33 * 4096).error().code, EINVAL);
	EXPECT_EQ(parseCmaBitmap("1", UINT64_MAX - 4096, 4096).error().code, EOVERFLOW);
}
