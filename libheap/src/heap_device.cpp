/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap.h"

#include "heap_access.h"
#include "region.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

std::string bytesText(std::optional<uint64_t> bytes)
{
	return bytes ? std::to_string(*bytes) : "an unknown number of";
}

std::string wantedText(const std::string &heap, uint64_t size, uint64_t rounded)
{
	std::string text = "the heap " + heap + " cannot give " + std::to_string(size) + " bytes";
	if (rounded != size)
		text += " (" + std::to_string(rounded) + " in whole pages)";
	return text;
}

/* The kernel says ENOMEM whatever the cause; the numbers of the region tell which it was. */
Error regionExhausted(const std::string &heap, uint64_t size, uint64_t rounded,
		      const Region &region)
{
	std::string hint;
	if (region.total && rounded > *region.total)
		hint = "The region is too small for this buffer: enlarge its reserved-memory node, "
		       "or "
		       "name another heap";
	else if (region.free && rounded > *region.free)
		hint = "Other buffers hold the region: free some, or name a heap to fall back on "
		       "after "
		       "a ':'";
	else if (region.free)
		hint = "The free memory is in pieces (buffers are aligned to up to 1 MiB) or busy: "
		       "free "
		       "buffers of this region, or allocate all buffers earlier";
	else
		hint = "Free buffers of this heap, or name a heap to fall back on after a ':'";

	std::string message = wantedText(heap, size, rounded) + ": " + bytesText(region.free) +
			      " of " + bytesText(region.total) + " bytes of its region are free";
	if (region.largest)
		message += ", the largest run is " + std::to_string(*region.largest);
	return {ENOMEM, message, hint};
}

Error systemExhausted(const std::string &heap, uint64_t size, uint64_t rounded,
		      std::optional<uint64_t> available)
{
	return {ENOMEM,
		wantedText(heap, size, rounded) + ": the machine has " + bytesText(available) +
			" bytes available",
		"Ask for less or end other programs; the system heap itself has no limit, and "
		"asking "
		"it for more would end a process"};
}

Error openError(int code, const Heap &heap)
{
	const std::string name = printable(heap.name.text);
	switch (code) {
	case EACCES:
	case EPERM: {
		Error error = accessError(heap);
		error.code = code;
		return error;
	}
	case ENOENT:
		return {code,
			"there is no heap " + name + ": " + heap.node.string() + " is missing",
			missingHeapHint()};
	case ENODEV:
	case ENXIO:
		return {code,
			"the heap " + name + " is gone: nothing is behind " + heap.node.string(),
			"Its driver was removed; load it again (modprobe system_heap cma_heap)"};
	default:
		return {code, "cannot open the heap " + name, {}};
	}
}

Error allocationError(int code, const std::string &heap, uint64_t size, uint64_t rounded)
{
	const std::string text = wantedText(heap, size, rounded);
	switch (code) {
	case EMFILE:
	case ENFILE:
		return {code, text + ": no file descriptor is left for it",
			"Close buffers, or raise the limit of open files (ulimit -n)"};
	case ENOTTY:
		return {code, text + ": it is no dma-buf heap", {}};
	case EINVAL:
		return {code, text + ": the heap refuses the request",
			"Its device may have been removed"};
	default:
		return {code, text, {}};
	}
}

} /* namespace */

HeapDevice::HeapDevice(Heap heap, UniqueFd fd, SystemPaths paths)
	: heap_(std::move(heap)), fd_(std::move(fd)), paths_(std::move(paths))
{
}

Result<HeapDevice> HeapDevice::open(const Heap &heap, const SystemPaths &paths)
{
	int fd;
	do {
		fd = ::open(heap.node.c_str(), O_RDONLY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return std::unexpected(openError(errno, heap));
	return HeapDevice(heap, UniqueFd(fd), paths);
}

Result<Buffer> HeapDevice::allocate(uint64_t size, std::string_view name) const
{
	const std::string heap = printable(heap_.name.text);
	if (size == 0)
		return fail(EINVAL, "a buffer of 0 bytes was asked of the heap " + heap,
			    "Ask for 1 byte at least");
	const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	if (size > UINT64_MAX - page)
		return fail(EINVAL, "a buffer of " + std::to_string(size) +
					    " bytes cannot be rounded to whole pages");
	const uint64_t rounded = (size + page - 1) / page * page;

	const std::string &source = heap_.linkTarget.empty() ? heap_.name.text : heap_.linkTarget;
	const bool unlimited = !heap_.region.contiguous && isSystemHeapName(source);
	if (unlimited) {
		const auto available = availableMemory(paths_);
		if (available && rounded > *available)
			return std::unexpected(systemExhausted(heap, size, rounded, available));
	}

	dma_heap_allocation_data request{};
	request.len = size;
	request.fd_flags = O_RDWR | O_CLOEXEC;
	while (ioctl(fd_.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != ENOMEM)
			return std::unexpected(allocationError(errno, heap, size, rounded));
		if (unlimited)
			return std::unexpected(
				systemExhausted(heap, size, rounded, availableMemory(paths_)));
		return std::unexpected(
			regionExhausted(heap, size, rounded, RegionTable(paths_).find(source)));
	}
	UniqueFd fd(static_cast<int>(request.fd));

	const auto trueSize = bufferSize(fd.get());
	if (!trueSize)
		return std::unexpected(trueSize.error());
	/* A name is for people who look at fdinfo; a buffer without one works as well. */
	if (!name.empty())
		static_cast<void>(setBufferName(fd.get(), name));
	return Buffer(std::move(fd), *trueSize, heap_.name.text);
}

} /* namespace heapflow */
