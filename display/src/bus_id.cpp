/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus_id.h"

#include <filesystem>
#include <format>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace heapflow
{

std::string busIdOfNode(const std::string &node)
{
	namespace fs = std::filesystem;
	struct stat status{};
	/* By number: the node may be a link, or elsewhere. */
	if (stat(node.c_str(), &status) != 0 || !S_ISCHR(status.st_mode))
		return {};
	const fs::path device = std::format("/sys/dev/char/{}:{}/device", major(status.st_rdev),
					    minor(status.st_rdev));
	std::error_code error;
	const fs::path name = fs::canonical(device, error).filename();
	if (error)
		return {};
	const fs::path bus = fs::canonical(device / "subsystem", error).filename();
	return error ? std::string() : bus.string() + ":" + name.string();
}

bool isBusId(std::string_view wanted, std::string_view busId)
{
	if (wanted.empty() || busId.empty())
		return false;
	if (wanted == busId || wanted == busId.substr(busId.find(':') + 1))
		return true;
	constexpr std::string_view number = ":00";
	return busId.starts_with("platform:") && wanted.ends_with(number) &&
	       wanted.substr(0, wanted.size() - number.size()) == busId;
}

} /* namespace heapflow */
