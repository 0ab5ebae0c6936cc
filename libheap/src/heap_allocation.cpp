/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All buffers of a choice from one heap, or the next. */
#include "heapflow/heap/heap_choice.h"

#include "heap_access.h"

#include <cerrno>
#include <span>

namespace heapflow
{

namespace
{

Result<std::vector<Buffer>> allocateFrom(const Heap &heap, std::span<const uint64_t> sizes,
					 const AllocationOptions &options)
{
	const auto device = HeapDevice::open(heap, options.paths);
	if (!device)
		return std::unexpected(device.error());

	std::vector<Buffer> buffers;
	for (size_t i = 0; i < sizes.size(); i++) {
		auto buffer = device->allocate(sizes[i], options.name);
		if (!buffer) {
			Error error = std::move(buffer.error());
			if (sizes.size() > 1)
				error.message = "buffer " + std::to_string(i + 1) + " of " +
						std::to_string(sizes.size()) + ": " + error.message;
			return std::unexpected(std::move(error));
		}
		buffers.push_back(std::move(*buffer));
	}
	return buffers;
}

/* The matches of a choice, in the order in which they are tried. */
std::vector<const Heap *> matchesOf(const HeapChoice &choice)
{
	std::vector<const Heap *> heaps;
	for (const HeapCandidate &candidate : choice.candidates) {
		if (candidate.matches)
			heaps.push_back(&candidate.heap);
	}
	return heaps;
}

/* The heap that was preferred gives the code and the next step; every one says why it failed. */
Error allFailed(const std::vector<HeapFallback> &fallbacks, Error last)
{
	if (fallbacks.empty())
		return last;
	Error error = fallbacks.front().error;
	for (size_t i = 1; i < fallbacks.size(); i++)
		error.message += "; " + fallbacks[i].error.message;
	error.message += "; " + last.message;
	return error;
}

} /* namespace */

std::string HeapFallback::text() const
{
	return printable(heap) + " was passed over for " + printable(next) + ": " +
	       Error{error.code, error.message, {}}.text();
}

Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, std::span<const uint64_t> sizes,
					 const AllocationOptions &options)
{
	if (sizes.empty())
		return fail(EINVAL, "0 buffers were asked for", "Ask for 1 at least");

	const std::vector<const Heap *> heaps = matchesOf(choice);
	std::vector<HeapFallback> fallbacks;
	for (size_t i = 0; i < heaps.size(); i++) {
		auto buffers = allocateFrom(*heaps[i], sizes, options);
		if (buffers)
			return AllocatedBuffers{*heaps[i], std::move(*buffers),
						std::move(fallbacks)};
		/* What was allocated is back in its region before the next heap is tried. */
		if (i + 1 == heaps.size())
			return std::unexpected(allFailed(fallbacks, std::move(buffers.error())));
		fallbacks.push_back(
			{heaps[i]->name.text, std::move(buffers.error()), heaps[i + 1]->name.text});
		if (options.onFallback)
			options.onFallback(fallbacks.back());
	}
	return fail(ENOENT, "the choice of '" + choice.expression.text + "' holds no heap");
}

Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 const AllocationOptions &options)
{
	return allocateBuffers(choice, std::vector<uint64_t>(count, size), options);
}

Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 std::string_view name)
{
	return allocateBuffers(choice, count, size, {.name = std::string(name)});
}

} /* namespace heapflow */
