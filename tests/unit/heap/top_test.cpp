/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `heapctl top` makes of two looks, and of the keys. */
#include "system_directory.h"
#include "top/report.h"
#include "top/top_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::tool;
using namespace std::chrono_literals;
using heapflow::test::SystemDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kMiB = 1 << 20;
const auto kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));

RegionView regionView(const std::string &id, std::vector<std::string> heaps)
{
	RegionView view{.heaps = std::move(heaps)};
	view.region.id = id;
	view.region.total = 64 * kMiB;
	view.region.free = 40 * kMiB;
	return view;
}

HeldBuffer buffer(uint64_t inode, uint64_t size, const std::string &heap,
		  std::vector<pid_t> processes)
{
	HeldBuffer held{.inode = inode, .size = size, .exporter = heap};
	for (const pid_t process : processes)
		held.uses.push_back({.process = process, .descriptors = 1});
	return held;
}

/* `video` with the kernel's counters, `system` without, and a buffer of a driver. */
Look lookAt(std::chrono::milliseconds time, RegionActivity video, std::vector<HeldBuffer> buffers)
{
	Look look{.time = std::chrono::steady_clock::time_point(time), .utc = "now"};
	look.view.regions = {regionView("video", {"video", "video_cached"}),
			     regionView("system", {"system"})};
	look.view.regions.back().isRegion = false;
	look.view.holders.buffers = std::move(buffers);
	look.view.holders.processes = {{7, "cam"}, {9, "sink"}};
	look.activity = {{"video", video}, {"system", {}}};
	return look;
}

Look secondLook()
{
	return lookAt(3000ms, {.allocated = 30 * kMiB, .released = 12 * kMiB, .refused = 5},
		      {buffer(1, 8 * kMiB, "video_cached", {7, 9}), buffer(2, kMiB, "video", {7}),
		       buffer(4, 3 * kMiB, "system", {9}), buffer(5, kMiB, "vb2", {9})});
}

Look firstLook()
{
	return lookAt(1000ms, {.allocated = 10 * kMiB, .released = 2 * kMiB, .refused = 2},
		      {buffer(1, 8 * kMiB, "video", {7, 9}), buffer(3, 2 * kMiB, "system", {9})});
}

std::vector<pid_t> idsOf(const std::vector<ProcessRow> &rows)
{
	std::vector<pid_t> ids;
	for (const ProcessRow &row : rows)
		ids.push_back(row.process.id);
	return ids;
}

std::vector<uint64_t> inodesOf(const std::vector<BufferRow> &rows)
{
	std::vector<uint64_t> inodes;
	for (const BufferRow &row : rows)
		inodes.push_back(row.inode);
	return inodes;
}

TopState shown()
{
	TopState state(1s);
	state.show(firstLook());
	state.show(secondLook());
	return state;
}

} /* namespace */

TEST(RegionActivity, InBytesAndNothingWhenNotTold)
{
	const SystemDirectory system;
	system.addArea("video", 100, 50);
	EXPECT_EQ(readRegionActivity("video", system.paths()), RegionActivity{});
	system.write("sys/kernel/mm/cma/video/alloc_pages_success", "2048\n");
	system.write("sys/kernel/mm/cma/video/release_pages_success", "rubbish\n");
	system.write("sys/kernel/mm/cma/video/alloc_pages_fail", "18446744073709551615\n");
	EXPECT_EQ(readRegionActivity("video", system.paths()),
		  RegionActivity{.allocated = 2048 * kPage});
}

TEST(Top, RatesAreTheCountersOfTheKernelWhereThereAreAny)
{
	const Flows flows = flowsBetween(firstLook(), secondLook());
	const Flow &video = flows.at("video");
	EXPECT_TRUE(video.exact);
	EXPECT_DOUBLE_EQ(*video.allocated, 10.0 * kMiB);
	EXPECT_DOUBLE_EQ(*video.released, 5.0 * kMiB);
	EXPECT_EQ(video.refused, 3u);
}

TEST(Top, WithoutCountersTheBuffersThatCameAndWentAreCounted)
{
	const Flows flows = flowsBetween(firstLook(), secondLook());
	const Flow &system = flows.at("system");
	EXPECT_FALSE(system.exact);
	EXPECT_DOUBLE_EQ(*system.allocated, 1.5 * kMiB);
	EXPECT_DOUBLE_EQ(*system.released, 1.0 * kMiB);
	EXPECT_FALSE(system.refused);
	EXPECT_THAT(regionTable(secondLook(), flows).text(), HasSubstr(">=1.5 MiB/s"));
}

