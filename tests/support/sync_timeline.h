/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fences that signal when a test says so: sw_sync of debugfs. */
#pragma once

#include "heapflow/heap/fence.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

namespace heapflow::test
{

/* drivers/dma-buf/sw_sync.c; there is no header for user space. */
struct CreateSyncFence {
	uint32_t value;
	char name[32];
	int32_t fence;
};
inline constexpr unsigned long kCreateSyncFence = _IOWR('W', 0, CreateSyncFence);
inline constexpr unsigned long kIncreaseTimeline = _IOW('W', 1, uint32_t);

/* A timeline that moves when it is told; closing it ends its fences with an error. */
class SyncTimeline
{
public:
	SyncTimeline() : fd_(open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC)) {}

	bool works() const { return fd_.valid(); }

	Fence fence(uint32_t value) const
	{
		CreateSyncFence request{value, "test", -1};
		EXPECT_EQ(ioctl(fd_.get(), kCreateSyncFence, &request), 0);
		return Fence(UniqueFd(request.fence));
	}
	void increase(uint32_t by = 1) const
	{
		EXPECT_EQ(ioctl(fd_.get(), kIncreaseTimeline, &by), 0);
	}
	void end() { fd_.reset(); }

private:
	UniqueFd fd_;
};

} /* namespace heapflow::test */
