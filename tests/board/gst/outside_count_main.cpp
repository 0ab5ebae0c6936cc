/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* board-outside-count [-o FILE] COMMAND [ARGUMENT…]: countOutside() for scripts. */
#include "outside_count.h"

#include <cstdio>
#include <fstream>
#include <iostream>

using namespace heapflow::test;

int main(int argc, char **argv)
{
	std::vector<std::string> command(argv + 1, argv + argc);
	std::string file;
	if (command.size() >= 2 && command[0] == "-o") {
		file = command[1];
		command.erase(command.begin(), command.begin() + 2);
	}
	if (command.empty() || command[0].starts_with("-")) {
		std::cerr
			<< "usage: board-outside-count [-o FILE] COMMAND [ARGUMENT...]\n"
			   "Runs COMMAND and counts, from outside, how its CPU reaches dma-bufs:\n"
			   "one `name number` a line on stderr, or in FILE. Exit status: the\n"
			   "command's; 125 when nothing could be counted.\n";
		return 2;
	}
	const OutsideCount count = countOutside(command);
	if (!count.error.empty()) {
		std::cerr << "board-outside-count: " << count.error << "\n";
		return 125;
	}
	if (file.empty())
		std::cerr << describe(count);
	else
		std::ofstream(file) << describe(count);
	return count.status;
}
