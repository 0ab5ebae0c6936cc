/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dmabuf_witness.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <sys/stat.h>

namespace heapflow::test
{

namespace
{

std::string fdinfo(int dmabuf, const std::string &field)
{
	std::ifstream file("/proc/self/fdinfo/" + std::to_string(dmabuf));
	for (std::string line; std::getline(file, line);) {
		if (!line.starts_with(field + ":"))
			continue;
		const size_t value = line.find_first_not_of(" \t", field.size() + 1);
		return value == std::string::npos ? "" : line.substr(value);
	}
	return "";
}

} /* namespace */

std::string exporterOf(int dmabuf)
{
	return fdinfo(dmabuf, "exp_name");
}

std::string nameOf(int dmabuf)
{
	return fdinfo(dmabuf, "name");
}

unsigned mappedDmabufs(const std::string &name)
{
	unsigned count = 0;
	std::ifstream maps("/proc/self/maps");
	for (std::string line; std::getline(maps, line);)
		/* dmabuffs_dname() of the kernel */
		count += line.ends_with("/dmabuf:" + name);
	return count;
}

unsigned openDmabufs(const std::string &name)
{
	std::set<ino_t> inodes;
	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
		const int fd = std::stoi(entry.path().filename().string());
		struct stat status = {};
		if (!exporterOf(fd).empty() && nameOf(fd) == name && fstat(fd, &status) == 0)
			inodes.insert(status.st_ino);
	}
	return unsigned(inodes.size());
}

} /* namespace heapflow::test */
