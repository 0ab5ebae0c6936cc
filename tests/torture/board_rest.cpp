/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "board_rest.h"

#include <chrono>
#include <format>
#include <thread>

namespace heapflow::torture
{

using namespace std::chrono_literals;

BoardRest BoardRest::settled()
{
	for (auto waited = 0ms; KernelMemory::now().dmabufs && waited < 2s; waited += 20ms)
		std::this_thread::sleep_for(20ms);
	return {};
}

std::string BoardRest::lost() const
{
	std::string text = leftOverSince(holdings_);
	if (const uint64_t free = KernelMemory::now().freeCmaPages; free < memory_.freeCmaPages)
		text += std::format("{} CMA pages; ", memory_.freeCmaPages - free);
	return text.empty() ? text : "left over: " + text;
}

} /* namespace heapflow::torture */
