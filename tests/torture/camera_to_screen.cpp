/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "camera_to_screen.h"

#include <chrono>

#include <drm_fourcc.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

Result<void> CameraToScreen::openDevices()
{
	auto camera = openCamera(options_.camera);
	if (!camera)
		return std::unexpected(camera.error());
	camera_ = std::move(*camera);
	auto screen = options_.device.empty()
			      ? Screen::open({.driver = options_.display,
					      .waitForScreen = options_.waitForScreen})
			      : Screen::open({.device = options_.device,
					      .waitForScreen = options_.waitForScreen});
	if (!screen)
		return std::unexpected(screen.error());
	screen_ = std::move(*screen);
	return {};
}

Result<void> CameraToScreen::shareMemory()
{
	const auto choice = chooseHeap(options_.heap);
	if (!choice)
		return std::unexpected(choice.error());
	const auto configuration = camera_->configure({.fourcc = DRM_FORMAT_XRGB8888,
						       .width = options_.width,
						       .height = options_.height,
						       .rate = options_.rate});
	if (!configuration)
		return std::unexpected(configuration.error());
	layout_ = configuration->layout;
	auto allocated =
		allocateBuffers(*choice, configuration->bufferCount, layout_.size(), "fail-nth");
	if (!allocated)
		return std::unexpected(allocated.error());
	allocated_ = std::move(*allocated);
	if (auto imported = camera_->importBuffers(allocated_.buffers); !imported)
		return imported;
	const auto plan = screen_->configure(layout_, allocated_.buffers.front().fd());
	if (!plan)
		return std::unexpected(plan.error());
	return {};
}

Result<void> CameraToScreen::start()
{
	if (auto opened = openDevices(); !opened)
		return opened;
	if (auto shared = shareMemory(); !shared)
		return shared;
	screen_->setFlipHandler([this](const FlipEvent &flip) { flipped(flip); });
	return camera_->start();
}

/* Cookies are the buffers' indices plus one, because 0 means none. */
void CameraToScreen::flipped(const FlipEvent &flip)
{
	shown_ += flip.cookie != 0;
	if (!flip.released)
		return;
	const auto queued = camera_->queue(static_cast<unsigned>(flip.released - 1));
	const std::scoped_lock lock(mutex_);
	if (!queued && !queueError_)
		queueError_ = queued.error();
}

Result<void> CameraToScreen::firstQueueError()
{
	const std::scoped_lock lock(mutex_);
	if (queueError_)
		return std::unexpected(*queueError_);
	return {};
}

Result<void> CameraToScreen::play()
{
	for (unsigned i = 0; !cancelled_ && (!options_.frames || i < options_.frames); i++) {
		const auto frame = camera_->waitFrame(2s);
		if (!frame)
			return std::unexpected(frame.error());
		if (auto shown = screen_->show(allocated_.buffers[frame->index].fd(), layout_,
					       frame->index + 1);
		    !shown)
			return shown;
	}
	if (auto drained = screen_->drain(2s); !drained)
		return drained;
	return firstQueueError();
}

Result<void> CameraToScreen::stop()
{
	Result<void> first;
	const auto keep = [&first](const Result<void> &result) {
		if (first && !result)
			first = result;
	};
	if (screen_)
		keep(screen_->hide());
	if (camera_)
		keep(camera_->stop());
	keep(firstQueueError());
	return first;
}

Result<void> CameraToScreen::close()
{
	screen_.reset();
	camera_.reset();
	allocated_ = {};
	return {};
}

} /* namespace heapflow::torture */
