/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All buffers of a choice from one heap, or the next. */
#include "heapflow/heap/heap_choice.h"

#include <cerrno>
#include <optional>

namespace heapflow
{

namespace
{

Result<std::vector<Buffer>> allocateFrom(const Heap &heap, size_t count, uint64_t size,
					 std::string_view name)
{
	const auto device = HeapDevice::open(heap);
	if (!device)
		return std::unexpected(device.error());

	std::vector<Buffer> buffers;
	for (size_t i = 0; i < count; i++) {
		auto buffer = device->allocate(size, name);
		if (!buffer) {
			Error error = std::move(buffer.error());
			if (count > 1)
				error.message = "buffer " + std::to_string(i + 1) + " of " +
						std::to_string(count) + ": " + error.message;
			return std::unexpected(std::move(error));
		}
		buffers.push_back(std::move(*buffer));
	}
	return buffers;
}

} /* namespace */

Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 std::string_view name)
{
	if (count == 0)
		return fail(EINVAL, "0 buffers were asked for", "Ask for 1 at least");

	std::optional<Error> first;
	std::vector<std::string> fallbacks;
	for (const HeapCandidate &candidate : choice.candidates) {
		if (!candidate.matches)
			break;
		auto buffers = allocateFrom(candidate.heap, count, size, name);
		if (buffers)
			return AllocatedBuffers{candidate.heap, std::move(*buffers),
						std::move(fallbacks)};
		fallbacks.push_back(
			Error{buffers.error().code, buffers.error().message, {}}.text());
		if (!first)
			first = std::move(buffers.error());
	}
	if (!first)
		return fail(ENOENT, "the choice of '" + choice.expression.text + "' holds no heap");
	return std::unexpected(std::move(*first));
}

} /* namespace heapflow */
