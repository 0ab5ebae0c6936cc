/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No buffer is handed out while a device works on it, and nobody waits longer than that. */
#include "library_fixture.h"
#include "sync_timeline.h"

#include <gst/allocators/allocators.h>

#include <chrono>
#include <ctime>
#include <thread>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/* A device works on a memory of the buffer until the timeline reaches `value`. */
void keepBusy(GstBuffer *buffer, const SyncTimeline &timeline, uint32_t value, guint memory = 0,
	      Access access = Access::Read)
{
	const int fd = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, memory));
	const auto imported = timeline.fence(value).importInto(fd, access);
	ASSERT_TRUE(imported) << imported.error().text();
}

GstBuffer *takeWaiting(const PoolPointer &pool, GstFlowReturn expected = GST_FLOW_OK)
{
	GstBuffer *buffer = nullptr;
	EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), expected);
	return buffer;
}

std::chrono::nanoseconds processorTime()
{
	timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class LibraryFences : public testing::TestWithParam<Access>
{
};

TEST_P(LibraryFences, ABufferThatADeviceReadsOrWritesWaits)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	const PoolPointer pool = activePool("video@*", 2, 2);
	ASSERT_TRUE(pool);
	GstBuffer *busy = takeNow(pool);
	keepBusy(busy, timeline, 1, 0, GetParam());
	gst_buffer_unref(busy);
	EXPECT_EQ(statOf(pool, "fenced"), 1U);

	/* The other one, again and again. */
	for (int i = 0; i < 5; i++) {
		GstBuffer *other = takeWaiting(pool);
		EXPECT_NE(other, busy);
		gst_buffer_unref(other);
	}
	GstBuffer *other = takeNow(pool);
	ASSERT_TRUE(other);
	EXPECT_EQ(takeNow(pool), nullptr) << "a device works on it";

	timeline.increase();
	GstBuffer *again = takeNow(pool);
	EXPECT_EQ(again, busy);
	gst_buffer_unref(again);
	gst_buffer_unref(other);
	EXPECT_EQ(statOf(pool, "fenced"), 0U);
	EXPECT_EQ(statOf(pool, "fence-waits"), 0U);
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
}

INSTANTIATE_TEST_SUITE_P(Access, LibraryFences, testing::Values(Access::Read, Access::Write),
			 [](const auto &test) {
				 return test.param == Access::Read ? "Read" : "Write";
			 });

TEST(LibraryFence, IsWaitedForWhenNothingElseIsFree)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("video@*", 1, 1);
	ASSERT_TRUE(pool);
	GstBuffer *buffer = takeNow(pool);
	keepBusy(buffer, timeline, 1);
	gst_buffer_unref(buffer);

	const auto begin = Clock::now();
	std::jthread device([&] {
		std::this_thread::sleep_for(100ms);
		timeline.increase();
	});
	GstBuffer *again = takeWaiting(pool);
	const auto waited = Clock::now() - begin;
	EXPECT_EQ(again, buffer);
	EXPECT_GE(waited, 99ms);
	EXPECT_LT(waited, 1s);
	EXPECT_EQ(statOf(pool, "fence-waits"), 1U);
	gst_buffer_unref(again);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

/* The wait is no spinning: also when one plane is free and the other is not. */
TEST(LibraryFence, OfOnePlaneHoldsTheFrameWithoutSpinning)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("video@*", 1, 1, "NV12", 640, 360,
					    GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE);
	ASSERT_TRUE(pool);
	GstBuffer *buffer = takeNow(pool);
	keepBusy(buffer, timeline, 1, 1);
	gst_buffer_unref(buffer);
	EXPECT_EQ(takeNow(pool), nullptr);

	std::jthread device([&] {
		std::this_thread::sleep_for(300ms);
		timeline.increase();
	});
	const auto before = processorTime();
	GstBuffer *again = takeWaiting(pool);
	EXPECT_EQ(again, buffer);
	EXPECT_LT(processorTime() - before, 100ms);
	gst_buffer_unref(again);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