TEST(Top, NoRateWithoutTimeOrFromCountersThatWentBack)
{
	EXPECT_TRUE(flowsBetween(firstLook(), firstLook()).empty());
	Look later = secondLook();
	later.activity["video"] = {.allocated = 1, .released = 1, .refused = 1};
	const Flow video = flowsBetween(firstLook(), later).at("video");
	EXPECT_FALSE(video.exact);
	EXPECT_FALSE(video.refused);
}

TEST(Top, AProcessHasEachOfItsBuffersOnceAndItsChange)
{
	const Look before = firstLook();
	auto rows = processRows(secondLook(), &before, {});
	sortRows(rows, ProcessOrder::Size, false);
	ASSERT_THAT(idsOf(rows), ElementsAre(9, 7));
	EXPECT_EQ(rows[0].bytes, 12 * kMiB);
	EXPECT_EQ(rows[0].buffers, 3u);
	EXPECT_EQ(rows[0].change, static_cast<int64_t>(2 * kMiB));
	EXPECT_EQ(rows[0].regions, "system 3 MiB, vb2 1 MiB, video 8 MiB");
	EXPECT_EQ(rows[1].change, static_cast<int64_t>(kMiB));
	EXPECT_FALSE(processRows(secondLook(), nullptr, {})[0].change);
}

TEST(Top, AFilterLeavesTheRegionOrTheProcess)
{
	EXPECT_THAT(inodesOf(bufferRows(secondLook(), {.region = "video"})), ElementsAre(1, 2));
	EXPECT_THAT(inodesOf(bufferRows(secondLook(), {.process = 9})), ElementsAre(1, 4, 5));
	EXPECT_THAT(inodesOf(bufferRows(secondLook(), {.region = "video", .process = 9})),
		    ElementsAre(1));
	const auto rows = processRows(secondLook(), nullptr, {.region = "system"});
	ASSERT_THAT(idsOf(rows), ElementsAre(9));
	EXPECT_EQ(rows[0].bytes, 3 * kMiB);
}

TEST(Top, EveryOrder)
{
	auto buffers = bufferRows(secondLook(), {});
	const auto by = [&buffers](BufferOrder order, bool reverse) {
		sortRows(buffers, order, reverse);
		return inodesOf(buffers);
	};
	EXPECT_THAT(by(BufferOrder::Size, false), ElementsAre(1, 4, 2, 5));
	EXPECT_THAT(by(BufferOrder::Heap, false), ElementsAre(4, 5, 2, 1));
	EXPECT_THAT(by(BufferOrder::Inode, true), ElementsAre(5, 4, 2, 1));
	EXPECT_THAT(by(BufferOrder::Holders, false), ElementsAre(2, 1, 4, 5));

	std::vector<ProcessRow> processes = {
		{.process = {1, "b"}, .bytes = 1, .buffers = 3, .change = -5},
		{.process = {2, "a"}, .bytes = 2, .buffers = 1, .change = 4},
		{.process = {3, "c"}, .bytes = 3, .buffers = 2, .change = 0}};
	const auto processesBy = [&processes](ProcessOrder order, bool reverse) {
		sortRows(processes, order, reverse);
		return idsOf(processes);
	};
	EXPECT_THAT(processesBy(ProcessOrder::Size, false), ElementsAre(3, 2, 1));
	EXPECT_THAT(processesBy(ProcessOrder::Change, false), ElementsAre(2, 3, 1));
	EXPECT_THAT(processesBy(ProcessOrder::Change, true), ElementsAre(1, 3, 2));
	EXPECT_THAT(processesBy(ProcessOrder::Buffers, false), ElementsAre(1, 3, 2));
	EXPECT_THAT(processesBy(ProcessOrder::Name, false), ElementsAre(2, 1, 3));
	EXPECT_THAT(processesBy(ProcessOrder::Id, false), ElementsAre(1, 2, 3));
}

TEST(TopKeys, EnterShowsTheBuffersOfAProcessAndEscapeLeadsBack)
{
	TopState state = shown();
	state.press(TopKey::Down);
	ASSERT_EQ(state.processes()[state.selected()].process.id, 7);
	state.press(TopKey::Select);
	EXPECT_EQ(state.pane(), TopState::Pane::Buffers);
	EXPECT_THAT(inodesOf(state.buffers()), ElementsAre(1, 2));
	state.press(TopKey::Back);
	EXPECT_EQ(state.pane(), TopState::Pane::Processes);
	EXPECT_EQ(state.buffers().size(), 4u);
}

