/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bad consumers of the libraries: of heapflow-camera, and of gstheap-1.0's pool. */
#include "consumer_scenarios.h"
#include "kernel_memory.h"
#include "library_fixture.h"

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap_choice.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <drm_fourcc.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

ConsumerOutcome libraryDoesNotQueue(RandomDraw &random);
ConsumerOutcome poolGoesBeforeItsFrames(RandomDraw &random);

namespace
{

ConsumerOutcome told(const Error &error)
{
	return {"", error.text()};
}

/* All frames that it gives, until it has no buffer left. */
Result<std::vector<unsigned>> takeAll(Camera &camera, unsigned count)
{
	std::vector<unsigned> kept;
	for (;;) {
		const auto frame = camera.waitFrame(500ms);
		if (frame && kept.size() < count)
			kept.push_back(frame->index);
		else if (frame)
			return fail(EIO, "more frames than buffers");
		else if (frame.error().code == ETIMEDOUT)
			return kept;
		else
			return std::unexpected(frame.error());
	}
}

Result<void> keepAndQueue(Camera &camera, unsigned count, RandomDraw &random)
{
	for (unsigned round = 0; round < 3; round++) {
		auto kept = takeAll(camera, count);
		if (!kept)
			return std::unexpected(kept.error());
		if (kept->size() != count)
			return fail(EIO, std::format("{} of {} buffers came", kept->size(), count));
		while (!kept->empty()) {
			const auto at = kept->begin() + random.below(std::ssize(*kept));
			if (auto queued = camera.queue(*at); !queued)
				return queued;
			kept->erase(at);
		}
	}
	return {};
}

} /* namespace */

ConsumerOutcome libraryDoesNotQueue(RandomDraw &random)
{
	const auto camera = openCamera("vivid");
	if (!camera)
		return told(camera.error());
	const auto configuration =
		(*camera)->configure({.fourcc = DRM_FORMAT_NV12,
				      .width = 320,
				      .height = 180,
				      .rate = {60, 1},
				      .bufferCount = 3 + unsigned(random.below(6))});
	if (!configuration)
		return told(configuration.error());
	const unsigned count = configuration->bufferCount;
	const auto choice = chooseHeap(random.oneIn(2) ? "video@*" : "system");
	if (!choice)
		return told(choice.error());
	const auto allocated =
		allocateBuffers(*choice, count, configuration->layout.size(), "kept");
	if (!allocated)
		return told(allocated.error());
	if (auto imported = (*camera)->importBuffers(allocated->buffers); !imported)
		return told(imported.error());
	if (auto started = (*camera)->start(); !started)
		return told(started.error());
	if (auto kept = keepAndQueue(**camera, count, random); !kept)
		return told(kept.error());
	/* And stops with all of them in its hands. */
	if (auto last = takeAll(**camera, count); !last)
		return told(last.error());
	if (auto stopped = (*camera)->stop(); !stopped)
		return told(stopped.error());
	if (const auto late = (*camera)->queue(0); late || late.error().code != ECANCELED)
		return {"", "a buffer that comes back after stop() is not ECANCELED"};
	return {"ETIMEDOUT; frames go on when they are queued", ""};
}

ConsumerOutcome poolGoesBeforeItsFrames(RandomDraw &random)
{
	const KernelMemory before = KernelMemory::now();
	const unsigned keeps = 1 + unsigned(random.below(8));
	std::vector<GstBuffer *> kept;
	{
		const test::PoolPointer pool =
			test::activePool(random.oneIn(2) ? "video@*" : "system", 2, 8);
		if (!pool)
			return {"", "there is no pool"};
		for (unsigned i = 0; i < keeps; i++) {
			GstBuffer *buffer = nullptr;
			if (gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr) !=
			    GST_FLOW_OK)
				return {"", "the pool has no buffer"};
			gst_buffer_memset(buffer, 0, guint8(i + 1), gst_buffer_get_size(buffer));
			kept.push_back(buffer);
		}
		if (random.oneIn(2))
			gst_buffer_pool_set_active(pool.get(), FALSE);
	}
	ConsumerOutcome outcome{"the memory goes with the last reference", ""};
	if (random.oneIn(2))
		std::ranges::reverse(kept);
	for (size_t left = kept.size(); left > 0; left--) {
		guint8 byte = 0;
		gst_buffer_extract(kept[left - 1], gst_buffer_get_size(kept[left - 1]) - 1, &byte,
				   1);
		if (byte == 0 || byte > keeps)
			outcome.broken = "a frame that is kept is not what it was";
		gst_buffer_unref(kept[left - 1]);
	}
	const uint64_t after = KernelMemory::now().dmabufs;
	if (outcome.broken.empty() && after != before.dmabufs)
		outcome.broken = std::format("{} dma-bufs are left", after - before.dmabufs);
	return outcome;
}

} /* namespace heapflow::torture */
