/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports of the kernel that are its own business: named one by one, and not failing a run. */
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace board
{

/** \brief What identifies one report: words of its first line, and words that stand further down */
struct KnownComplaint {
	std::vector<std::string> words;

	bool operator==(const KnownComplaint &) const = default;
};

/**
 * \brief The list of a file such as board/kernel/known-complaints
 *
 * An entry is a block of lines that ends with an empty line; lines with # say why it is there.
 * Words must not be fewer than two lines: a report is known by what it is about and by where it
 * comes from, else the entry would excuse others. One that is too short is left out.
 */
inline std::vector<KnownComplaint> readKnownComplaints(const std::string &path)
{
	std::vector<KnownComplaint> known;
	KnownComplaint entry;
	const auto end = [&] {
		if (entry.words.size() > 1)
			known.push_back(entry);
		entry.words.clear();
	};
	std::ifstream file(path);
	for (std::string line; std::getline(file, line);) {
		if (line.empty())
			end();
		else if (line.front() != '#')
			entry.words.push_back(line);
	}
	end();
	return known;
}

/** \brief Is this report, line by line, one of them? */
inline bool isKnown(const std::vector<std::string> &report,
		    const std::vector<KnownComplaint> &known)
{
	return std::ranges::any_of(known, [&](const KnownComplaint &entry) {
		return report.front().contains(entry.words.front()) &&
		       std::ranges::all_of(entry.words, [&](const std::string &words) {
			       return std::ranges::any_of(report, [&](const std::string &line) {
				       return line.contains(words);
			       });
		       });
	});
}

} /* namespace board */
