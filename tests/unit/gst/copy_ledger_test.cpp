/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copy ledger by itself: what is a copy, whose, and on which link. */
#include "tracer/copy_ledger.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

using namespace heapflow::gst;

namespace
{

constexpr uint64_t frameSize = 1000;

using Memories = std::vector<FrameMemory>;

/* Addresses of memories and buffers, as good as any. */
const void *address(uintptr_t number)
{
	return reinterpret_cast<const void *>(number);
}

/* source ! filter ! sink, with a memory for each of the two links, and a buffer. */
class CopyLedgerTest : public testing::Test
{
protected:
	CopyLedgerTest()
	{
		ledger.setObserver([this](const Touch &touch) { touches.push_back(touch); });
		for (const PadId pad : {sourceOut, filterOut})
			ledger.setCaps(pad, "NV12 40x25", true);
		ledger.addMemory(in.key, "heap video@42000000");
		ledger.addMemory(out.key, "system memory");
	}

	void sourcePushes(FrameMemory memory = {address(1), frameSize})
	{
		ledger.pushed(sourceOut, Memories{memory}, ++now);
		ledger.received(filterIn, sourceOut, address(101), Memories{memory}, ++now);
	}
	void filterPushes(FrameMemory memory)
	{
		ledger.pushed(filterOut, Memories{memory}, ++now);
		born = ledger.received(sinkIn, filterOut, address(102), Memories{memory}, ++now);
		ledger.returned(sinkIn, 1, born.value_or(0), ++now);
		ledger.forgetFrame(address(102));
	}
	void filterReturns()
	{
		ledger.returned(filterIn, 1, 0, ++now);
		ledger.forgetFrame(address(101));
	}
	ElementReport of(ElementId id)
	{
		const auto report = ledger.report(pipeline);
		const ElementReport *element = report ? report->element(id) : nullptr;
		return element ? *element : ElementReport();
	}
	LinkReport linkFrom(ElementId id)
	{
		const auto report = ledger.report(pipeline);
		for (const LinkReport &link : report->links)
			if (link.from == id)
				return link;
		return {};
	}

