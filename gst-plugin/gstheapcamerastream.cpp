/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerastream.h"

#include "gstheapcameraplan.h"
#include "gstheapformat.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

namespace heapflow::gst
{

CameraStream::~CameraStream()
{
	close();
	drop();
	gst_clear_caps(&caps_);
	gst_clear_object(&memory_.peer.pool);
	gst_clear_object(&memory_.peer.allocator);
}

void CameraStream::reset(CaptureConfiguration configuration)
{
	close();
	drop();
	/* The camera has let go of the descriptors. */
	buffers_.clear();
	configuration_ = std::move(configuration);
}

Result<void> CameraStream::begin(const StreamMemory &memory, GstCaps *caps)
{
	gst_clear_object(&memory_.peer.pool);
	gst_clear_object(&memory_.peer.allocator);
	memory_ = memory;
	if (memory_.peer.pool)
		gst_object_ref(memory_.peer.pool);
	if (memory_.peer.allocator)
		gst_object_ref(memory_.peer.allocator);
	gst_caps_replace(&caps_, caps);
	choice_ = {};
	choiceMade_ = false;
	reasons_.clear();
	strideTried_ = false;
	wantedStride_ = 0;
	tryPeer_ = memory_.peer.pool && (memory_.mode == BufferMode::Downstream ||
					 (memory_.mode == BufferMode::Auto && !memory_.heapGiven));
	if (memory_.mode == BufferMode::Downstream && !memory_.peer.pool)
		return fail(ENOTSUP, _("downstream proposes no pool of buffers"),
			    _("buffer-mode=heap takes them from a heap"));
	return {};
}

Result<void> CameraStream::prepare(std::vector<std::string> &notes)
{
	if (tryPeer_) {
		auto imported = fromPeer();
		if (imported || imported.error().code == EAGAIN)
			return imported;
		tryPeer_ = false;
		if (memory_.mode == BufferMode::Downstream)
			return imported;
		/* Ordinary memory is what most sinks propose: nothing to warn of. */
		if (imported.error().code != ENOTSUP)
			notes.push_back(formatted(_("downstream's buffers do not serve: %s"),
						  imported.error().message.c_str()));
		return fail(EAGAIN, imported.error().message);
	}
	return fromHeap(notes);
}

Result<void> CameraStream::fromPeer()
{
	uint32_t stride = 0;
	auto peer = PeerBuffers::take(memory_.peer, caps_, configuration_, stride);
	if (!peer && peer.error().code == ERANGE && !std::exchange(strideTried_, true)) {
		wantedStride_ = stride;
		return fail(EAGAIN, peer.error().message);
	}
	wantedStride_ = 0;
	if (!peer)
		return std::unexpected(peer.error());

	auto buffers = peer->forCamera();
	if (!buffers)
		return std::unexpected(buffers.error());
	buffers_ = std::move(*buffers);
	if (auto imported = camera_.importBuffers(buffers_, number_); !imported)
		return imported;

	heap_ = peer->heap();
	reason_ = "downstream proposed " + peer->description();
	way_ = std::make_shared<CameraReturn>(&camera_, number_);
	std::vector<GstMemory *> memories;
	for (GstBuffer *buffer : peer->buffers())
		memories.push_back(gst_buffer_get_memory(buffer, 0));
	auto pool =
		gst_heap_camera_pool_new_wrapped(std::move(memories), configuration_, caps_, way_);
	if (!pool)
		return std::unexpected(pool.error());
	pool_ = *pool;
	gst_heap_camera_pool_keep_with(pool_, std::move(*peer));
	ofPeer_ = true;
	return {};
}

Result<void> CameraStream::fromHeap(std::vector<std::string> &notes)
{
	if (!std::exchange(choiceMade_, true)) {
		std::vector<std::string> displays;
		if (!memory_.display.device.empty())
			displays.push_back(memory_.display.device);
		auto choice = chooseCameraHeap(memory_.heap, camera_.info(), configuration_.needs,
					       displays);
		if (!choice)
			return std::unexpected(choice.error());
		choice_ = std::move(*choice);
		reasons_ = heapReasons(choice_);
	}
	auto allocated = allocateBuffers(choice_, configuration_.bufferCount,
					 configuration_.layout.size(), memory_.name);
	if (!allocated)
		return std::unexpected(allocated.error());
	for (const HeapFallback &fallback : allocated->fallbacks)
		notes.push_back(fallback.text());

	const std::string heap = allocated->heap.name.text;
	buffers_ = std::move(allocated->buffers);
	if (auto imported = camera_.importBuffers(buffers_, number_); !imported) {
		if (imported.error().code != EFAULT)
			return imported;
		removeTaken(heap);
		if (choice_.candidates.empty() || !choice_.taken().matches)
			return imported;
		notes.push_back(formatted(_("heap %s does not serve: %s"), heap.c_str(),
					  imported.error().message.c_str()));
		return fail(EAGAIN, imported.error().message);
	}

	heap_ = heap;
	for (const HeapCandidate &candidate : choice_.candidates)
		if (candidate.heap.name.text == heap_)
			reason_ = candidate.reason;
	way_ = std::make_shared<CameraReturn>(&camera_, number_);
	/* Its choice is never asked: the memory is there. */
	GstAllocator *allocator = gst_heap_allocator_new(choice_, memory_.name);
	auto pool = gst_heap_camera_pool_new(GST_HEAP_ALLOCATOR(allocator), allocated->heap,
					     buffers_, configuration_, caps_, way_);
	gst_object_unref(allocator);
	if (!pool)
		return std::unexpected(pool.error());
	pool_ = *pool;
	return {};
}

void CameraStream::removeTaken(std::string_view heap)
{
	std::erase_if(choice_.candidates, [heap](const HeapCandidate &candidate) {
		return candidate.heap.name.text == heap;
	});
}

bool CameraStream::refuse(const Error &refusal, std::vector<std::string> &notes)
{
	if (ofPeer_) {
		tryPeer_ = false;
		notes.push_back(formatted(_("downstream's buffers do not serve: %s"),
					  refusal.message.c_str()));
		return memory_.mode != BufferMode::Downstream;
	}
	const std::string refused = heap_;
	removeTaken(refused);
	if (choice_.candidates.empty() || !choice_.taken().matches)
		return false;
	notes.push_back(formatted(_("heap %s does not serve: %s"), refused.c_str(),
				  refusal.message.c_str()));
	return true;
}

GstBuffer *CameraStream::take(unsigned index)
{
	return pool_ ? gst_heap_camera_pool_take(pool_, index) : nullptr;
}

void CameraStream::close()
{
	if (way_)
		way_->close();
}

void CameraStream::drop()
{
	way_.reset();
	ofPeer_ = false;
	if (!pool_)
		return;
	/* Buffers that are still downstream keep the pool, and their memory its descriptors. */
	gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(pool_), FALSE);
	gst_clear_object(&pool_);
	heap_.clear();
	reason_.clear();
}

