/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signal_victims.h"

#include "board_node.h"

#include <format>
#include <sstream>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

/* From before the plugin is loaded until some twenty frames were shown, on a quiet machine. */
constexpr auto pipelineSpan = 800ms;

std::vector<std::string> split(const std::string &line)
{
	std::istringstream text(line);
	std::vector<std::string> words;
	for (std::string word; text >> word;)
		words.push_back(word);
	return words;
}

Victim pipeline(const std::string &name, const std::string &source, Victim::Life life,
		unsigned weight)
{
	return {.group = "pipeline",
		.name = name,
		.words = split(std::format("gst-launch-1.0 heapcamerasrc camera-name={} {} ! "
					   "heapkmssink driver-name=vkms",
					   vividNode(), source)),
		.life = life,
		.span = pipelineSpan,
		.shows = true,
		.weight = weight};
}

Victim heapctl(const std::string &arguments, Victim::Life life, std::chrono::milliseconds span)
{
	return {.group = "heapctl",
		.name = "heapctl " + arguments.substr(0, arguments.find(' ')),
		.words = split("heapctl " + arguments),
		.life = life,
		.span = span};
}

} /* namespace */

const std::vector<Victim> &signalVictims()
{
	using enum Victim::Life;
	static const std::vector<Victim> victims = [] {
		std::vector<Victim> list = {
			pipeline("gst-launch-1.0", "heap=video@42000000", Plays, 6),
			pipeline("gst-launch-1.0, memory of system", "heap=system", Plays, 2),
			/* Signals meet its end, too. */
			pipeline("gst-launch-1.0, ten frames", "heap=video@42000000 num-buffers=10",
				 Finishes, 4),
			{.group = "application",
			 .name = "camera-to-screen",
			 .words = {"torture-camera-to-screen", "video@*", vividNode()},
			 .span = 400ms,
			 .shows = true,
			 .weight = 3},
			heapctl("alloc video@42000000 4M --count 3 --hold 30", Lasts, 80ms),
			heapctl("watch no-such-heap", Lasts, 80ms),
			heapctl("top --interval 0.1 --once", Finishes, 200ms),
			heapctl("bench video@42000000", Finishes, 200ms),
			heapctl("doctor", Finishes, 400ms),
			heapctl("screenshot /tmp/torture-signals.png", Finishes, 200ms),
		};
		list.back().needsPicture = true;
		return list;
	}();
	return victims;
}

} /* namespace heapflow::torture */
