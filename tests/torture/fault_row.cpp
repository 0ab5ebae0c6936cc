/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault_row.h"

#include <algorithm>
#include <cstdio>

namespace heapflow::torture
{

static unsigned printed = 0;

/* Tabs and ends of lines are board/torture's. */
static std::string oneLine(std::string text)
{
	std::ranges::replace_if(
		text, [](char character) { return character == '\n' || character == '\t'; }, ' ');
	return text;
}

void print(const FaultRow &row)
{
	const std::string fault = oneLine(row.fault);
	const bool none = row.good() && row.injected == 0;
	std::printf("%s %u - %s (%u times)%s%s\n", row.good() ? "ok" : "not ok", ++printed,
		    fault.c_str(), row.injected, none ? " # SKIP " : "",
		    none ? oneLine(row.saw).c_str() : "");
	std::printf("torture\t%s\t%u\t%u\t%s\n", fault.c_str(), row.injected, row.survived,
		    oneLine(row.saw).c_str());
	std::fflush(stdout);
}

void printPlan()
{
	std::printf("1..%u\n", printed);
	std::fflush(stdout);
}

} /* namespace heapflow::torture */
