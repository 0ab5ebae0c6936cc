/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of every heap of the board. */
#include "board_heaps.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

class EveryHeap : public testing::TestWithParam<const char *>
{
protected:
	Buffer allocate(uint64_t size, std::string_view name = {})
	{
		auto buffer = device_.allocate(size, name);
		if (!buffer) {
			ADD_FAILURE() << buffer.error().text();
			return Buffer({}, 0, {});
		}
		return std::move(*buffer);
	}

	const HeapDevice device_ = openHeap(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Board, EveryHeap, testing::ValuesIn(kBoardHeaps), parameterName);

std::string fdinfo(int fd)
{
	std::ostringstream text;
	text << std::ifstream("/proc/self/fdinfo/" + std::to_string(fd)).rdbuf();
	return text.str();
}

size_t openDescriptors()
{
	const std::filesystem::directory_iterator all("/proc/self/fd");
	return static_cast<size_t>(std::distance(begin(all), end(all)));
}

/* A dma-buf that the CPU may only read; heapflow itself asks for no such buffers. */
UniqueFd allocateReadOnly(const Heap &heap, uint64_t size)
{
	const UniqueFd node(open(heap.node.c_str(), O_RDONLY | O_CLOEXEC));
	dma_heap_allocation_data request{};
	request.len = size;
	request.fd_flags = O_RDONLY | O_CLOEXEC;
	if (ioctl(node.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0)
		return {};
	return UniqueFd(static_cast<int>(request.fd));
}

} /* namespace */

TEST(Board, HasThePromisedHeaps)
{
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps) << heaps.error().text();
	std::vector<std::string> names;
	for (const Heap &heap : *heaps)
		names.push_back(heap.name.text);
	EXPECT_THAT(names, testing::ElementsAreArray(kBoardHeaps));
}

TEST_P(EveryHeap, TrueSizeIsWholePages)
{
	for (const uint64_t size :
	     {uint64_t{1}, uint64_t{4096}, uint64_t{4097}, uint64_t{1382400}, uint64_t{3110400}}) {
		const Buffer buffer = allocate(size);
		EXPECT_EQ(buffer.size(), inPages(size));
		EXPECT_EQ(bufferSize(buffer.fd()), inPages(size));
		EXPECT_EQ(buffer.heap(), GetParam());
		EXPECT_EQ(fcntl(buffer.fd(), F_GETFD), FD_CLOEXEC);
	}
}

TEST_P(EveryHeap, ZeroedAlsoAfterOthersHadTheMemory)
{
	for (int round = 0; round < 3; round++) {
		const Buffer buffer = allocate(1382400);
		const auto mapping = buffer.map(Access::ReadWrite);
		ASSERT_TRUE(mapping) << mapping.error().text();
		const auto bytes = mapping->bytes();
		EXPECT_EQ(bytes.size(), buffer.size());
		EXPECT_TRUE(std::ranges::all_of(
			bytes, [](std::byte byte) { return byte == std::byte{}; }));
		std::ranges::fill(bytes, std::byte{0xa5});
	}
}

TEST_P(EveryHeap, NameAndHeapStandInFdinfo)
{
	const Buffer buffer = allocate(8192, "camera frame 1");
	EXPECT_THAT(fdinfo(buffer.fd()), HasSubstr("name:\tcamera frame 1\n"));
	EXPECT_THAT(fdinfo(buffer.fd()), HasSubstr(std::string("exp_name:\t") + GetParam() + "\n"));
	EXPECT_THAT(fdinfo(buffer.fd()), HasSubstr("size:\t8192\n"));
}

TEST_P(EveryHeap, ALongNameIsCutAndDoesNotFailTheAllocation)
{
	const Buffer buffer = allocate(4096, "0123456789abcdef0123456789abcdefXYZ");
	EXPECT_THAT(fdinfo(buffer.fd()), HasSubstr("name:\t0123456789abcdef0123456789abcde\n"));
	/* The 31st byte would be the first half of a character of two. */
	const Buffer other = allocate(4096, "0123456789abcdef0123456789abcd\xc3\xa4");
	EXPECT_THAT(fdinfo(other.fd()), HasSubstr("name:\t0123456789abcdef0123456789abcd\n"));
}