	CopyLedger ledger;
	std::vector<Touch> touches;
	const ElementId pipeline = ledger.addElement(0, "pipeline0", "pipeline", ElementKind::Sink);
	const ElementId source =
		ledger.addElement(pipeline, "source", "heapcamerasrc", ElementKind::Source);
	const ElementId filter =
		ledger.addElement(pipeline, "filter", "videoconvert", ElementKind::Filter);
	const ElementId sink =
		ledger.addElement(pipeline, "sink", "heapkmssink", ElementKind::Sink);
	const PadId sourceOut = ledger.addPad(source, "src");
	const PadId filterIn = ledger.addPad(filter, "sink");
	const PadId filterOut = ledger.addPad(filter, "src");
	const PadId sinkIn = ledger.addPad(sink, "sink");
	const FrameMemory in = {address(1), frameSize};
	const FrameMemory out = {address(2), frameSize / 2};
	int64_t now = 1000;
	std::optional<int64_t> born;
};

TEST_F(CopyLedgerTest, AFrameThatOnlyPassesIsNoCopy)
{
	for (int i = 0; i < 10; i++) {
		sourcePushes();
		filterPushes(in);
		filterReturns();
	}
	const auto report = ledger.report(pipeline);
	ASSERT_TRUE(report);
	EXPECT_EQ(report->copies(), 0U);
	EXPECT_TRUE(touches.empty());
	EXPECT_EQ(report->elements.size(), 3U);
	EXPECT_EQ(report->links.size(), 2U);
	EXPECT_EQ(linkFrom(source).frames, (ByteCount{10, 10 * frameSize}));
	EXPECT_THAT(linkFrom(source).memory, testing::ElementsAre("heap video@42000000"));
}

TEST_F(CopyLedgerTest, WhatReadsOneFrameAndPushesAnotherThatItWroteCopies)
{
	for (int i = 0; i < 3; i++) {
		sourcePushes();
		ledger.mapped(filter, in, MapAccess::Read);
		ledger.mapped(filter, out, MapAccess::Write);
		filterPushes(out);
		filterReturns();
	}
	EXPECT_EQ(of(filter).copies, (ByteCount{3, 3 * frameSize / 2}));
	EXPECT_EQ(of(filter).inside, ByteCount());
	EXPECT_EQ(of(filter).reads, (ByteCount{3, 3 * frameSize}));
	EXPECT_EQ(of(filter).writes, (ByteCount{3, 3 * frameSize / 2}));
	EXPECT_EQ(linkFrom(filter).copies, (ByteCount{3, 3 * frameSize / 2}));
	EXPECT_EQ(linkFrom(source).copies, ByteCount());
	EXPECT_THAT(of(filter).reasons,
		    testing::ElementsAre("copies frames in heap video@42000000 to frames in system "
					 "memory"));
	EXPECT_EQ(touches.back().what, Touch::What::Copy);
	EXPECT_EQ(touches.back().element, filter);
}

TEST_F(CopyLedgerTest, AFrameThatIsDrawnIsNoCopy)
{
	ledger.mapped(source, in, MapAccess::Write);
	sourcePushes();
	filterPushes(in);
	filterReturns();
	EXPECT_EQ(of(source).copies, ByteCount());
	EXPECT_EQ(of(source).drawn, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(source).writes, (ByteCount{1, frameSize}));
}

/* A memory that comes back from its pool is drawn anew: what read it last time does not count. */
TEST_F(CopyLedgerTest, AMemoryThatIsUsedAgainStandsForANewFrame)
{
	for (int i = 0; i < 3; i++) {
		ledger.mapped(source, in, MapAccess::ReadWrite);
		sourcePushes();
		ledger.mapped(filter, in, MapAccess::Read);
		filterPushes(in);
		filterReturns();
	}
	EXPECT_EQ(ledger.report(pipeline)->copies(), 0U);
	EXPECT_EQ(of(source).drawn, (ByteCount{3, 3 * frameSize}));
	EXPECT_EQ(of(filter).reads.count, 3U);
}

TEST_F(CopyLedgerTest, AFrameChangedInPlaceIsNoCopy)
{
	ledger.addMemory(address(9), "system memory");
	ledger.mapped(filter, {address(9), frameSize}, MapAccess::Read); /* a picture to lay over */
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::ReadWrite);
	filterPushes(in);
	filterReturns();
	EXPECT_EQ(of(filter).copies, ByteCount());
	EXPECT_EQ(of(filter).writes, (ByteCount{1, frameSize}));
	ASSERT_FALSE(touches.empty());
	EXPECT_TRUE(touches.back().inPlace);
}

TEST_F(CopyLedgerTest, AnyNumberOfMapsOfOneFrameIsItsBytesOnce)
{
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, in, MapAccess::Read);
	filterPushes(in);
	filterReturns();
	EXPECT_EQ(of(filter).reads, (ByteCount{2, frameSize}));
}

/* A decoder reads, but no frame. */
TEST_F(CopyLedgerTest, WhatIsMadeOfNoRawVideoIsDrawn)
{
	ledger.setCaps(sourceOut, "image/jpeg", false);
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, out, MapAccess::Write);
	filterPushes(out);
	EXPECT_EQ(of(filter).copies, ByteCount());
	EXPECT_EQ(of(filter).drawn, (ByteCount{1, frameSize / 2}));
	EXPECT_EQ(of(filter).reads, ByteCount());
}

/* An encoder: what it reads is told, what it makes is no frame. */
TEST_F(CopyLedgerTest, WhatIsNoRawVideoIsNoCopyOfIt)
{
	ledger.setCaps(filterOut, "image/jpeg", false);
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, out, MapAccess::Write);
	filterPushes(out);
	filterReturns();
	EXPECT_EQ(of(filter).copies, ByteCount());
	EXPECT_EQ(of(filter).reads, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(filter).framesOut, 0U);
}

