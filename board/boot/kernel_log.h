/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's messages of one run say about its health. */
#pragma once

#include "known_complaints.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace board
{

struct KernelLog {
	bool reachedInit = false;
	std::string complaints; /**< lines of a warning, oops or report, with what follows each */
	std::vector<std::string> passedOver; /**< first lines of those that are known */
	std::string lastLines;
};

/** \brief Where the words begin in a line; not inside another word, as BUG does in ODEBUG */
inline size_t findWords(std::string_view line, std::string_view words)
{
	const auto isLetter = [](char c) {
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	};
	for (size_t at = line.find(words); at != line.npos; at = line.find(words, at + 1)) {
		if (at == 0 || !isLetter(line[at - 1]))
			return at;
	}
	return line.npos;
}

/** \brief A line of SLUB's, as in "BUG kmalloc-64 (Not tainted): Poison overwritten" */
inline bool beginsSlabReport(std::string_view line)
{
	const size_t at = findWords(line, "BUG ");
	return at != line.npos && line.find("ainted", at) != line.npos &&
	       line.find("): ", at) != line.npos;
}

/**
 * \brief Lines to show of the report that this line begins; 0 when it begins none
 *
 * A report is what a kernel in good health never prints. The words are those of lib/bug.c,
 * kernel/panic.c, hung task, RCU, and User Mode Linux' own crash messages; on the debug kernel
 * those of KASAN, lockdep, kmemleak and SLUB, and what each of its checks says when it switches
 * itself off: from then on its silence means nothing.
 */
inline size_t reportLines(std::string_view line)
{
	constexpr size_t oneStack = 25;
	constexpr size_t severalStacks = 80;
	struct Beginning {
		std::string_view words;
		size_t lines = oneStack;
	};
	static constexpr Beginning beginnings[] = {
		{"KASAN:", severalStacks},
		{"possible recursive locking", severalStacks},
		{"possible circular locking", severalStacks},
		{"lock order detected", severalStacks},
		{"inconsistent lock state", severalStacks},
		{"suspicious RCU usage"},
		{"trying to register non-static key"},
		{"turning off the locking correctness validator"},
		{"unreferenced object"},
		{"new suspected memory leaks", 1},
		{"Kernel memory leak detector disabled", 1},
		{"ODEBUG: Out of memory"},
		{"DMA-API: debugging out of memory"},
		{"WARNING:"},
		{"BUG:"},
		{"kernel BUG at"},
		{"Oops"},
		{"Kernel panic"},
		{"UBSAN:"},
		{"blocked for more than"},
		{"detected stall"},
		{"detected expedited stall"},
		{"Segfault with no mm"},
		{"Kernel mode fault"},
		{"Kernel mode signal"},
	};
	const auto found = std::ranges::find_if(beginnings, [&](const Beginning &beginning) {
		return findWords(line, beginning.words) != line.npos;
	});
	if (found != std::end(beginnings))
		return found->lines;
	return beginsSlabReport(line) ? severalStacks : 0;
}

inline KernelLog readKernelLog(const std::string &path,
			       const std::vector<KnownComplaint> &known = {})
{
	constexpr size_t linesAtEnd = 20;

	KernelLog log;
	std::vector<std::string> lines;
	std::vector<std::string> report;
	const auto endReport = [&] {
		if (!report.empty() && isKnown(report, known))
			log.passedOver.push_back(report.front());
		else
			for (const std::string &line : report)
				log.complaints += "  " + line + "\n";
		report.clear();
	};
	std::ifstream file(path);
	size_t show = 0;
	for (std::string line; std::getline(file, line);) {
		if (line.find("Run /usr/sbin/board-init") != std::string::npos)
			log.reachedInit = true;
		if (const size_t count = reportLines(line); count > 0) {
			endReport();
			show = std::max(show, count);
		}
		if (show > 0) {
			report.push_back(line);
			show--;
		}
		lines.push_back(std::move(line));
	}
	endReport();
	for (size_t i = lines.size() - std::min(lines.size(), linesAtEnd); i < lines.size(); i++)
		log.lastLines += "  " + lines[i] + "\n";
	return log;
}

} /* namespace board */
