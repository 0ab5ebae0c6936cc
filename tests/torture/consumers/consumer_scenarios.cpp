/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consumer_scenarios.h"

#include "keeping_consumer.h"
#include "kernel_memory.h"

#include <algorithm>
#include <format>
#include <mutex>
#include <thread>

namespace heapflow::torture
{

using namespace std::chrono_literals;

/* consumer_pools.cpp */
ConsumerOutcome libraryDoesNotQueue(RandomDraw &random);
ConsumerOutcome poolGoesBeforeItsFrames(RandomDraw &random);

namespace
{

constexpr double boundedEnd = 2; /* seconds */
constexpr const char *heaps[] = {"video@42000000", "system", "memory@48000000-contiguous"};

const char *drawHeap(RandomDraw &random)
{
	return heaps[random.below(std::ssize(heaps))];
}

unsigned drawBuffers(RandomDraw &random)
{
	return 4 + unsigned(random.below(5));
}

ConsumerOutcome broken(std::string text)
{
	return {"", std::move(text)};
}

/* dma-bufs that are there now and were not before. */
uint64_t heldSince(const KernelMemory &before)
{
	return KernelMemory::now().dmabufs - before.dmabufs;
}

/* As if by somebody who gives frames back when it pleases him. */
void giveBackInAnyOrder(std::vector<KeptFrame> &frames, RandomDraw &random)
{
	while (!frames.empty())
		frames.erase(frames.begin() + random.below(std::ssize(frames)));
}

std::string endInTime(KeepingConsumer &consumer)
{
	const double seconds = consumer.end();
	return seconds < boundedEnd ? "" : std::format("took {} s to stop", seconds);
}

ConsumerOutcome keepsSome(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned buffers = drawBuffers(random);
	const unsigned keeps = 1 + unsigned(random.below(buffers - 3));
	KeepingConsumer consumer(drawHeap(random), buffers);
	std::vector<KeptFrame> kept;
	while (kept.size() < keeps)
		if (auto frame = consumer.pull())
			kept.push_back(*frame);
		else
			return broken("no frames: " + consumer.pipeline().errorText());
	if (const unsigned came = consumer.flow(60); came != 60)
		return broken(
			std::format("keeps {} of {}: {} of 60 frames came", keeps, buffers, came));
	if (const uint64_t held = heldSince(before); held != buffers)
		return broken(std::format("{} buffers became {}", buffers, held));
	if (consumer.starved())
		return broken("starvation is told of while frames come");
	return {"frames go on", endInTime(consumer)};
}

ConsumerOutcome keepsAll(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned buffers = drawBuffers(random);
	KeepingConsumer consumer(drawHeap(random), buffers);
	std::vector<KeptFrame> kept;
	while (auto frame = consumer.pull())
		kept.push_back(*frame);
	if (kept.size() != buffers || heldSince(before) != buffers)
		return broken(std::format("of {} buffers {} came, and {} dma-bufs are there",
					  buffers, kept.size(), heldSince(before)));
	const std::string said = consumer.warnings();
	if (!consumer.starved() ||
	    !said.contains(std::format("of {0}, {0} are held downstream", buffers)))
		return broken("is not told who has how many: " + said);
	/* Longer than a silent camera is given. */
	std::this_thread::sleep_for(std::chrono::seconds(1 + random.below(10)));
	giveBackInAnyOrder(kept, random);
	if (const unsigned came = consumer.flow(30); came != 30)
		return broken(std::format("{} of 30 frames came after all came back: {}", came,
					  consumer.pipeline().errorText()));
	if (const uint64_t held = heldSince(before); held != buffers)
		return broken(std::format("{} buffers became {}", buffers, held));
	return {"told who has how many; frames go on when they come back", endInTime(consumer)};
}

ConsumerOutcome keepsAllForEver(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned buffers = drawBuffers(random);
	KeepingConsumer consumer(drawHeap(random), buffers);
	std::vector<KeptFrame> kept;
	while (auto frame = consumer.pull())
		kept.push_back(*frame);
	std::vector<uint32_t> sums;
	for (const KeptFrame &frame : kept)
		sums.push_back(frame.checksum());
	if (std::string late = endInTime(consumer); !late.empty())
		return broken(late);
	if (const uint64_t held = heldSince(before); held != kept.size())
		return broken(std::format("{} frames are kept, and {} dma-bufs are there",
					  kept.size(), held));
	/* Nothing that comes later writes into them. */
	KeepingConsumer next("system", 4);
	if (next.flow(20) != 20)
		return broken("no frames for the next one: " + next.pipeline().errorText());
	if (std::string late = endInTime(next); !late.empty())
		return broken(late);
	for (size_t i = 0; i < kept.size(); i++)
		if (kept[i].checksum() != sums[i])
			return broken("a frame that is kept was written to");
	giveBackInAnyOrder(kept, random);
	return {"stops at once; frames stay what they were", ""};
}

ConsumerOutcome returnsInAnyOrder(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned buffers = 5 + unsigned(random.below(4));
	const size_t window = 1 + size_t(random.below(buffers - 3));
	KeepingConsumer consumer(drawHeap(random), buffers);
	std::vector<KeptFrame> kept;
	std::optional<uint64_t> last;
	for (unsigned i = 0; i < 300; i++) {
		const auto frame = consumer.pull();
		if (!frame)
			return broken(std::format("frame {} did not come", i));
		if (last && frame->number() != *last + 1)
			return broken(std::format("{} frames are lost with {} of {} kept",
						  frame->number() - *last - 1, window, buffers));
		last = frame->number();
		kept.push_back(*frame);
		while (kept.size() > window)
			kept.erase(kept.begin() + random.below(std::ssize(kept)));
	}
	if (const uint64_t held = heldSince(before); held != buffers)
		return broken(std::format("{} buffers became {}", buffers, held));
	return {"no frame is lost", endInTime(consumer)};
}

/* What it takes no part in is dropped by the camera, and marked. */
ConsumerOutcome isSlow(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned buffers = drawBuffers(random);
	const auto work = 40ms + std::chrono::milliseconds(random.below(300));
	KeepingConsumer consumer(drawHeap(random), buffers);
	std::optional<uint64_t> last;
	for (unsigned i = 0; i < 30; i++) {
		const auto frame = consumer.pull();
		if (!frame)
			return broken(std::format("frame {} did not come", i));
		if (last && frame->number() <= *last)
			return broken("frames come twice");
		if (last && frame->number() != *last + 1 && !frame->discontinuous())
			return broken("lost frames are not marked");
		last = frame->number();
		std::this_thread::sleep_for(work);
	}
	if (const uint64_t held = heldSince(before); held != buffers)
		return broken(std::format("{} buffers became {}", buffers, held));
	return {"each frame that it has time for, gaps marked", endInTime(consumer)};
}

/* A branch that nobody takes frames from. With a leaky queue the others do not notice. */
ConsumerOutcome hasAStuckBranch(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const bool newest = random.oneIn(2);
	const unsigned waiting = 1 + unsigned(random.below(2));
	KeepingConsumer consumer(
		drawHeap(random), 8, "! tee name=tee ! queue max-size-buffers=2",
		std::format("tee. ! queue leaky={} max-size-buffers={} ! appsink name=stuck "
			    "sync=false max-buffers=1 enable-last-sample=false async=false",
			    newest ? "upstream" : "downstream", waiting));
	if (const unsigned came = consumer.flow(120); came != 120)
		return broken(std::format("{} of 120 frames came", came));
	if (const uint64_t held = heldSince(before); held != 8)
		return broken(std::format("8 buffers became {}", held));
	return {"the other branch goes on", endInTime(consumer)};
}

ConsumerOutcome blocksTheTee(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned waiting = 1 + unsigned(random.below(3));
	KeepingConsumer consumer(
		drawHeap(random), 6, "! tee name=tee ! queue max-size-buffers=2",
		std::format("tee. ! queue max-size-buffers={} ! appsink name=stuck sync=false "
			    "max-buffers=1 enable-last-sample=false async=false",
			    waiting));
	const unsigned came = consumer.flow(120);
	if (came == 0 || came == 120)
		return broken(std::format("{} frames came although a branch is stuck", came));
	if (const uint64_t held = heldSince(before); held != 6)
		return broken(std::format("6 buffers became {}", held));
	g_object_set(consumer.pipeline().element("stuck"), "drop", TRUE, nullptr);
	/* It is unstuck by one that is taken; the next ones push each other out. */
	consumer.pullFrom("stuck");
	if (const unsigned then = consumer.flow(30); then != 30)
		return broken(std::format("{} of 30 frames came when it was unstuck", then));
	return {"frames go on when it takes some", endInTime(consumer)};
}

/* An element before the screen that has references to frames, some for ever, then all. */
class KeeperBeforeScreen
{
public:
	explicit KeeperBeforeScreen(const char *heap)
		: pipeline_(std::format("heapcamerasrc name=source camera-name=vivid heap={} "
					"buffers=8 ! video/x-raw,width=320,height=180,framerate="
					"60/1 ! heapkmssink name=sink sync=false driver-name=vkms",
					heap))
	{
		pipeline_.onBuffer([this](GstBuffer *buffer, unsigned) {
			const std::scoped_lock lock(mutex_);
			if (kept_.size() < limit_)
				kept_.emplace_back(gst_buffer_ref(buffer));
		});
	}