TEST(CopyLedgerOfAll, CountsWhatIsNoVideoAsWell)
{
	CopyLedger ledger(true);
	const ElementId pipeline = ledger.addElement(0, "p", "pipeline", ElementKind::Sink);
	const ElementId source = ledger.addElement(pipeline, "s", "filesrc", ElementKind::Source);
	const ElementId filter = ledger.addElement(pipeline, "f", "queue", ElementKind::Filter);
	const PadId out = ledger.addPad(source, "src"), in = ledger.addPad(filter, "sink");
	ledger.addMemory(address(1), "system memory");
	ledger.pushed(out, Memories{{address(1), 10}}, 1);
	EXPECT_TRUE(ledger.received(in, out, address(2), Memories{{address(1), 10}}, 2));
	ledger.mapped(filter, {address(1), 10}, MapAccess::Read);
	EXPECT_EQ(ledger.report(pipeline)->element(filter)->reads, (ByteCount{1, 10}));
}

/* A sink that copies into memory of the screen: on no link, and yet a copy. */
TEST_F(CopyLedgerTest, MemoryThatIsKeptIsACopyInside)
{
	for (int i = 0; i < 3; i++) {
		sourcePushes();
		ledger.pushed(filterOut, Memories{in}, ++now);
		ledger.received(sinkIn, filterOut, address(102), Memories{in}, ++now);
		ledger.mapped(sink, in, MapAccess::Read);
		ledger.mapped(sink, out, MapAccess::Write);
		ledger.returned(sinkIn, 1, 0, ++now);
		ledger.forgetFrame(address(102));
		filterReturns();
	}
	EXPECT_EQ(of(sink).copies, (ByteCount{3, 3 * frameSize / 2}));
	EXPECT_EQ(of(sink).inside, of(sink).copies);
	EXPECT_EQ(of(sink).writes.count, 3U);
	EXPECT_EQ(linkFrom(filter).copies, ByteCount());
}

/* A driver's queue: the frame is copied into it in one call, and comes out of another pad. */
TEST_F(CopyLedgerTest, MemoryThatIsPushedLaterBelongsToItsLink)
{
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, out, MapAccess::Write);
	filterReturns();
	EXPECT_EQ(of(filter).inside, (ByteCount{1, frameSize / 2}));
	filterPushes(out);
	EXPECT_EQ(of(filter).copies, (ByteCount{1, frameSize / 2}));
	EXPECT_EQ(of(filter).inside, ByteCount());
	EXPECT_EQ(linkFrom(filter).copies, (ByteCount{1, frameSize / 2}));
}

/* gst_buffer_map() of a frame of several memories (_actual_merged_memory() in gstbuffer.c). */
TEST_F(CopyLedgerTest, AMergeIsACopy)
{
	const FrameMemory chroma = {address(3), frameSize / 2};
	ledger.addMemory(chroma.key, "heap video@42000000");
	ledger.pushed(sourceOut, Memories{in, chroma}, ++now);
	ledger.received(filterIn, sourceOut, address(101), Memories{in, chroma}, ++now);

	const FrameMemory merged = {address(4), frameSize * 3 / 2};
	ledger.addMemory(merged.key, "system memory");
	ledger.mapped(filter, merged, MapAccess::Write);
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, chroma, MapAccess::Read);
	ledger.mapped(filter, merged, MapAccess::Read);
	ledger.forgetMemory(merged.key);
	EXPECT_EQ(of(filter).copies, (ByteCount{1, frameSize * 3 / 2}));
	EXPECT_EQ(of(filter).inside, of(filter).copies);
}

TEST_F(CopyLedgerTest, CopiesOfGstreamerAreCountedWhateverBecomesOfThem)
{
	sourcePushes();
	ledger.copied(filter, in, {out.key, frameSize});
	EXPECT_EQ(of(filter).copies, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(filter).inside, (ByteCount{1, frameSize}));
	/* Written on and pushed, it is not another. */
	ledger.mapped(filter, {out.key, frameSize}, MapAccess::ReadWrite);
	filterPushes({out.key, frameSize});
	EXPECT_EQ(of(filter).copies, (ByteCount{1, frameSize}));
	EXPECT_EQ(linkFrom(filter).copies, (ByteCount{1, frameSize}));
}

