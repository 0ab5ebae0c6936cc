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
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

using namespace heapflow;
using namespace std::chrono_literals;

namespace
{

volatile std::sig_atomic_t stopped = 0; /* by Ctrl-C */

/* What the camera and the screen use; they go first, as members are destroyed from the last on. */
struct Viewer {
	AllocatedBuffers allocated;
	std::atomic<unsigned long> shown = 0;
	std::unique_ptr<Camera> camera;
	std::unique_ptr<Screen> screen;
	FrameLayout layout;
};

/* The first format of the camera, in its order of preference, that a plane of the screen takes. */
Result<uint32_t> commonFormat(Camera &camera, const Screen &screen)
{
	const auto modes = camera.modes();
	if (!modes)
		return std::unexpected(modes.error());
	for (const CaptureMode &mode : *modes)
		for (const ScanoutFormat &format : screen.formats())
			if (format.fourcc == mode.fourcc)
				return mode.fourcc;
	return fail(ENOTSUP, "the screen has no plane for any format of the camera");
}

/* Everything before the first frame: formats, memory, and both devices told of it. */
Result<void> prepare(Viewer &viewer, std::string_view expression, std::string_view name)
{
	auto choice = chooseHeap(expression);
	if (!choice)
		return std::unexpected(choice.error());
	auto camera = openCamera(name);
	if (!camera)
		return std::unexpected(camera.error());
	viewer.camera = std::move(*camera);
	auto screen = Screen::open({});
	if (!screen)
		return std::unexpected(screen.error());
	viewer.screen = std::move(*screen);

	const auto format = commonFormat(*viewer.camera, *viewer.screen);
	if (!format)
		return std::unexpected(format.error());
	/* Near to the screen's size; what the camera makes of it is in the answer. */
	CaptureRequest request;
	request.fourcc = *format;
	request.width = viewer.screen->mode().width;
	request.height = viewer.screen->mode().height;
	const auto configuration = viewer.camera->configure(request);
	if (!configuration)
		return std::unexpected(configuration.error());
	viewer.layout = configuration->layout;

	auto allocated = allocateBuffers(*choice, configuration->bufferCount, viewer.layout.size(),
					 "camera-to-screen");
	if (!allocated)
		return std::unexpected(allocated.error());
	viewer.allocated = std::move(*allocated);
	/* EFAULT here, or from the first waitFrame(): the camera does not take this memory. */
	if (auto imported = viewer.camera->importBuffers(viewer.allocated.buffers); !imported)
		return imported;
	const auto plan =
		viewer.screen->configure(viewer.layout, viewer.allocated.buffers.front().fd());
	if (!plan)
		return std::unexpected(plan.error());
	std::cout << viewer.camera->info().model << ", " << describe(viewer.layout) << ", "
		  << viewer.allocated.buffers.size() << " buffers of "
		  << viewer.allocated.heap.name.text << ", " << plan->device << ", "
		  << plan->connector << ", plane " << plan->planeId << std::endl;
	return {};
}

Result<void> show(Viewer &viewer, long frames)
{
	/* Cookies are the buffers' indices plus one, because 0 means none. */
	viewer.screen->setFlipHandler([&viewer](const FlipEvent &flip) {
		if (flip.cookie)
			viewer.shown++;
		if (flip.released)
			(void)viewer.camera->queue(static_cast<unsigned>(flip.released - 1));
	});
	if (auto started = viewer.camera->start(); !started)
		return started;
	for (long i = 0; (frames == 0 || i < frames) && !stopped; i++) {
		const auto frame = viewer.camera->waitFrame(2s);
		if (!frame)
			return std::unexpected(frame.error());
		if (auto shown = viewer.screen->show(viewer.allocated.buffers[frame->index].fd(),
						     viewer.layout, frame->index + 1);
		    !shown)
			return shown;
	}
	/* The order of the end: nothing on the screen, then nothing in the camera. */
	if (auto hidden = viewer.screen->hide(); !hidden)
		return hidden;
	return viewer.camera->stop();
}

} /* namespace */

int main(int argc, char **argv)
{
	if (argc > 4 || (argc > 1 && argv[1][0] == '-')) {
		std::cout << "usage: camera-to-screen [HEAP-EXPRESSION [CAMERA [FRAMES]]]\n"
			     "Shows CAMERA (the first) in memory of a heap that the expression "
			     "chooses\n"
			     "(video@*:default:system), for FRAMES (0: until Ctrl-C).\n";
		return std::string_view(argv[1]) == "--help" ? EXIT_SUCCESS : 2;
	}
	std::signal(SIGINT, [](int) { stopped = 1; });
	Viewer viewer;
	auto done = prepare(viewer, argc > 1 ? argv[1] : "video@*:default:system",
			    argc > 2 ? argv[2] : "");
	if (done)
		done = show(viewer, argc > 3 ? std::atol(argv[3]) : 0);
	std::cout << viewer.shown << " frames shown\n";
	if (!done)
		std::cerr << "camera-to-screen: " << done.error().text() << '\n';
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
