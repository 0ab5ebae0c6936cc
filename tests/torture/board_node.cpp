/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "board_node.h"

#include <filesystem>
#include <fstream>

namespace heapflow::torture
{

namespace
{

namespace fs = std::filesystem;

std::string firstWord(const fs::path &file)
{
	std::string word;
	std::ifstream(file) >> word;
	return word;
}

/* vivid has many nodes; that of the picture is "vivid-000-vid-cap". */
std::string findVivid()
{
	for (const auto &entry : fs::directory_iterator("/sys/class/video4linux"))
		if (firstWord(entry.path() / "name") == "vivid-000-vid-cap")
			return "/dev/" + entry.path().filename().string();
	return {};
}

/* The board's own has the lowest number of those that a test has made. */
std::string findVkms()
{
	std::string first;
	for (const auto &entry : fs::directory_iterator("/sys/kernel/debug/dri"))
		if (const std::string path = entry.path();
		    firstWord(entry.path() / "name").starts_with("vkms") &&
		    (first.empty() || path < first))
			first = path;
	return first;
}

} /* namespace */

const std::string &vividNode()
{
	static const std::string node = findVivid();
	return node;
}

const std::string &vkmsDebug()
{
	static const std::string directory = findVkms();
	return directory;
}

std::string debugOf(const std::string &card)
{
	return "/sys/kernel/debug/dri/" + card.substr(card.find_first_of("0123456789"));
}

} /* namespace heapflow::torture */