/* v4l2src with too few buffers: out of a driver's memory that was on no link. */
TEST_F(CopyLedgerTest, ASourceCopiesOutOfMemoryThatNobodySaw)
{
	const FrameMemory driver = {address(5), frameSize};
	ledger.addMemory(driver.key, "V4l2Memory");
	ledger.mapped(source, driver, MapAccess::Read);
	ledger.mapped(source, in, MapAccess::Write);
	sourcePushes();
	EXPECT_EQ(of(source).copies, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(source).reads, (ByteCount{1, frameSize}));
	EXPECT_EQ(linkFrom(source).copies, (ByteCount{1, frameSize}));
}

/* Its address may be given to another memory. */
TEST_F(CopyLedgerTest, TheDeadAreForgotten)
{
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	filterReturns();
	ledger.forgetMemory(in.key);
	EXPECT_FALSE(ledger.knows(in.key));
	ledger.addMemory(in.key, "system memory");
	ledger.mapped(filter, in, MapAccess::Write);
	filterPushes(in); /* made of the frame that was there before */
	EXPECT_EQ(of(filter).copies, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(filter).memories, 1U);
}

/* An application that has the sample of an appsink maps it in a thread of its own. */
TEST_F(CopyLedgerTest, AThreadOfNobodyActsForWhoHoldsTheFrame)
{
	sourcePushes();
	ledger.pushed(filterOut, Memories{in}, ++now);
	ledger.received(sinkIn, filterOut, address(102), Memories{in}, ++now);
	ledger.mapped(0, in, MapAccess::Read);
	EXPECT_EQ(of(sink).reads, (ByteCount{1, frameSize}));

	/* In its pool nobody holds it: a worker fills it for the next to push it. */
	ledger.forgetFrame(address(101));
	ledger.forgetFrame(address(102));
	ledger.mapped(0, in, MapAccess::Write);
	EXPECT_EQ(of(sink).writes, ByteCount());
	sourcePushes();
	EXPECT_EQ(of(source).writes, (ByteCount{1, frameSize}));
	EXPECT_EQ(of(source).drawn, (ByteCount{1, frameSize}));
}

TEST_F(CopyLedgerTest, AFrameIsAsOldAsWhatItWasMadeOf)
{
	now = 5000;
	sourcePushes(); /* at 5001 */
	ledger.mapped(filter, in, MapAccess::Read);
	ledger.mapped(filter, out, MapAccess::Write);
	now = 8000;
	filterPushes(out);
	EXPECT_EQ(born, 5001);
	EXPECT_EQ(of(sink).age.most, 8003 - 5001);
	EXPECT_EQ(of(filter).residence.most, 8001 - 5002);
	filterReturns();
	/* In another round the memories are the same, the frame is not. */
	now = 20000;
	sourcePushes();
	filterPushes(in);
	EXPECT_EQ(born, 20001);
}

TEST_F(CopyLedgerTest, SaysWhoHoldsHowMany)
{
	ledger.addMemory(address(3), "heap video@42000000");
	for (uintptr_t i = 0; i < 3; i++) {
		ledger.pushed(sourceOut, Memories{in}, ++now);
		ledger.received(filterIn, sourceOut, address(200 + i), Memories{in}, ++now);
	}
	EXPECT_EQ(of(filter).heldNow, 3U);
	ledger.received(sinkIn, filterOut, address(200), Memories{in}, ++now);
	EXPECT_EQ(of(filter).heldNow, 2U);
	EXPECT_EQ(of(sink).heldNow, 1U);
	ledger.forgetFrame(address(200));
	ledger.forgetFrame(address(201));
	ledger.forgetFrame(address(201));
	EXPECT_EQ(of(filter).heldNow, 1U);
	EXPECT_EQ(of(filter).heldMost, 3U);
	EXPECT_EQ(of(sink).heldNow, 0U);
}

