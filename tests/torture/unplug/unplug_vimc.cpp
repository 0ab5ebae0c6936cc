/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unplug_vimc.h"

#include "command.h"
#include "kernel_memory.h"
#include "usable_screen.h"

#include <format>
#include <thread>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr auto bounded = 20s;

void bindVimc(const char *how)
{
	std::ofstream("/sys/bus/platform/drivers/vimc/" + std::string(how))
		<< "vimc.0" << std::flush;
}

/* What its first line says, without the element. */
std::string errorIn(const std::string &output)
{
	const size_t at = output.find("ERROR: ");
	const size_t text = output.find(": ", at + 7);
	if (at == std::string::npos || text == std::string::npos)
		return "no error";
	return output.substr(text + 2, output.find('\n', text) - text - 2);
}

std::string unplug(std::chrono::microseconds when, std::string &saw)
{
	Command command({"gst-launch-1.0", "heapcamerasrc", "camera-name=platform/vimc.0 Sensor B",
			 "heap=system", "!", "heapkmssink", "driver-name=vkms"});
	for (auto waited = 0ms; shownFramebuffer().empty(); waited += 5ms) {
		if (waited >= bounded || command.waitEnd(0ms))
			return "does not play: " + command.output();
		std::this_thread::sleep_for(5ms);
	}
	std::this_thread::sleep_for(when);
	bindVimc("unbind");
	const auto ending = command.waitEnd(bounded);
	bindVimc("bind");
	/* libcamera finds it once udev knows of it; time stands still while udevd works. */
	std::this_thread::sleep_for(2s);
	if (!ending)
		return "hangs";
	const std::string output = command.output();
	saw = errorIn(output);
	if (ending->bySignal || ending->status == 0)
		return std::format("status {}: {}", ending->status, output);
	return output.contains("is gone") ? "" : "does not say that it is gone: " + output;
}

std::string lost(const KernelMemory &before)
{
	KernelMemory after = KernelMemory::now();
	for (auto waited = 0ms; after != before && waited < 5s; waited += 20ms) {
		std::this_thread::sleep_for(20ms);
		after = KernelMemory::now();
	}
	return after == before ? "" : "before: " + before.text() + ", after: " + after.text();
}

} /* namespace */

void unplugVimc(RandomDraw &random, unsigned count, FaultRows &rows)
{
	const KernelMemory memory = KernelMemory::now();
	for (unsigned i = 0; i < count; i++) {
		std::string saw;
		const auto when = random.within(300ms);
		std::string broken = unplug(when, saw);
		if (broken.empty())
			broken = lost(memory);
		rows.add("camera unbound, libcamera's: gst-launch-1.0", saw,
			 broken.empty() ? ""
					: std::format("vimc, number {}, {} us after the first "
						      "frame: {}",
						      i, when.count(), broken));
	}
}

} /* namespace heapflow::torture */
