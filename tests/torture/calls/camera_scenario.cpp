/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vivid through raw V4L2, with frames, controls and a fence; and the list that follows cameras. */
#include "scenario.h"

#include "board_node.h"

#include "heapflow/camera/camera.h"
#include "heapflow/camera/camera_monitor.h"
#include "heapflow/heap/heap_choice.h"

#include <algorithm>
#include <format>

#include <drm_fourcc.h>

namespace heapflow::torture
{

namespace
{

using namespace std::chrono_literals;

constexpr unsigned frameCount = 10;

Result<std::vector<Buffer>> allocateFor(const CaptureConfiguration &configuration)
{
	auto choice = chooseHeap("video@*:default");
	if (!choice)
		return std::unexpected(choice.error());
	auto allocated = allocateBuffers(*choice, configuration.bufferCount,
					 configuration.layout.size(), "torture");
	if (!allocated)
		return std::unexpected(allocated.error());
	return std::move(allocated->buffers);
}

Result<void> useControls(Camera &camera)
{
	const std::vector<ControlDescription> controls = camera.controls();
	const auto found =
		std::ranges::find(controls, std::string("brightness"), &ControlDescription::name);
	/* A list that could not be read whole has fewer. */
	if (found == controls.end())
		return {};
	return camera.setControls({{"brightness", int64_t(100)}});
}

Result<void> takeFrames(Camera &camera, const std::vector<Buffer> &buffers)
{
	std::optional<uint64_t> last;
	for (unsigned i = 0; i < frameCount; i++) {
		const auto frame = camera.waitFrame(2s);
		if (!frame)
			return std::unexpected(frame.error());
		if (frame->index >= buffers.size() || (last && frame->sequence <= *last))
			return fail(0, std::format("WRONG: frame {} is number {} in buffer {}", i,
						   frame->sequence, frame->index));
		last = frame->sequence;
		std::optional<Fence> fence;
		if (i == 3) {
			auto exported =
				Fence::exportFrom(buffers[frame->index].fd(), Access::Write);
			if (!exported)
				return std::unexpected(exported.error());
			fence = std::move(*exported);
		}
		if (auto queued = camera.queue(frame->index, 0, std::move(fence)); !queued)
			return queued;
	}
	return {};
}

} /* namespace */

Result<void> useCamera()
{
	auto camera = openCamera(vividNode());
	if (!camera)
		return std::unexpected(camera.error());
	if (auto modes = (*camera)->modes(); !modes)
		return std::unexpected(modes.error());
	const auto configuration = (*camera)->configure(
		{.fourcc = DRM_FORMAT_NV12, .width = 640, .height = 360, .rate = {30, 1}});
	if (!configuration)
		return std::unexpected(configuration.error());
	/* Before the camera: its buffers are borrowed until it is destroyed. */
	const auto buffers = allocateFor(*configuration);
	if (!buffers)
		return std::unexpected(buffers.error());
	const std::unique_ptr<Camera> user = std::move(*camera);
	if (auto imported = user->importBuffers(*buffers); !imported)
		return imported;
	if (auto set = useControls(*user); !set)
		return set;
	if (auto started = user->start(); !started)
		return started;
	if (auto taken = takeFrames(*user, *buffers); !taken)
		return taken;
	return user->stop();
}

Result<void> useCameraMonitor()
{
	auto monitor = CameraMonitor::start([](const CameraEvent &) {});
	if (!monitor)
		return std::unexpected(monitor.error());
	/* vivid is there from boot on; a list that it is missing in is wrong and says nothing. */
	const std::vector<CameraInfo> cameras = (*monitor)->cameras();
	if (std::ranges::find(cameras, vividNode(), &CameraInfo::id) == cameras.end())
		return fail(0,
			    "LEFT OUT: vivid is not in the list of cameras, and no error says why");
	return {};
}

} /* namespace heapflow::torture */