	void keep(size_t limit)
	{
		const std::scoped_lock lock(mutex_);
		limit_ = limit;
		if (kept_.size() > limit)
			kept_.erase(kept_.begin() + std::ptrdiff_t(limit), kept_.end());
	}
	bool showsMore(unsigned frames)
	{
		return pipeline_.waitShown(uint64_t(pipeline_.stat("shown")) + frames);
	}
	test::Pipeline &pipeline() { return pipeline_; }

private:
	std::mutex mutex_;
	size_t limit_ = 0;
	std::vector<KeptFrame> kept_; /* goes after the pipeline */
	test::Pipeline pipeline_;
};

ConsumerOutcome keepsBeforeTheScreen(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	KeeperBeforeScreen keeper(drawHeap(random));
	test::Pipeline &pipeline = keeper.pipeline();
	const size_t some = 1 + size_t(random.below(3));
	keeper.keep(some);
	pipeline.setState(GST_STATE_PLAYING);
	if (!keeper.showsMore(60))
		return broken(
			std::format("not shown with {} of 8 kept: {}", some, pipeline.errorText()));
	keeper.keep(8);
	std::this_thread::sleep_for(std::chrono::seconds(3));
	pipeline.readMessages();
	if (pipeline.elementMessages("heapflow-starved").empty())
		return broken("is not told that all frames are kept");
	if (const uint64_t held = heldSince(before); held != 8)
		return broken(std::format("8 buffers became {}", held));
	keeper.keep(some);
	if (!keeper.showsMore(30))
		return broken("not shown when they came back: " + pipeline.errorText());
	return {"told when all are kept; shown again when they come back", ""};
}

} /* namespace */

const std::vector<ConsumerScenario> &consumerScenarios()
{
	static const std::vector<ConsumerScenario> scenarios = {
		{"consumer keeps some frames for ever", keepsSome},
		{"consumer keeps all frames for a while", keepsAll},
		{"consumer keeps all frames beyond the pipeline's end", keepsAllForEver},
		{"consumer returns frames in any order", returnsInAnyOrder},
		{"consumer is slow", isSlow},
		{"a branch is stuck behind a leaky queue", hasAStuckBranch},
		{"a branch is stuck and blocks the tee", blocksTheTee},
		{"an element before the screen keeps frames", keepsBeforeTheScreen},
		{"application does not queue its frames again", libraryDoesNotQueue},
		{"frames outlive their pool and allocator", poolGoesBeforeItsFrames},
	};
	return scenarios;
}

} /* namespace heapflow::torture */
