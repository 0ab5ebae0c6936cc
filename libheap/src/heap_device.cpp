/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/allocation_failure.h"
#include "heapflow/heap/heap.h"

#include "heap_access.h"
#include "memory_guard.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

/* Rights that were withdrawn since the heaps were listed are not those of the list. */
Error deniedError(Heap heap)
{
	struct stat now;
	if (stat(heap.node.c_str(), &now) == 0) {
		heap.mode = now.st_mode;
		heap.owner = now.st_uid;
		heap.group = now.st_gid;
	}
	return accessError(heap);
}

Error openError(int code, const Heap &heap, const SystemPaths &paths)
{
	const std::string name = printable(heap.name.text);
	switch (code) {
	case EACCES:
		return deniedError(heap);
	case EPERM:
		/* The mode would give EACCES: this is the device filter of a cgroup. */
		return {code,
			"the heap " + name + " is kept from this process by its control group",
			"A systemd unit needs DeviceAllow=" + heap.node.string() +
				" r; a container needs the device"};
	case ENOENT: {
		Error error = missingHeapError(heap.name.text, paths);
		error.message += ": " + heap.node.string() + " is missing";
		return error;
	}
	case ENODEV:
	case ENXIO:
		return {code,
			"the heap " + name + " is gone: nothing is behind " + heap.node.string(),
			"Its driver was removed; load it again (modprobe system_heap cma_heap)"};
	case EMFILE:
	case ENFILE:
		return {code, "cannot open the heap " + name + ": no file descriptor is left",
			"Close files, or raise the limit of open files (ulimit -n)"};
	default:
		return {code, "cannot open the heap " + name, {}};
	}
}

Error sizeError(const std::string &heap, uint64_t size)
{
	if (size == 0)
		return {EINVAL, "a buffer of 0 bytes was asked of the heap " + heap,
			"Ask for 1 byte at least"};
	return {EINVAL,
		"a buffer of " + std::to_string(size) + " bytes cannot be rounded to whole pages",
		{}};
}

} /* namespace */

HeapDevice::HeapDevice(Heap heap, UniqueFd fd, SystemPaths paths)
	: heap_(std::move(heap)),
	  fd_(std::move(fd)),
	  paths_(std::move(paths)),
	  isProtected_(heap_.name.isProtected || parseHeapName(heap_.linkTarget).isProtected)
{
	const std::string &source = heap_.linkTarget.empty() ? heap_.name.text : heap_.linkTarget;
	if (!heap_.region.contiguous && isSystemHeapName(source))
		guard_ = std::make_shared<MemoryGuard>(
			[look = paths_] { return availableMemory(look); });
}

Result<HeapDevice> HeapDevice::open(const Heap &heap, const SystemPaths &paths)
{
	UniqueFd fd = openRetried(heap.node.c_str(), O_RDONLY | O_CLOEXEC);
	if (!fd.valid())
		return std::unexpected(openError(errno, heap, paths));
	return HeapDevice(heap, std::move(fd), paths);
}

Result<Buffer> HeapDevice::allocate(uint64_t size, std::string_view name) const
{
	/* Nothing is read or formatted on the way of a success: that would cost more than the
	 * small allocations themselves. */
	static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	if (size == 0 || size > UINT64_MAX - page)
		return std::unexpected(sizeError(printable(heap_.name.text), size));
	/* The ioctl does not say the true size, and lseek() would cost a system call. */
	const uint64_t rounded = (size + page - 1) / page * page;
	if (guard_ && guard_->refuse(rounded))
		return std::unexpected(diagnoseAllocation(heap_, ENOMEM, size, paths_).error());

	dma_heap_allocation_data request{};
	request.len = size;
	request.fd_flags = O_RDWR | O_CLOEXEC;
	while (ioctl(fd_.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0) {
		if (errno != EINTR)
			return std::unexpected(
				diagnoseAllocation(heap_, errno, size, paths_).error());
	}
	Buffer buffer(UniqueFd(static_cast<int>(request.fd)), rounded, heap_.name.text,
		      isProtected_);
	/* A name is for people who look at fdinfo; a buffer without one works as well. */
	if (!name.empty())
		static_cast<void>(setBufferName(buffer.fd(), name));
	return buffer;
}

} /* namespace heapflow */
