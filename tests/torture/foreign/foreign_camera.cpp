/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign dma-bufs for cameras to capture into. */
#include "foreign_users.h"

#include "heapflow/camera/camera.h"

#include <chrono>
#include <format>

#include <unistd.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr unsigned framesEach = 2;

/* Frames until each buffer was filled and queued some times. */
Result<void> capture(Camera &camera, std::span<const Buffer> buffers)
{
	if (auto imported = camera.importBuffers(buffers); !imported)
		return imported;
	if (auto started = camera.start(); !started)
		return started;
	Result<void> result;
	for (size_t i = 0; result && i < framesEach * buffers.size(); i++) {
		const auto frame = camera.waitFrame(5s);
		if (!frame)
			result = std::unexpected(frame.error());
		else
			result = camera.queue(frame->index);
	}
	if (auto stopped = camera.stop(); !stopped && result)
		return stopped;
	return result;
}

Result<std::vector<Buffer>> buffersFor(const CaptureConfiguration &configuration)
{
	std::vector<Buffer> buffers;
	const uint64_t size = configuration.layout.size();
	for (unsigned i = 0; i < configuration.bufferCount; i++) {
		auto memory = goodMemory(size);
		if (!memory)
			return std::unexpected(memory.error());
		buffers.emplace_back(std::move(*memory), size, "system");
	}
	return buffers;
}

/* Of the size that all the rest is about, or what it has instead. */
Result<CaptureConfiguration> configure(Camera &camera)
{
	return camera.configure({.width = frameWidth, .height = frameHeight});
}

Verdict andThenGood(Camera &camera, const Verdict &verdict)
{
	const auto configuration = configure(camera);
	if (!configuration)
		return Verdict::broken("configuring after it: " + configuration.error().text());
	const auto buffers = buffersFor(*configuration);
	if (!buffers)
		return Verdict::broken(buffers.error().text());
	if (auto after = capture(camera, *buffers); !after)
		return Verdict::broken(std::format("good buffers after it: {}; before: {}",
						   after.error().text(), verdict.text));
	/* The buffers go before the camera: it lets go of them when it is configured anew. */
	(void)configure(camera);
	return verdict;
}

} /* namespace */

Verdict cameraCaptures(const std::string &name, MakeMemory make, unsigned which)
{
	auto camera = openCamera(name);
	if (!camera)
		return Verdict::broken(camera.error().text());
	const auto configuration = configure(**camera);
	if (!configuration)
		return Verdict::broken(configuration.error().text());
	const uint64_t size = configuration->layout.size();
	Verdict verdict;
	{
		auto buffers = buffersFor(*configuration);
		auto foreign = make(size);
		if (!buffers || !foreign)
			return Verdict::broken("no memory");
		(*buffers)[which % buffers->size()] = Buffer(std::move(*foreign), size, "system");
		verdict = Verdict::of(capture(**camera, *buffers));
		(void)configure(**camera);
	}
	return andThenGood(**camera, verdict);
}

Verdict cameraLoses(const std::string &name, Loss loss)
{
	auto camera = openCamera(name);
	if (!camera)
		return Verdict::broken(camera.error().text());
	const auto configuration = configure(**camera);
	if (!configuration)
		return Verdict::broken(configuration.error().text());
	Verdict verdict;
	{
		auto buffers = buffersFor(*configuration);
		if (!buffers)
			return Verdict::broken(buffers.error().text());
		if (auto imported = (*camera)->importBuffers(*buffers); !imported)
			return Verdict::broken(imported.error().text());
		const int number = buffers->front().fd();
		const auto other = goodMemory(
			loss == Loss::ShorterDmabuf ? 4096 : configuration->layout.size());
		if (loss == Loss::Closed)
			close(number);
		else
			dup2(loss == Loss::NoDmabuf ? STDERR_FILENO : other->get(), number);
		Result<void> done = (*camera)->start();
		/* Longer than a driver may refuse to take a buffer back. */
		for (unsigned i = 0; done && i < 200; i++) {
			const auto frame = (*camera)->waitFrame(5s);
			done = frame ? (*camera)->queue(frame->index)
				     : Result<void>(std::unexpected(frame.error()));
		}
		(void)(*camera)->stop();
		verdict = Verdict::of(done);
		(void)configure(**camera);
	}
	return andThenGood(**camera, verdict);
}

} /* namespace heapflow::torture */
