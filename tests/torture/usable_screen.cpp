/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usable_screen.h"

#include "board_node.h"

#include "heapflow/display/screen.h"
#include "heapflow/heap/heap_choice.h"

#include <chrono>
#include <fstream>

#include <drm_fourcc.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

Result<void> lightAndFlip(const std::string &node)
{
	const auto layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 320, 180);
	if (!layout)
		return std::unexpected(layout.error());
	const auto choice = chooseHeap("video@*");
	if (!choice)
		return std::unexpected(choice.error());
	const auto frames = allocateBuffers(*choice, 2, layout->size(), "usable-screen");
	if (!frames)
		return std::unexpected(frames.error());
	auto screen = Screen::open({.device = node});
	if (!screen)
		return std::unexpected(screen.error());
	if (const auto plan = (*screen)->configure(*layout, frames->buffers[0].fd()); !plan)
		return std::unexpected(plan.error());
	for (uint64_t i = 0; i < 3; i++)
		if (auto shown = (*screen)->show(frames->buffers[i % 2].fd(), *layout, i + 1);
		    !shown)
			return shown;
	if (auto drained = (*screen)->drain(5s); !drained)
		return drained;
	if (const uint64_t count = (*screen)->statistics().shown; count != 3)
		return fail(EIO, "of 3 frames " + std::to_string(count) + " were shown");
	return {};
}

std::string shownFramebuffer()
{
	std::ifstream state(vkmsDebug() + "/state");
	for (std::string line; std::getline(state, line);)
		if (const size_t at = line.find("\tfb="); at != std::string::npos)
			if (line.substr(at + 4) != "0")
				return line.substr(at + 4);
	return {};
}

} /* namespace heapflow::torture */
