/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_preflight.h"

#include "memory_refusal.h"

#include "heapflow/camera/camera_probe.h"

#include <cerrno>
#include <filesystem>
#include <format>

#include <sys/sysmacros.h>

namespace heapflow
{

Result<void> checkMemory(const std::set<dev_t> &nodes, const Buffer &buffer,
			 std::string_view camera)
{
	for (const dev_t node : nodes) {
		std::error_code error;
		const auto device = std::filesystem::read_symlink(
			std::format("/sys/dev/char/{}:{}", major(node), minor(node)), error);
		if (error)
			continue;
		/* Subdevices and output nodes are no cameras, and not opened. */
		auto probe = openCameraProbe("/dev/" + device.filename().string());
		if (!probe || (*probe)->smallestBuffer() > buffer.size())
			continue;
		if ((*probe)->tryBuffer(buffer).accepted == Demand::No)
			return std::unexpected(memoryRefused(EFAULT, camera, buffer.heap()));
	}
	return {};
}

} /* namespace heapflow */
