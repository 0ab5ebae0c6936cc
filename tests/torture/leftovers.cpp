/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leftovers.h"

#include "board_node.h"

#include <chrono>
#include <filesystem>
#include <format>
#include <fstream>
#include <thread>

namespace heapflow::torture
{

namespace
{

namespace fs = std::filesystem;

std::map<std::string, int> openDescriptors()
{
	std::map<std::string, int> descriptors;
	for (const auto &entry : fs::directory_iterator("/proc/self/fd")) {
		std::error_code gone; /* the descriptor of the list itself */
		std::string target = fs::read_symlink(entry.path(), gone).string();
		/* Inodes differ from run to run: "socket:[4711]". */
		if (target.starts_with("socket:") || target.starts_with("pipe:"))
			target.resize(target.find(':'));
		if (!gone)
			descriptors[target]++;
	}
	return descriptors;
}

} /* namespace */

Holdings holdings(const std::string &display)
{
	Holdings now{.descriptors = openDescriptors()};
	/* "Total 2 objects, 606208 bytes" */
	std::ifstream info("/sys/kernel/debug/dma_buf/bufinfo");
	for (std::string line; std::getline(info, line);) {
		unsigned long long count = 0, bytes = 0;
		if (std::sscanf(line.c_str(), "Total %llu objects, %llu bytes", &count, &bytes) ==
		    2) {
			now.dmabufs = count;
			now.dmabufBytes = bytes;
		}
	}
	std::ifstream framebuffers((display.empty() ? vkmsDebug() : display) + "/framebuffer");
	for (std::string line; std::getline(framebuffers, line);)
		now.framebuffers += line.starts_with("framebuffer[");
	return now;
}

std::string leftOver(const Holdings &before, const Holdings &after)
{
	std::string text;
	for (const auto &[target, count] : after.descriptors) {
		const auto known = before.descriptors.find(target);
		const int had = known == before.descriptors.end() ? 0 : known->second;
		if (count > had)
			text += std::format("{} descriptors of {}; ", count - had, target);
	}
	if (after.dmabufs > before.dmabufs)
		text += std::format("{} dma-bufs, {} bytes; ", after.dmabufs - before.dmabufs,
				    after.dmabufBytes - before.dmabufBytes);
	if (after.framebuffers > before.framebuffers)
		text += std::format("{} framebuffers; ", after.framebuffers - before.framebuffers);
	return text;
}

std::string leftOverSince(const Holdings &before)
{
	for (int tries = 0;; tries++) {
		std::string left = leftOver(before, holdings());
		if (left.empty() || tries == 40)
			return left;
		std::this_thread::sleep_for(std::chrono::milliseconds(50));
	}
}

} /* namespace heapflow::torture */
