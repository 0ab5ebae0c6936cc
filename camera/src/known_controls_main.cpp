/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list-known-controls: run by the build, writes the table of libcamera's controls as C++. */
#include "libcamera_controls.h"

#include <cstdio>
#include <fstream>
#include <print>

using heapflow::ControlDescription;

namespace
{

void writeChoices(std::ostream &out, size_t number, const ControlDescription &control)
{
	std::print(out, "constexpr KnownChoice choices{}[] = {{\n", number);
	for (const heapflow::ControlChoice &choice : control.choices)
		std::print(out, "\t{{{}, \"{}\"}},\n", choice.value, choice.name);
	std::print(out, "}};\n");
}

void writeControl(std::ostream &out, size_t number, const ControlDescription &control)
{
	std::print(out, "\t{{\"{}\", \"{}\", ControlType({}), {}, {}, {}, {}, {}, ", control.name,
		   control.vendor, int(control.type), control.array, control.elements,
		   control.settable, control.reported, control.momentary);
	if (control.choices.empty())
		std::print(out, "{{}}}},\n");
	else
		std::print(out, "choices{}}},\n", number);
}

} /* namespace */

int main(int argc, char **argv)
{
	if (argc != 2) {
		std::print(stderr, "usage: list-known-controls FILE\n");
		return 2;
	}
	const auto controls = heapflow::knownLibcameraControls();
	std::ofstream out(argv[1]);
	std::print(out,
		   "#include \"known_controls.h\"\n\nnamespace heapflow\n{{\n\nnamespace\n{{\n");
	for (size_t i = 0; i < controls.size(); ++i)
		if (!controls[i].choices.empty())
			writeChoices(out, i, controls[i]);
	std::print(out, "constexpr KnownControl table[] = {{\n");
	for (size_t i = 0; i < controls.size(); ++i)
		writeControl(out, i, controls[i]);
	std::print(out, "}};\n\n}} /* namespace */\n\n"
			"const std::span<const KnownControl> knownControlTable = table;\n\n"
			"}} /* namespace heapflow */\n");
	out.close();
	if (out)
		return 0;
	std::perror(argv[1]);
	return 1;
}
