/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_holder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <format>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

std::string readFile(const fs::path &path)
{
	std::ostringstream text;
	text << std::ifstream(path).rdbuf();
	return text.str();
}

/* A process that ends meanwhile has not. */
bool hasOpen(const fs::path &process, dev_t device)
{
	std::error_code error;
	fs::directory_iterator fd(process / "fd", error);
	for (; !error && fd != fs::directory_iterator(); fd.increment(error)) {
		struct stat status;
		if (!stat(fd->path().c_str(), &status) && S_ISCHR(status.st_mode) &&
		    status.st_rdev == device)
			return true;
	}
	return false;
}

/* Processes other than this one that have the node open. */
std::string openers(dev_t device)
{
	std::string list;
	std::error_code error;
	fs::directory_iterator process("/proc", error);
	for (; !error && process != fs::directory_iterator(); process.increment(error)) {
		const std::string pid = process->path().filename();
		if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c); }) ||
		    pid == std::to_string(getpid()) || !hasOpen(process->path(), device))
			continue;
		std::string name = readFile(process->path() / "comm");
		name.erase(std::ranges::find(name, '\n'), name.end());
		list += std::format("{}{} (pid {})", list.empty() ? "" : ", ", name, pid);
	}
	return list;
}

} /* namespace */

std::string masterFromClients(const std::string &clients)
{
	/* "%20s %5d %3d   %c    %c ...": command, process, device, master (drm_debugfs.c). */
	constexpr size_t commandWidth = 20;
	std::istringstream lines(clients);
	for (std::string line; std::getline(lines, line);) {
		if (line.size() <= commandWidth)
			continue;
		std::istringstream columns(line.substr(commandWidth));
		int pid = 0;
		int device = 0;
		char master = 'n';
		if (!(columns >> pid >> device >> master) || master != 'y')
			continue;
		const size_t start = line.find_first_not_of(' ');
		return std::format("{} (pid {})", line.substr(start, commandWidth - start), pid);
	}
	return {};
}

std::string describeHolder(const std::string &node)
{
	struct stat status;
	if (stat(node.c_str(), &status))
		return {};
	const std::string master = masterFromClients(
		readFile(std::format("/sys/kernel/debug/dri/{}/clients", minor(status.st_rdev))));
	return master.empty() ? openers(status.st_rdev) : master;
}

} /* namespace heapflow */
