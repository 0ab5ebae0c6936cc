/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign dma-bufs in GStreamer: appsrc hands them over as GstDmaBufAllocator memory. */
#include "foreign_users.h"

#include "board_node.h"
#include "leftovers.h"
#include "player.h"

#include <format>
#include <memory>

#include <gst/allocators/gstdmabuf.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

constexpr const char *caps = "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width=640,"
			     "height=360,framerate=0/1";

struct Unref {
	void operator()(GstAllocator *allocator) const { gst_object_unref(allocator); }
	void operator()(GstMemory *memory) const { gst_memory_unref(memory); }
};
using AllocatorPtr = std::unique_ptr<GstAllocator, Unref>;
using MemoryPtr = std::unique_ptr<GstMemory, Unref>;

/* The descriptor is the memory's from here on. */
MemoryPtr memoryOf(UniqueFd fd)
{
	const AllocatorPtr allocator(gst_dmabuf_allocator_new());
	return MemoryPtr(gst_dmabuf_allocator_alloc(allocator.get(), fd.release(), frameSize));
}

/* The fields are set by hand: gst_buffer_add_video_meta_full() looks at what it is given. */
GstBuffer *frameOf(GstMemory *memory, const Claim &claim)
{
	GstBuffer *buffer = gst_buffer_new();
	gst_buffer_append_memory(buffer, gst_memory_ref(memory));
	GstVideoMeta *meta = gst_buffer_add_video_meta(
		buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, frameWidth, frameHeight);
	meta->width = claim.width;
	meta->height = claim.height;
	meta->n_planes = claim.planes;
	for (unsigned i = 0; i < GST_VIDEO_MAX_PLANES; i++) {
		meta->offset[i] = gsize(claim.offset[i % 2]);
		meta->stride[i] = gint(claim.stride[i % 2]);
	}
	return buffer;
}

Player appsrcTo(const std::string &behind)
{
	return Player(std::format("appsrc name=source format=time caps={} ! {}", caps, behind));
}

void push(const Player &player, GstMemory *memory, const Claim &claim = {})
{
	gst_app_src_push_buffer(GST_APP_SRC(player.element("source")), frameOf(memory, claim));
}

Verdict finish(Player &player, unsigned frames)
{
	gst_app_src_end_of_stream(GST_APP_SRC(player.element("source")));
	return player.finish(frames);
}

/* The same pipeline once more, with nothing wrong. */
Verdict andThenGood(Player &player, Verdict verdict)
{
	if (verdict.kind == Verdict::Kind::Broken)
		return verdict;
	auto good = goodMemory(frameSize);
	if (!good)
		return Verdict::broken(good.error().text());
	const MemoryPtr memory = memoryOf(std::move(*good));
	player.start();
	push(player, memory.get());
	const Verdict after = finish(player, 1);
	if (after.kind != Verdict::Kind::Played)
		return Verdict::broken(std::format("a good frame after it: {}; before: {}",
						   after.text, verdict.text));
	return verdict;
}

/* What becomes of the number; its memory still thinks that it has it. */
Result<void> lose(int number, Loss loss)
{
	Result<UniqueFd> other = fail(0, "");
	switch (loss) {
	case Loss::Closed:
		close(number);
		return {};
	case Loss::AnotherDmabuf:
		other = goodMemory(frameSize);
		break;
	case Loss::ShorterDmabuf:
		other = goodMemory(4096);
		break;
	case Loss::NoDmabuf:
		other = UniqueFd(dup(STDERR_FILENO));
		break;
	}
	if (!other)
		return std::unexpected(other.error());
	if (dup2(other->get(), number) < 0)
		return fail(errno, "dup2()");
	return {};
}

} /* namespace */

const char *nameOf(Loss loss)
{
	switch (loss) {
	case Loss::Closed:
		return "closed";
	case Loss::AnotherDmabuf:
		return "now of another dma-buf";
	case Loss::ShorterDmabuf:
		return "now of a shorter dma-buf";
	case Loss::NoDmabuf:
		break;
	}
	return "now of no dma-buf";
}

