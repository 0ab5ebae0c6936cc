/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sync files with the kernel's own fences: sw_sync of debugfs signals when it is told. */
#include "board_heaps.h"
#include "sync_timeline.h"

#include "heapflow/heap/fence.h"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>

using namespace heapflow;
using namespace heapflow::test;
using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Fence, WaitsUntilItIsSignalled)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	const Fence fence = timeline.fence(1);
	EXPECT_EQ(fence.status(), FenceStatus::Active);
	const auto early = fence.wait(milliseconds(20));
	ASSERT_FALSE(early);
	EXPECT_EQ(early.error().code, ETIMEDOUT);

	std::thread device([&timeline] {
		std::this_thread::sleep_for(milliseconds(30));
		timeline.increase();
	});
	EXPECT_TRUE(fence.wait(std::chrono::seconds(20)));
	device.join();
	EXPECT_EQ(fence.status(), FenceStatus::Signalled);
	EXPECT_TRUE(fence.wait(milliseconds(0))) << "done is done";
}

TEST(Fence, MergedOnesAreSignalledWhenAllAre)
{
	const SyncTimeline one;
	const SyncTimeline other;
	ASSERT_TRUE(one.works() && other.works());
	const auto both = Fence::merge(one.fence(1), other.fence(1), "both");
	ASSERT_TRUE(both) << both.error().text();
	one.increase();
	EXPECT_EQ(both->status(), FenceStatus::Active);
	const auto info = both->info();
	ASSERT_TRUE(info);
	EXPECT_EQ(info->points.size(), 2u);
	/* A fence that is signalled lets go of its driver, and of its name. */
	EXPECT_THAT(describe(*info), HasSubstr("sw_sync"));
	other.increase();
	EXPECT_EQ(both->status(), FenceStatus::Signalled);
}

TEST(Fence, OneThatFailedKeepsItsErrno)
{
	SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	const Fence fence = timeline.fence(1);
	/* sw_sync_debugfs_release() ends what is left with ENOENT. */
	timeline.end();
	EXPECT_EQ(fence.status(), FenceStatus::Failed);
	const auto waited = fence.wait(milliseconds(100));
	ASSERT_FALSE(waited);
	EXPECT_EQ(waited.error().code, ENOENT);
}

TEST(Fence, ABufferCarriesWhatWasPutOnIt)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	const auto buffer = openHeap("video@42000000").allocate(kMiB);
	ASSERT_TRUE(buffer);
	const auto nobody = Fence::exportFrom(buffer->fd(), Access::ReadWrite);
	ASSERT_TRUE(nobody) << nobody.error().text();
	EXPECT_EQ(nobody->status(), FenceStatus::Signalled);

	const Fence writer = timeline.fence(1);
	ASSERT_TRUE(writer.importInto(buffer->fd(), Access::Write));
	const auto before = Fence::exportFrom(buffer->fd(), Access::Read);
	ASSERT_TRUE(before);
	EXPECT_EQ(before->status(), FenceStatus::Active);
	timeline.increase();
	EXPECT_EQ(before->status(), FenceStatus::Signalled);
}

TEST(Fence, AReaderStopsWritersOnly)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	const auto buffer = openHeap("system").allocate(kMiB);
	ASSERT_TRUE(timeline.fence(1).importInto(buffer->fd(), Access::Read));
	EXPECT_EQ(Fence::exportFrom(buffer->fd(), Access::Read)->status(), FenceStatus::Signalled);
	EXPECT_EQ(Fence::exportFrom(buffer->fd(), Access::Write)->status(), FenceStatus::Active);
	timeline.increase();
	EXPECT_EQ(Fence::exportFrom(buffer->fd(), Access::Write)->status(), FenceStatus::Signalled);
}

TEST(Fence, WhatIsNoneIsSaid)
{
	const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(Fence::exportFrom(null.get(), Access::Read).error().code, ENOTTY);
	EXPECT_EQ(Fence::exportFrom(-1, Access::Read).error().code, EBADF);
	EXPECT_FALSE(Fence(UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC))).info());
}