TEST(TopKeys, RegionsGoRound)
{
	TopState state = shown();
	std::vector<std::string> seen;
	for (int i = 0; i < 3; i++) {
		state.press(TopKey::NextRegion);
		seen.push_back(state.filter().region);
	}
	EXPECT_THAT(seen, ElementsAre("video", "system", ""));
	state.press(TopKey::PreviousRegion);
	EXPECT_EQ(state.filter().region, "system");
}

TEST(TopKeys, TheProcessStaysSelectedWhenRowsChangePlaces)
{
	TopState state = shown();
	ASSERT_EQ(state.processes()[0].process.id, 9);
	state.press(TopKey::Reverse);
	ASSERT_EQ(state.processes()[0].process.id, 7);
	EXPECT_EQ(state.selected(), 1u);
	state.press(TopKey::NextOrder);
	EXPECT_EQ(state.processes()[state.selected()].process.id, 9);
}

TEST(TopKeys, MovingStaysWithinTheRows)
{
	TopState state = shown();
	state.press(TopKey::OtherPane);
	for (const auto &[key, selected] :
	     std::vector<std::pair<TopKey, size_t>>{{TopKey::Up, 0},
						    {TopKey::Down, 1},
						    {TopKey::PageDown, 3},
						    {TopKey::Down, 3},
						    {TopKey::PageUp, 0},
						    {TopKey::Last, 3},
						    {TopKey::First, 0}}) {
		state.press(key);
		EXPECT_EQ(state.selected(), selected);
	}
	/* Fewer rows than before: the last one. */
	state.press(TopKey::Last);
	Look fewer = firstLook();
	fewer.time = secondLook().time + 1s;
	state.show(fewer);
	EXPECT_EQ(state.selected(), 1u);
}

TEST(TopKeys, AVanishedRegionOrProcessFiltersNothing)
{
	TopState state = shown();
	state.press(TopKey::NextRegion);
	state.press(TopKey::Select);
	ASSERT_TRUE(state.filter().process);
	Look gone = firstLook();
	gone.activity.erase("video");
	gone.view.regions.erase(gone.view.regions.begin());
	gone.view.holders.processes.clear();
	state.show(gone);
	EXPECT_EQ(state.filter(), TopFilter{});
}

TEST(TopKeys, IntervalStepsAndEnds)
{
	TopState state(1s);
	state.press(TopKey::Faster);
	EXPECT_EQ(state.interval(), 500ms);
	for (int i = 0; i < 10; i++)
		state.press(TopKey::Faster);
	EXPECT_EQ(state.interval(), 100ms);
	for (int i = 0; i < 20; i++)
		state.press(TopKey::Slower);
	EXPECT_EQ(state.interval(), 10s);
	TopState odd(700ms);
	odd.press(TopKey::Slower);
	EXPECT_EQ(odd.interval(), 1s);
	TopState rare(60s);
	rare.press(TopKey::Slower);
	EXPECT_EQ(rare.interval(), 60s);
	rare.press(TopKey::Faster);
	EXPECT_EQ(rare.interval(), 10s);
}

TEST(TopKeys, NothingIsLostBeforeTheFirstLook)
{
	TopState state(1s);
	for (int key = 0; key <= static_cast<int>(TopKey::LookNow); key++)
		state.press(static_cast<TopKey>(key));
	EXPECT_TRUE(state.quit());
	EXPECT_TRUE(state.takeLookNow());
	EXPECT_FALSE(state.takeLookNow());
}

TEST(Top, JsonHasWhatTheTablesHave)
{
	const Look before = firstLook();
	const Look after = secondLook();
	const auto json = lookToJson(after, &before, flowsBetween(before, after));
	EXPECT_EQ(json["interval_seconds"], 2.0);
	EXPECT_EQ(json["regions"][0]["rates"]["allocated_bytes_per_second"], 10.0 * kMiB);
	EXPECT_EQ(json["regions"][1]["rates"]["exact"], false);
	EXPECT_EQ(json["processes"].size(), 2u);
	EXPECT_EQ(json["buffers"][3]["heap"], "vb2");
	EXPECT_TRUE(json["buffers"][3]["region"].is_null());
}