size_t CameraStream::buffersDownstream() const
{
	return pool_ ? gst_heap_camera_pool_outstanding(pool_) : 0;
}

size_t CameraStream::buffersKept()
{
	return pool_ ? gst_heap_camera_pool_collect(pool_) : 0;
}

uint64_t CameraStream::heapBytes() const
{
	uint64_t bytes = 0;
	for (const Buffer &buffer : buffers_)
		bytes += buffer.size();
	return bytes;
}

std::vector<uint64_t> CameraStream::inodes() const
{
	std::vector<uint64_t> inodes;
	for (const Buffer &buffer : buffers_) {
		struct stat status = {};
		if (fstat(buffer.fd(), &status) == 0)
			inodes.push_back(status.st_ino);
	}
	return inodes;
}

void CameraStream::describe(GstStructure *plan) const
{
	const FrameLayout &layout = configuration_.layout;

	gst_structure_set(plan, "stream", G_TYPE_UINT, number_, "format", G_TYPE_STRING,
			  drmFormatString(layout.fourcc, layout.modifier).c_str(), "width",
			  G_TYPE_UINT, layout.width, "height", G_TYPE_UINT, layout.height, "layout",
			  G_TYPE_STRING, heapflow::describe(layout).c_str(), "framerate",
			  GST_TYPE_FRACTION, int(configuration_.rate.numerator),
			  int(configuration_.rate.denominator), "caps", GST_TYPE_CAPS, caps_,
			  "buffers", G_TYPE_UINT, configuration_.bufferCount, "buffers-of",
			  G_TYPE_STRING, ofPeer_ ? "downstream" : "heap", "heap", G_TYPE_STRING,
			  heap_.c_str(), "heap-reason", G_TYPE_STRING, reason_.c_str(),
			  "heap-bytes", G_TYPE_UINT64, heapBytes(), "heap-reasons", G_TYPE_STRING,
			  reasons_.c_str(), "display", G_TYPE_STRING, memory_.display.name.c_str(),
			  "pitch-alignment", G_TYPE_UINT, memory_.display.pitchAlignment, nullptr);
}

} /* namespace heapflow::gst */
