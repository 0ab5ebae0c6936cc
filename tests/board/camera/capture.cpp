/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "capture.h"

#include <gtest/gtest.h>
#include <time.h>

namespace heapflow::test
{

namespace
{

constexpr int64_t second = 1'000'000'000;

int64_t monotonic()
{
	timespec time{};
	clock_gettime(CLOCK_MONOTONIC, &time);
	return int64_t{time.tv_sec} * second + time.tv_nsec;
}

void checkFrame(const Capture &capture, const CapturedFrame &frame, const CapturedFrame *before,
		int64_t asked)
{
	EXPECT_LT(frame.index, capture.buffers.size());
	EXPECT_FALSE(frame.corrupted);
	EXPECT_LE(frame.arrival, monotonic());
	/* A frame that waited in the queue has arrived before it was asked for, but not long ago.
	 */
	EXPECT_GT(frame.arrival, asked - 10 * second);
	/* The same clock, or it would be off by much more; vivid's times are ahead of the frame. */
	EXPECT_LT(std::abs(frame.timestamp - frame.arrival), 2 * second);
	if (!before)
		return;
	EXPECT_GT(frame.sequence, before->sequence);
	EXPECT_GE(frame.arrival, before->arrival);
	/* Equal only in simulated time, where drawing a frame takes none. */
	EXPECT_GE(frame.timestamp, before->timestamp);
}

} /* namespace */

CaptureRequest request(uint32_t fourcc, uint32_t width, uint32_t height, FrameRate rate)
{
	CaptureRequest result;
	result.fourcc = fourcc;
	result.width = width;
	result.height = height;
	result.rate = rate;
	return result;
}

Result<Capture> openCapture(const std::string &camera, const CaptureRequest &request)
{
	Capture capture;
	auto opened = openCamera(camera);
	if (!opened)
		return std::unexpected(opened.error());
	capture.camera = std::move(*opened);
	auto configuration = capture.camera->configure(request);
	if (!configuration)
		return std::unexpected(configuration.error());
	capture.configuration = *configuration;
	return capture;
}

Result<void> importFrom(Capture &capture, const std::string &heap)
{
	capture.buffers = allocate(heap, capture.configuration.bufferCount,
				   capture.configuration.layout.size());
	return capture.camera->importBuffers(capture.buffers);
}

Result<Capture> startCapture(const std::string &camera, const CaptureRequest &request,
			     const std::string &heap)
{
	auto capture = openCapture(camera, request);
	if (!capture)
		return capture;
	if (auto imported = importFrom(*capture, heap); !imported)
		return std::unexpected(imported.error());
	if (auto started = capture->camera->start(); !started)
		return std::unexpected(started.error());
	return capture;
}

Result<std::vector<CapturedFrame>> takeFrames(Capture &capture, unsigned count, const Look &look)
{
	std::vector<CapturedFrame> frames;
	while (frames.size() < count) {
		const int64_t asked = monotonic();
		const auto frame = capture.camera->waitFrame(patience);
		if (!frame)
			return std::unexpected(frame.error());
		checkFrame(capture, *frame, frames.empty() ? nullptr : &frames.back(), asked);
		if (look)
			look(*frame, capture.buffers[frame->index]);
		if (auto queued = capture.camera->queue(frame->index); !queued)
			return std::unexpected(queued.error());
		frames.push_back(*frame);
	}
	return frames;
}

} /* namespace heapflow::test */