Verdict pipelineShows(const std::string &behind, MakeMemory make, const Claim &claim)
{
	Player player = appsrcTo(behind);
	auto foreign = make(frameSize);
	if (!player || !foreign)
		return Verdict::broken(foreign ? "no pipeline" : foreign.error().text());
	{
		const MemoryPtr memory = memoryOf(std::move(*foreign));
		player.start();
		push(player, memory.get(), claim);
	}
	return andThenGood(player, finish(player, 1));
}

Verdict pipelineShowsAgain(const std::string &behind, Loss loss)
{
	Player player = appsrcTo(behind);
	auto good = goodMemory(frameSize);
	auto other = goodMemory(frameSize);
	if (!player || !good || !other)
		return Verdict::broken("no pipeline, or no memory");
	Verdict verdict;
	{
		const MemoryPtr memory = memoryOf(std::move(*good));
		const MemoryPtr between = memoryOf(std::move(*other));
		player.start();
		push(player, memory.get());
		if (verdict = player.waitShown(1); verdict.kind != Verdict::Kind::Played)
			return verdict;
		if (auto lost = lose(gst_dmabuf_memory_get_fd(memory.get()), loss); !lost)
			return Verdict::broken(lost.error().text());
		push(player, between.get());
		push(player, memory.get());
		verdict = finish(player, 3);
	}
	return andThenGood(player, verdict);
}

Verdict pipelineForgets(Loss loss, unsigned frames)
{
	Player player = appsrcTo("heapkmssink name=sink sync=false");
	if (!player)
		return Verdict::broken("no pipeline");
	const unsigned before = holdings().framebuffers;
	player.start();
	for (unsigned i = 1; i <= frames; i++) {
		auto good = goodMemory(frameSize);
		if (!good)
			return Verdict::broken(good.error().text());
		const MemoryPtr memory = memoryOf(std::move(*good));
		push(player, memory.get());
		if (Verdict shown = player.waitShown(i); shown.kind != Verdict::Kind::Played)
			return shown;
		if (auto lost = lose(gst_dmabuf_memory_get_fd(memory.get()), loss); !lost)
			return Verdict::broken(lost.error().text());
	}
	/* One on the screen, one that it replaced. */
	const unsigned kept = holdings().framebuffers - before;
	if (kept > 3)
		return Verdict::broken(
			std::format("{} framebuffers are kept of {} frames whose memory is gone",
				    kept, frames));
	return finish(player, frames);
}

namespace
{

struct Thief {
	Loss loss;
	unsigned left;
};

GstPadProbeReturn steal(GstPad *, GstPadProbeInfo *info, gpointer data)
{
	auto *thief = static_cast<Thief *>(data);
	if (thief->left == 0 || --thief->left > 0)
		return GST_PAD_PROBE_OK;
	GstMemory *memory = gst_buffer_peek_memory(GST_PAD_PROBE_INFO_BUFFER(info), 0);
	(void)lose(gst_dmabuf_memory_get_fd(memory), thief->loss);
	return GST_PAD_PROBE_OK;
}

} /* namespace */

Verdict cameraPipelineLoses(Loss loss, unsigned atFrame)
{
	const auto line = [](unsigned frames) {
		return std::format("heapcamerasrc name=source camera-name={} num-buffers={} "
				   "heap=video@* ! video/x-raw(memory:DMABuf),format=DMA_DRM,"
				   "drm-format=NV12,width=640,height=360 ! "
				   "heapkmssink name=sink driver-name=vkms",
				   vividNode(), frames);
	};
	Thief thief{loss, atFrame};
	Verdict verdict;
	{
		Player player(line(40));
		if (!player)
			return Verdict::broken("no pipeline");
		GstPad *pad = gst_element_get_static_pad(player.element("source"), "src");
		gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, steal, &thief, nullptr);
		gst_object_unref(pad);
		player.start();
		verdict = player.finish(30);
	}
	if (verdict.kind == Verdict::Kind::Broken)
		return verdict;
	Player again(line(5));
	again.start();
	const Verdict after = again.finish(4);
	return after.kind == Verdict::Kind::Played
		       ? verdict
		       : Verdict::broken("camera to screen after it: " + after.text);
}

} /* namespace heapflow::torture */
