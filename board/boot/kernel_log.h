/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's messages of one run say about its health. */
#pragma once

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace board
{

struct KernelLog {
	bool reachedInit = false;
	std::string complaints; /**< lines of a warning or oops, with what follows each */
	std::string lastLines;
};

/**
 * \brief Does this line begin a report that a kernel in good health never prints?
 *
 * The words are those of lib/bug.c, kernel/panic.c, KASAN, UBSAN, lockdep, kmemleak, hung
 * task, and of User Mode Linux' own crash messages.
 */
inline bool isComplaint(std::string_view line)
{
	static constexpr std::array words = {
		std::string_view("WARNING:"),
		std::string_view("BUG:"),
		std::string_view("kernel BUG at"),
		std::string_view("Oops"),
		std::string_view("Kernel panic"),
		std::string_view("UBSAN:"),
		std::string_view("KASAN:"),
		std::string_view("new suspected memory leaks"),
		std::string_view("possible recursive locking"),
		std::string_view("possible circular locking"),
		std::string_view("inconsistent lock state"),
		std::string_view("suspicious RCU usage"),
		std::string_view("blocked for more than"),
		std::string_view("Segfault with no mm"),
		std::string_view("Kernel mode fault"),
		std::string_view("Kernel mode signal"),
	};
	return std::ranges::any_of(words, [&](std::string_view word) {
		return line.find(word) != std::string_view::npos;
	});
}

inline KernelLog readKernelLog(const std::string &path)
{
	constexpr size_t linesAfterComplaint = 25;
	constexpr size_t linesAtEnd = 20;

	KernelLog log;
	std::ifstream file(path);
	std::vector<std::string> lines;
	size_t show = 0;
	for (std::string line; std::getline(file, line);) {
		if (line.find("Run /usr/sbin/board-init") != std::string::npos)
			log.reachedInit = true;
		if (isComplaint(line))
			show = linesAfterComplaint;
		if (show > 0) {
			log.complaints += "  " + line + "\n";
			show--;
		}
		lines.push_back(std::move(line));
	}
	for (size_t i = lines.size() - std::min(lines.size(), linesAtEnd); i < lines.size(); i++)
		log.lastLines += "  " + lines[i] + "\n";
	return log;
}

} /* namespace board */