TEST_F(CopyLedgerTest, CountsTheMemoriesThatAnElementMeets)
{
	ledger.addMemory(address(3), "heap video@42000000");
	for (int i = 0; i < 4; i++) {
		sourcePushes();
		sourcePushes({address(3), frameSize});
	}
	EXPECT_EQ(of(filter).memories, 2U);
	EXPECT_EQ(of(filter).framesIn, 8U);
}

TEST_F(CopyLedgerTest, AReportThatIsTakenClosesTheBooks)
{
	sourcePushes();
	ledger.mapped(filter, in, MapAccess::Read);
	ASSERT_TRUE(ledger.takeReport(pipeline));
	EXPECT_FALSE(ledger.report(pipeline));
	EXPECT_TRUE(ledger.pipelines().empty());
	sourcePushes();
	EXPECT_EQ(of(filter).framesIn, 1U);
	EXPECT_EQ(of(filter).reads, ByteCount());
	EXPECT_EQ(of(filter).name, "filter");
}

TEST_F(CopyLedgerTest, TheReportFollowsTheFlow)
{
	/* Numbered against the flow. */
	const ElementId last = ledger.addElement(pipeline, "a", "x", ElementKind::Sink);
	const ElementId middle = ledger.addElement(pipeline, "b", "x", ElementKind::Filter);
	const ElementId first = ledger.addElement(pipeline, "c", "x", ElementKind::Source);
	const PadId one = ledger.addPad(first, "src"), two = ledger.addPad(middle, "sink");
	const PadId three = ledger.addPad(middle, "src"), four = ledger.addPad(last, "sink");
	for (const PadId pad : {one, three})
		ledger.setCaps(pad, "", true);
	ledger.pushed(one, Memories{in}, 1);
	ledger.received(two, one, address(7), Memories{in}, 2);
	ledger.pushed(three, Memories{in}, 3);
	ledger.received(four, three, address(7), Memories{in}, 4);
	const auto report = ledger.report(pipeline);
	ASSERT_EQ(report->elements.size(), 3U);
	EXPECT_EQ(report->elements[0].name, "c");
	EXPECT_EQ(report->elements[1].name, "b");
	EXPECT_EQ(report->elements[2].name, "a");
}

/* For the thread sanitizer, and for sums that must come out right. */
TEST(CopyLedgerThreads, EveryEventIsCountedOnce)
{
	constexpr int threads = 4, rounds = 2000;
	CopyLedger ledger;
	std::atomic<uint64_t> observed = 0;
	ledger.setObserver([&](const Touch &) { observed++; });
	const ElementId pipeline = ledger.addElement(0, "p", "pipeline", ElementKind::Sink);
	std::vector<ElementId> filters;
	std::vector<std::thread> running;
	for (int t = 0; t < threads; t++)
		filters.push_back(ledger.addElement(pipeline, "f", "x", ElementKind::Filter));
	for (int t = 0; t < threads; t++)
		running.emplace_back([&, t] {
			const ElementId source =
				ledger.addElement(pipeline, "s", "x", ElementKind::Source);
			const PadId out = ledger.addPad(source, "src");
			const PadId in = ledger.addPad(filters[size_t(t)], "sink");
			ledger.setCaps(out, "", true);
			const void *key = address(uintptr_t(1000 + t));
			for (int i = 0; i < rounds; i++) {
				if (!ledger.knows(key))
					ledger.addMemory(key, "system memory");
				ledger.pushed(out, Memories{{key, 8}}, i);
				const auto born =
					ledger.received(in, out, key, Memories{{key, 8}}, i + 1);
				ledger.mapped(filters[size_t(t)], {key, 8}, MapAccess::Read);
				ledger.returned(in, 1, *born, i + 2);
				ledger.forgetFrame(key);
				if (i % 16 == 0)
					ledger.forgetMemory(key);
				if (i % 512 == 0)
					(void)ledger.report(pipeline);
			}
		});
	for (std::thread &thread : running)
		thread.join();
	const auto report = ledger.report(pipeline);
	for (const ElementId filter : filters)
		EXPECT_EQ(report->element(filter)->reads, (ByteCount{rounds, rounds * 8}));
	EXPECT_EQ(observed, uint64_t(threads) * rounds);
}

} /* namespace */
