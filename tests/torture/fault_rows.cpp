/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault_rows.h"

#include "fault_row.h"

#include <algorithm>
#include <cstdio>
#include <format>

namespace heapflow::torture
{

FaultRows::Row &FaultRows::row(const std::string &fault)
{
	const auto found = std::ranges::find(rows_, fault, &Row::fault);
	return found != rows_.end() ? *found : rows_.emplace_back(Row{.fault = fault});
}

void FaultRows::add(const std::string &fault, const std::string &saw, const std::string &broken)
{
	Row &counted = row(fault);
	counted.injected++;
	counted.survived += broken.empty();
	counted.saw[saw]++;
	if (broken.empty())
		return;
	std::printf("# broken: %s: %s (%s)\n", fault.c_str(), broken.c_str(), saw.c_str());
	std::fflush(stdout);
}

unsigned FaultRows::injected() const
{
	unsigned sum = 0;
	for (const Row &counted : rows_)
		sum += counted.injected;
	return sum;
}

/* "12 times this; 3 times that", what came most often first */
std::string FaultRows::textOf(const std::map<std::string, unsigned> &saw)
{
	std::vector<std::pair<unsigned, std::string>> often;
	for (const auto &[text, times] : saw)
		often.emplace_back(times, text);
	std::ranges::sort(often, std::greater());
	std::string words;
	for (const auto &[times, text] : often)
		words += std::format("{}{} times {}", words.empty() ? "" : "; ", times, text);
	return words;
}

bool FaultRows::print() const
{
	bool good = true;
	for (const Row &counted : rows_) {
		const FaultRow row{counted.fault, counted.injected, counted.survived,
				   textOf(counted.saw) +
					   (counted.remark.empty() ? "" : "; " + counted.remark)};
		torture::print(row);
		good = good && row.good();
	}
	printPlan();
	return good;
}

} /* namespace heapflow::torture */
