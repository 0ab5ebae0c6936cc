/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a camera application does with the libraries, in the parts that faults are put into. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/display/screen.h"
#include "heapflow/heap/heap_choice.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace heapflow::torture
{

struct CameraToScreenOptions {
	std::string heap = "video@*";
	std::string camera = "/dev/video7";
	std::string display = "vkms"; /**< driver */
	std::string device = {};      /**< node, instead of a driver */
	bool waitForScreen = false;
	uint32_t width = 640, height = 360;
	FrameRate rate = {};
	unsigned frames = 4; /**< 0: until cancel() */
};

/** \brief Frames of a camera on a screen, in memory of a heap; each part once, in this order */
class CameraToScreen
{
public:
	explicit CameraToScreen(const CameraToScreenOptions &options) : options_(options) {}

	/** \brief Memory, camera and screen, until the camera runs */
	Result<void> start();
	/** \brief Frames from the one to the other */
	Result<void> play();
	/** \brief The screen dark and the camera stopped; the first error, after doing both */
	Result<void> stop();
	/** \brief All of it closed and given back */
	Result<void> close();

	/** \brief Let play() come to its end; from any thread */
	void cancel() { cancelled_ = true; }
	/** \brief Frames that were on the screen so far; from any thread */
	uint64_t shown() const { return shown_; }

private:
	Result<void> openDevices();
	Result<void> shareMemory();
	void flipped(const FlipEvent &flip);
	Result<void> firstQueueError();

	CameraToScreenOptions options_;
	std::atomic<bool> cancelled_ = false;
	std::atomic<uint64_t> shown_ = 0;
	std::mutex mutex_;
	std::optional<Error> queueError_; /* of the screen's thread */
	AllocatedBuffers allocated_;
	std::unique_ptr<Camera> camera_;
	std::unique_ptr<Screen> screen_;
	FrameLayout layout_;
};

} /* namespace heapflow::torture */
