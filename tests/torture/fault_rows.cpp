/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault_rows.h"

#include <algorithm>
#include <cstdio>
#include <format>
#include <ranges>

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
	std::printf("# %s: %s (%s)\n", fault.c_str(), broken.c_str(), saw.c_str());
	std::fflush(stdout);
}

unsigned FaultRows::injected() const
{
	unsigned sum = 0;
	for (const Row &counted : rows_)
		sum += counted.injected;
	return sum;
}

bool FaultRows::print() const
{
	bool good = true;
	for (const auto &[number, counted] : std::views::enumerate(rows_)) {
		std::vector<std::pair<unsigned, std::string>> often;
		for (const auto &[text, times] : counted.saw)
			often.emplace_back(times, text);
		std::ranges::sort(often, std::greater());
		std::string saw;
		for (const auto &[times, text] : often)
			saw += std::format("{}{} times {}", saw.empty() ? "" : "; ", times, text);
		const bool survived = counted.survived == counted.injected;
		std::printf("%s %td - %s\n", survived ? "ok" : "not ok", number + 1,
			    counted.fault.c_str());
		std::printf("torture\t%s\t%u\t%u\t%s\n", counted.fault.c_str(), counted.injected,
			    counted.survived, saw.c_str());
		good = good && survived;
	}
	std::printf("1..%zu\n", rows_.size());
	std::fflush(stdout);
	return good;
}

} /* namespace heapflow::torture */
