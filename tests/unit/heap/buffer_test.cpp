/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sync brackets against a scripted kernel; the real one is in tests/board/heap. */
#include "scripted_ioctl.h"

#include "heapflow/heap/buffer.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::ScriptedIoctl;

namespace
{

constexpr uint64_t kSize = 8192;

/* Memory that maps like a dma-buf. */
UniqueFd makeMemory()
{
	UniqueFd fd(memfd_create("buffer-test", MFD_CLOEXEC));
	if (!fd.valid() || ftruncate(fd.get(), kSize) != 0)
		return {};
	return fd;
}

} /* namespace */

TEST(SyncBracket, RestartsOnEintrAndEagain)
{
	ScriptedIoctl kernel({EINTR, EAGAIN, EINTR, 0, EAGAIN, EINTR, 0});
	EXPECT_TRUE(syncBegin(7, Access::Read));
	EXPECT_EQ(kernel.calls().size(), 4u);
	EXPECT_TRUE(syncEnd(7, Access::Read));
	EXPECT_EQ(kernel.calls().size(), 7u);
}

TEST(SyncBracket, KeepsTheErrnoOfARealError)
{
	ScriptedIoctl kernel({EINTR, EINVAL});
	const auto result = syncBegin(7, Access::Write);
	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, EINVAL);
	EXPECT_EQ(kernel.calls().size(), 2u);
}

TEST(SyncBracket, DirectionIsTheSameAtBothEnds)
{
	const std::pair<Access, uint64_t> directions[] = {{Access::Read, DMA_BUF_SYNC_READ},
							  {Access::Write, DMA_BUF_SYNC_WRITE},
							  {Access::ReadWrite, DMA_BUF_SYNC_RW}};
	for (const auto &[access, flags] : directions) {
		const UniqueFd memory = makeMemory();
		ASSERT_TRUE(memory.valid());
		ScriptedIoctl kernel({});
		{
			const auto mapping = Mapping::create(memory.get(), kSize, access);
			ASSERT_TRUE(mapping) << mapping.error().text();
			ASSERT_EQ(kernel.calls().size(), 1u);
			EXPECT_EQ(kernel.calls()[0].argument, flags | DMA_BUF_SYNC_START);
		}
		ASSERT_EQ(kernel.calls().size(), 2u);
		EXPECT_EQ(kernel.calls()[1].argument, flags | DMA_BUF_SYNC_END);
	}
}

TEST(Mapping, MovedFromEndsNothing)
{
	const UniqueFd memory = makeMemory();
	ScriptedIoctl kernel({});
	{
		auto first = Mapping::create(memory.get(), kSize, Access::ReadWrite);
		ASSERT_TRUE(first);
		first->bytes()[0] = std::byte{42};
		Mapping second = std::move(*first);
		EXPECT_EQ(first->bytes().size(), 0u);
		EXPECT_EQ(second.bytes()[0], std::byte{42});
	}
	EXPECT_EQ(kernel.calls().size(), 2u);
}

TEST(Mapping, AssignmentEndsTheBracketItReplaces)
{
	const UniqueFd memory = makeMemory();
	ScriptedIoctl kernel({});
	{
		auto first = Mapping::create(memory.get(), kSize, Access::Read);
		auto second = Mapping::create(memory.get(), kSize, Access::Write);
		ASSERT_TRUE(first && second);
		*first = std::move(*second);
		ASSERT_EQ(kernel.calls().size(), 3u);
		EXPECT_EQ(kernel.calls()[2].argument, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END);
	}
	EXPECT_EQ(kernel.calls().size(), 4u);
}

TEST(Mapping, EndsItsBracketOnTheSameBufferAfterTheBufferIsGone)
{
	UniqueFd memory = makeMemory();
	ScriptedIoctl kernel({});
	std::optional<Mapping> mapping;
	{
		auto made = Mapping::create(memory.get(), kSize, Access::Read);
		ASSERT_TRUE(made);
		mapping.emplace(std::move(*made));
	}
	/* The number of the closed descriptor is taken by another file at once. */
	const int number = memory.get();
	memory.reset();
	const UniqueFd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
	ASSERT_EQ(other.get(), number);
	mapping.reset();
	ASSERT_EQ(kernel.calls().size(), 2u);
	EXPECT_NE(kernel.calls()[1].fd, number);
	EXPECT_EQ(kernel.calls()[1].fd, kernel.calls()[0].fd);
}

TEST(Mapping, AFailedBeginHasNoEnd)
{
	const UniqueFd memory = makeMemory();
	ScriptedIoctl kernel({ENOTTY});
	const auto mapping = Mapping::create(memory.get(), kSize, Access::Read);
	ASSERT_FALSE(mapping);
	EXPECT_EQ(mapping.error().code, ENOTTY);
	EXPECT_EQ(kernel.calls().size(), 1u);
}

TEST(Mapping, RefusesWhatCannotBeMapped)
{
	const UniqueFd memory = makeMemory();
	EXPECT_EQ(Mapping::create(memory.get(), 0, Access::Read).error().code, EINVAL);
	EXPECT_EQ(Mapping::create(memory.get(), UINT64_MAX, Access::Read).error().code, EINVAL);
	EXPECT_EQ(Mapping::create(-1, kSize, Access::Read).error().code, EBADF);
	/* A file that is no dma-buf has no bracket. */
	EXPECT_EQ(Mapping::create(memory.get(), kSize, Access::Read).error().code, ENOTTY);
}

TEST(Buffer, ProtectedBufferIsNeverMapped)
{
	ScriptedIoctl kernel({});
	const Buffer buffer(makeMemory(), kSize, "protected,secure-video");
	const auto mapping = buffer.map(Access::Read);
	ASSERT_FALSE(mapping);
	EXPECT_EQ(mapping.error().code, EACCES);
	EXPECT_TRUE(kernel.calls().empty());

	const Buffer open(makeMemory(), kSize, "video@42000000");
	EXPECT_TRUE(open.map(Access::Read));
}

TEST(Buffer, SizeOfAFileThatHasNone)
{
	int ends[2];
	ASSERT_EQ(pipe(ends), 0);
	const UniqueFd in(ends[0]);
	const UniqueFd out(ends[1]);
	EXPECT_EQ(bufferSize(in.get()).error().code, ESPIPE);
	EXPECT_EQ(bufferSize(-1).error().code, EBADF);
}
