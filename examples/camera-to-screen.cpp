/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A camera application without GStreamer: frames go from a camera to a screen in memory of a heap
 * that is chosen by name, and no CPU touches them.
 *
 *   camera-to-screen [HEAP-EXPRESSION [CAMERA [FRAMES]]]
 *
 * The rule to keep: a buffer goes back to the camera only when the frame that replaced it is on the
 * screen. FlipEvent::released says which one that is. The flip handler runs in the Screen's thread,
 * and Camera::queue() may be called from any.
 */

#include <heapflow/camera/camera.h>
#include <heapflow/display/screen.h>
#include <heapflow/heap/heap_choice.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

using namespace heapflow;
using namespace std::chrono_literals;

namespace
{

int complain(const Error &error)
{
	std::cerr << "camera-to-screen: " << error.text() << '\n';
	return EXIT_FAILURE;
}

/* The first format of the camera that the screen can show; invalid formats stay the camera's
 * choice. */
uint32_t commonFormat(Camera &camera, const Screen &screen)
{
	const auto modes = camera.modes();
	if (!modes)
		return 0;
	for (const CaptureMode &mode : *modes) {
		for (const ScanoutFormat &format : screen.formats()) {
			if (format.fourcc == mode.fourcc)
				return mode.fourcc;
		}
	}
	return 0;
}

} /* namespace */

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == '-') {
		std::cout
			<< "usage: camera-to-screen [HEAP-EXPRESSION [CAMERA [FRAMES]]]\n"
			   "Shows FRAMES (300) of CAMERA (the first) in memory of a heap that the\n"
			   "expression chooses (video@*:default:system).\n";
		return std::string_view(argv[1]) == "--help" ? 0 : 2;
	}
	const char *expression = argc > 1 ? argv[1] : "video@*:default:system";
	const char *name = argc > 2 ? argv[2] : "";
	const long frames = argc > 3 ? std::atol(argv[3]) : 300;

	auto choice = chooseHeap(expression);
	if (!choice)
		return complain(choice.error());
	auto camera = openCamera(name);
	if (!camera)
		return complain(camera.error());
	auto screen = Screen::open({});
	if (!screen)
		return complain(screen.error());

	auto configuration = (*camera)->configure(
		{.fourcc = commonFormat(**camera, **screen), .width = 1280, .height = 720});
	if (!configuration)
		return complain(configuration.error());
	const FrameLayout &layout = configuration->layout;
	std::cout << (*camera)->info().model << ": " << describe(layout) << '\n';

	auto allocated =
		allocateBuffers(*choice, configuration->bufferCount, layout.size(), "camera");
	if (!allocated)
		return complain(allocated.error());
	std::cout << configuration->bufferCount << " buffers of " << allocated->heap.name.text
		  << '\n';

	auto plan = (*screen)->configure(layout, allocated->buffers[0].fd());
	if (!plan)
		return complain(plan.error());
	std::cout << plan->device << ", " << plan->connector << ", plane " << plan->planeId << '\n';

	/* Cookies are the buffers' indices plus one, because 0 means none. */
	std::atomic<long> shown = 0;
	(*screen)->setFlipHandler([&](const FlipEvent &flip) {
		shown++;
		if (flip.released)
			(void)(*camera)->queue(static_cast<unsigned>(flip.released - 1));
	});
	if (auto imported = (*camera)->importBuffers(allocated->buffers); !imported)
		return complain(imported.error());
	if (auto started = (*camera)->start(); !started)
		return complain(started.error());

	for (long i = 0; i < frames; i++) {
		auto frame = (*camera)->waitFrame(2s);
		if (!frame)
			return complain(frame.error());
		const Buffer &buffer = allocated->buffers[frame->index];
		if (auto shownFrame = (*screen)->show(buffer.fd(), layout, frame->index + 1);
		    !shownFrame)
			return complain(shownFrame.error());
	}

	/* The order of the end: nothing on the screen, then nothing in the camera, then the memory.
	 */
	(void)(*screen)->hide();
	(void)(*camera)->stop();
	std::cout << shown << " frames shown\n";
	return EXIT_SUCCESS;
}
