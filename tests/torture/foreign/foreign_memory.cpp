/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreign_memory.h"

#include <cerrno>
#include <format>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow::torture
{

namespace
{

constexpr uint64_t page = 4096;

uint64_t inPages(uint64_t size)
{
	return (size + page - 1) / page * page;
}

Result<UniqueFd> fromHeap(uint64_t size, uint32_t flags)
{
	const UniqueFd heap(open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC));
	dma_heap_allocation_data data = {.len = size, .fd = 0, .fd_flags = flags, .heap_flags = 0};
	if (!heap.valid() || ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &data) != 0)
		return fail(errno, "the heap system gives nothing");
	return UniqueFd(int(data.fd));
}

Result<UniqueFd> readOnlyOfHeap(uint64_t size)
{
	return fromHeap(size, O_RDONLY | O_CLOEXEC);
}

Result<UniqueFd> onePage(uint64_t)
{
	return fromHeap(page, O_RDWR | O_CLOEXEC);
}

Result<UniqueFd> onePageLess(uint64_t size)
{
	return fromHeap(inPages(size) - page, O_RDWR | O_CLOEXEC);
}

Result<UniqueFd> memoryFile(uint64_t size)
{
	UniqueFd file(memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (!file.valid() || ftruncate(file.get(), off_t(inPages(size))) != 0)
		return fail(errno, "no memfd");
	return file;
}

Result<UniqueFd> shortMemoryFile(uint64_t)
{
	return memoryFile(page);
}

Result<UniqueFd> ofUdmabuf(uint64_t size)
{
	auto file = memoryFile(size);
	if (!file)
		return file;
	const UniqueFd driver(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
	udmabuf_create order = {.memfd = uint32_t(file->get()),
				.flags = UDMABUF_FLAGS_CLOEXEC,
				.offset = 0,
				.size = inPages(size)};
	if (!driver.valid() || fcntl(file->get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
		return fail(errno, "no udmabuf");
	UniqueFd dmabuf(ioctl(driver.get(), UDMABUF_CREATE, &order));
	if (!dmabuf.valid())
		return fail(errno, "udmabuf makes no dma-buf");
	return dmabuf;
}

/* A dumb buffer of a card that has no display, exported. */
Result<UniqueFd> ofVgem(uint64_t size, uint32_t flags)
{
	const int card = drmOpen("vgem", nullptr);
	if (card < 0)
		return fail(ENODEV, "the board has no vgem");
	uint32_t handle = 0, pitch = 0;
	uint64_t given = 0;
	int dmabuf = -1;
	int code = drmModeCreateDumbBuffer(card, 1024, uint32_t(inPages(size) / 4096 + 1), 32, 0,
					   &handle, &pitch, &given);
	if (!code)
		code = drmPrimeHandleToFD(card, handle, flags, &dmabuf);
	const int error = errno;
	if (handle)
		drmCloseBufferHandle(card, handle);
	drmClose(card);
	if (code)
		return fail(error, "vgem exports nothing");
	return UniqueFd(dmabuf);
}

Result<UniqueFd> writableOfVgem(uint64_t size)
{
	return ofVgem(size, DRM_CLOEXEC | DRM_RDWR);
}

Result<UniqueFd> readOnlyOfVgem(uint64_t size)
{
	return ofVgem(size, DRM_CLOEXEC);
}

Result<UniqueFd> endOfPipe(uint64_t)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(errno, "no pipe");
	close(ends[1]);
	return UniqueFd(ends[0]);
}

Result<UniqueFd> counter(uint64_t)
{
	return UniqueFd(eventfd(0, EFD_CLOEXEC));
}

Result<UniqueFd> heapNode(uint64_t)
{
	return UniqueFd(open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC));
}

/* A number that nothing is behind; whoever closes it later gets EBADF, which nobody minds. */
Result<UniqueFd> closedNumber(uint64_t)
{
	return UniqueFd(777);
}

constexpr const char *noDmabuf = "no dma-buf";
constexpr const char *tooSmall = "(too small|do not fit|has) .*[0-9]{4,} bytes|[0-9]{4,} bytes";

constexpr ForeignMemory memories[] = {
	{"memory of a heap", goodMemory, Promise::Works, ""},
	{"read-only memory of a heap", readOnlyOfHeap, Promise::Either, "EACCES|read", true},
	{"memory of udmabuf", ofUdmabuf, Promise::Works, ""},
	{"memory of vgem", writableOfVgem, Promise::Works, ""},
	{"read-only memory of vgem", readOnlyOfVgem, Promise::Either, "EACCES|read", true},
	{"a dma-buf of one page", onePage, Promise::Refused, tooSmall},
	{"a dma-buf that lacks its last page", onePageLess, Promise::Refused, tooSmall},
	{"a memfd", memoryFile, Promise::Refused, noDmabuf},
	{"a memfd of one page", shortMemoryFile, Promise::Refused, noDmabuf},
	{"a pipe", endOfPipe, Promise::Refused, noDmabuf},
	{"an eventfd", counter, Promise::Refused, noDmabuf},
	{"the node of a heap", heapNode, Promise::Refused, noDmabuf},
	{"a number that is closed", closedNumber, Promise::Refused, "EBADF"},
};

} /* namespace */

Result<UniqueFd> goodMemory(uint64_t size)
{
	return fromHeap(size, O_RDWR | O_CLOEXEC);
}

std::span<const ForeignMemory> foreignMemories()
{
	return memories;
}

} /* namespace heapflow::torture */