/* Whichever comes first: here another buffer comes home while the fence stays. */
TEST(LibraryFence, IsNotWaitedForWhenABufferComesBack)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("video@*", 2, 2);
	ASSERT_TRUE(pool);
	GstBuffer *busy = takeNow(pool);
	GstBuffer *held = takeNow(pool);
	keepBusy(busy, timeline, 1);
	gst_buffer_unref(busy);

	std::jthread holder([&] {
		std::this_thread::sleep_for(50ms);
		gst_buffer_unref(held);
	});
	const auto begin = Clock::now();
	GstBuffer *got = takeWaiting(pool);
	EXPECT_EQ(got, held);
	/* Not only when the starvation is reported, after a second. */
	EXPECT_LT(Clock::now() - begin, 500ms);
	gst_buffer_unref(got);
	holder.join();

	/* The pool ends with a buffer that a device still works on. */
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
	timeline.increase();
}

TEST(LibraryFence, DoesNotHoldUpAFlush)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("video@*", 1, 1);
	ASSERT_TRUE(pool);
	GstBuffer *buffer = takeNow(pool);
	keepBusy(buffer, timeline, 1);
	gst_buffer_unref(buffer);

	std::jthread flusher([&] {
		std::this_thread::sleep_for(50ms);
		gst_buffer_pool_set_flushing(pool.get(), TRUE);
	});
	const auto begin = Clock::now();
	EXPECT_EQ(takeWaiting(pool, GST_FLOW_FLUSHING), nullptr);
	EXPECT_LT(Clock::now() - begin, 500ms);
	flusher.join();
	gst_buffer_pool_set_flushing(pool.get(), FALSE);
	timeline.increase();
	GstBuffer *again = takeWaiting(pool);
	EXPECT_EQ(again, buffer);
	gst_buffer_unref(again);
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
}

/* Four threads, two buffers, a device that works on each for a while: everybody gets on, and no
 * buffer is ever seen with work on it. */
TEST(LibraryFence, IsRespectedByManyThreads)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("video@*", 2, 2);
	ASSERT_TRUE(pool);
	std::atomic<uint32_t> wanted = 0;
	std::atomic<bool> over = false;
	std::atomic<unsigned> taken = 0, busy = 0;
	std::jthread device([&] {
		uint32_t reached = 0;
		while (!over || reached < wanted) {
			std::this_thread::sleep_for(1ms);
			if (const uint32_t next = wanted; next > reached) {
				timeline.increase(next - reached);
				reached = next;
			}
		}
	});
	{
		std::vector<std::jthread> threads;
		for (int t = 0; t < 4; t++)
			threads.emplace_back([&] {
				for (int i = 0; i < 50; i++) {
					GstBuffer *buffer = takeWaiting(pool);
					const int fd = gst_dmabuf_memory_get_fd(
						gst_buffer_peek_memory(buffer, 0));
					auto fence = Fence::exportFrom(fd, Access::Write);
					if (!fence || *fence->status() != FenceStatus::Signalled)
						busy++;
					const auto work = timeline.fence(++wanted);
					if (!work.importInto(fd, Access::Write))
						busy++;
					taken++;
					gst_buffer_unref(buffer);
				}
			});
	}
	over = true;
	device.join();
	EXPECT_EQ(taken, 200U);
	EXPECT_EQ(busy, 0U);
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
}

/* A region that is full is no error while a buffer is about to be free. */
TEST(LibraryFence, IsWaitedForWhenTheRegionIsFull)
{
	const SyncTimeline timeline;
	const PoolPointer pool = activePool("memory@48000000-contiguous", 1, 0, "NV12", 1920, 1080);
	ASSERT_TRUE(pool);
	std::vector<GstMemory *> rest;
	GstAllocator *allocator = gst_heap_allocator_get("memory@48000000-contiguous", nullptr);
	while (GstMemory *memory = gst_heap_allocator_alloc(GST_HEAP_ALLOCATOR(allocator), 1 << 20,
							    nullptr, nullptr))
		rest.push_back(memory);
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	keepBusy(buffer, timeline, 1);
	gst_buffer_unref(buffer);

	std::jthread device([&] {
		std::this_thread::sleep_for(50ms);
		timeline.increase();
	});
	GstBuffer *again = takeWaiting(pool);
	EXPECT_EQ(again, buffer);
	gst_clear_buffer(&again);
	for (GstMemory *memory : rest)
		gst_memory_unref(memory);
	gst_object_unref(allocator);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

} /* namespace */