TEST_P(EveryHeap, WhatOneMappingWritesAnotherReads)
{
	const Buffer buffer = allocate(65536);
	{
		const auto writing = buffer.map(Access::Write);
		ASSERT_TRUE(writing);
		for (size_t i = 0; i < writing->bytes().size(); i++)
			writing->bytes()[i] = static_cast<std::byte>(i * 7);
	}
	const auto reading = buffer.map(Access::Read);
	ASSERT_TRUE(reading);
	for (size_t i = 0; i < reading->bytes().size(); i++)
		ASSERT_EQ(reading->bytes()[i], static_cast<std::byte>(i * 7));
}

TEST_P(EveryHeap, BracketsInEveryDirection)
{
	const Buffer buffer = allocate(4096);
	for (const Access access : {Access::Read, Access::Write, Access::ReadWrite}) {
		EXPECT_TRUE(syncBegin(buffer.fd(), access));
		EXPECT_TRUE(syncEnd(buffer.fd(), access));
		EXPECT_TRUE(buffer.map(access));
	}
}

TEST_P(EveryHeap, AMappingOutlivesItsBuffer)
{
	std::optional<Buffer> buffer(allocate(4096));
	auto mapping = buffer->map(Access::ReadWrite);
	ASSERT_TRUE(mapping);
	buffer.reset();
	mapping->bytes()[4095] = std::byte{1};
	EXPECT_EQ(mapping->bytes()[4095], std::byte{1});
}

TEST_P(EveryHeap, AReadOnlyBufferCannotBeMappedForWriting)
{
	const UniqueFd fd = allocateReadOnly(device_.heap(), 4096);
	ASSERT_TRUE(fd.valid());
	EXPECT_TRUE(Mapping::create(fd.get(), 4096, Access::Read));
	for (const Access access : {Access::Write, Access::ReadWrite}) {
		const auto mapping = Mapping::create(fd.get(), 4096, access);
		ASSERT_FALSE(mapping);
		EXPECT_EQ(mapping.error().code, EACCES);
	}
}

TEST_P(EveryHeap, MappingPastTheEndIsEinval)
{
	const Buffer buffer = allocate(4096);
	const auto mapping = Mapping::create(buffer.fd(), 8192, Access::Read);
	ASSERT_FALSE(mapping);
	EXPECT_EQ(mapping.error().code, EINVAL);
}

TEST_P(EveryHeap, SizeZeroIsEinval)
{
	const auto buffer = device_.allocate(0);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, EINVAL);
}

TEST_P(EveryHeap, AllocatesFromSeveralThreadsAtOnce)
{
	std::array<int, 4> done{};
	{
		std::vector<std::jthread> threads;
		for (int &count : done) {
			threads.emplace_back([&, this] {
				for (int i = 0; i < 20; i++)
					count += device_.allocate(65536, "thread").has_value();
			});
		}
	}
	for (const int count : done)
		EXPECT_EQ(count, 20);
}

TEST_P(EveryHeap, NoDescriptorIsLeft)
{
	const size_t before = openDescriptors();
	for (int i = 0; i < 50; i++) {
		const Buffer buffer = allocate(65536, "leak");
		ASSERT_TRUE(buffer.map(Access::ReadWrite));
		ASSERT_FALSE(Mapping::create(buffer.fd(), 1 << 20, Access::Read));
	}
	EXPECT_EQ(openDescriptors(), before);
}

TEST_P(EveryHeap, NoDescriptorLeftToGiveIsEmfile)
{
	std::vector<UniqueFd> taken;
	for (;;) {
		UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (!fd.valid())
			break;
		taken.push_back(std::move(fd));
	}
	const auto buffer = device_.allocate(4096);
	taken.clear();
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, EMFILE);
	EXPECT_THAT(buffer.error().hint, HasSubstr("ulimit -n"));
}
