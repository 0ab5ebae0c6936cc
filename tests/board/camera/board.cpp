/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "board.h"
#include "result.h"

#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

namespace heapflow::test
{

namespace fs = std::filesystem;

std::string moduleParameter(const std::string &module, const std::string &parameter)
{
	std::string value;
	std::ifstream(fs::path("/sys/module") / module / "parameters" / parameter) >> value;
	return value;
}

std::vector<Buffer> allocate(const std::string &heap, unsigned count, uint64_t size)
{
	const auto heaps = listHeaps();
	if (!heaps) {
		ADD_FAILURE() << textOf(heaps);
		return {};
	}
	for (const Heap &candidate : *heaps) {
		if (candidate.name.text != heap)
			continue;
		const auto device = HeapDevice::open(candidate);
		std::vector<Buffer> buffers;
		while (device && buffers.size() < count) {
			auto buffer = device->allocate(size, "board-camera");
			if (!buffer) {
				ADD_FAILURE() << textOf(buffer);
				return {};
			}
			buffers.push_back(std::move(*buffer));
		}
		EXPECT_TRUE(device);
		return buffers;
	}
	ADD_FAILURE() << "the board has no heap " << heap;
	return {};
}

namespace
{

/* proc_pid_fd(5): what is no file is TYPE:[INODE], or anon_inode:TYPE, with or without brackets. */
std::string kindOf(const fs::path &descriptor)
{
	std::error_code gone;
	const std::string target = fs::read_symlink(descriptor, gone).string();
	return target.starts_with("anon_inode") ? target : target.substr(0, target.find(":["));
}

} /* namespace */

Resources Resources::now()
{
	Resources resources;
	/* The directory that is being read has a descriptor too, always one. */
	for (const auto &entry : fs::directory_iterator("/proc/self/fd"))
		++resources.descriptors[kindOf(entry)];
	for (const auto &area : fs::directory_iterator("/sys/kernel/mm/cma")) {
		uint64_t pages = 0;
		std::ifstream(area.path() / "available_pages") >> pages;
		resources.freePages[area.path().filename()] = pages;
	}
	return resources;
}

size_t Resources::allDescriptors() const
{
	size_t all = 0;
	for (const auto &[kind, count] : descriptors)
		all += count;
	return all;
}

size_t Resources::takeSyncFiles()
{
	const auto files = descriptors.extract("anon_inode:sync_file");
	return files ? files.mapped() : 0;
}

std::ostream &operator<<(std::ostream &out, const Resources &resources)
{
	out << resources.allDescriptors() << " descriptors (";
	for (const auto &[kind, count] : resources.descriptors)
		out << (kind == resources.descriptors.begin()->first ? "" : ", ") << count << ' '
		    << kind;
	out << ')';
	for (const auto &[area, pages] : resources.freePages)
		out << ", " << area << " " << pages << " pages free";
	return out;
}

Resources settled(const Resources &before)
{
	Resources after;
	for (int attempt = 0; attempt < 50; ++attempt) {
		after = Resources::now();
		if (after == before)
			break;
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	}
	return after;
}

std::string nameForTest(std::string text)
{
	for (char &c : text)
		if (!std::isalnum(static_cast<unsigned char>(c)))
			c = '_';
	return text;
}

} /* namespace heapflow::test */
