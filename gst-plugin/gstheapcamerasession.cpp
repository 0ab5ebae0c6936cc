/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerasession.h"

#include "gstheapformat.h"

#include <algorithm>
#include <cerrno>

namespace heapflow::gst
{

Result<std::unique_ptr<CameraSession>> CameraSession::open(std::string_view name)
{
	auto camera = openCamera(name);
	if (!camera)
		return std::unexpected(camera.error());

	std::unique_ptr<CameraSession> session(new CameraSession(std::move(*camera)));
	auto modes = session->camera_->modes();
	if (!modes)
		return std::unexpected(modes.error());
	if (modes->empty())
		return fail(EINVAL, session->info().id + " has no format that heapflow knows");
	session->modes_ = std::move(*modes);
	return session;
}

CameraSession::~CameraSession()
{
	stop();
	dropPool();
	gst_clear_caps(&caps_);
	/* The camera borrows the buffers until it is destroyed. */
	camera_.reset();
}

Result<void> CameraSession::configure(const CaptureRequest &request)
{
	stop();
	dropPool();
	auto configuration = camera_->configure(request);
	/* From here on the camera has let go of the descriptors. */
	buffers_.clear();
	if (!configuration)
		return std::unexpected(configuration.error());
	request_ = request;
	configuration_ = std::move(*configuration);
	return {};
}

Result<std::vector<std::string>> CameraSession::prepare(const std::string &heapExpression,
							const std::string &name, GstCaps *caps)
{
	auto choice = chooseHeap(heapExpression);
	if (!choice)
		return std::unexpected(choice.error());
	choice_ = std::move(*choice);
	name_ = name;
	gst_caps_replace(&caps_, caps);
	delivered_ = false;
	return prepareFromChoice();
}

Result<std::vector<std::string>> CameraSession::prepareNext(const Error &refusal)
{
	const std::string refused = heap_;
	removeTaken(refused);
	if (choice_.candidates.empty() || !choice_.taken().matches)
		return std::unexpected(refusal);
	if (auto again = configure(CaptureRequest(request_)); !again)
		return std::unexpected(again.error());

	auto notes = prepareFromChoice();
	if (!notes)
		return notes;
	notes->insert(notes->begin(), "heap " + refused + " does not serve: " + refusal.message);
	return notes;
}

/* One heap after the other until the camera takes the memory of one. */
Result<std::vector<std::string>> CameraSession::prepareFromChoice()
{
	std::vector<std::string> notes;

	for (;;) {
		auto allocated = allocateBuffers(choice_, configuration_.bufferCount,
						 configuration_.layout.size(), name_);
		if (!allocated)
			return std::unexpected(allocated.error());
		const std::string heap = allocated->heap.name.text;
		for (const HeapFallback &fallback : allocated->fallbacks)
			notes.push_back(fallback.text());

		auto imported = importAndWrap(std::move(*allocated));
		if (imported)
			return notes;
		removeTaken(heap);
		if (imported.error().code != EFAULT || choice_.candidates.empty() ||
		    !choice_.taken().matches)
			return std::unexpected(imported.error());
		notes.push_back("heap " + heap + " does not serve: " + imported.error().message);
		if (auto again = configure(CaptureRequest(request_)); !again)
			return std::unexpected(again.error());
	}
}

Result<void> CameraSession::importAndWrap(AllocatedBuffers allocated)
{
	buffers_ = std::move(allocated.buffers);
	auto imported = camera_->importBuffers(buffers_);
	if (!imported)
		return imported;

	heap_ = allocated.heap.name.text;
	for (const HeapCandidate &candidate : choice_.candidates)
		if (candidate.heap.name.text == heap_)
			reason_ = candidate.reason;

	way_ = std::make_shared<CameraReturn>(camera_.get());
	/* Its choice is never asked: the memory is there. */
	GstAllocator *allocator = gst_heap_allocator_new(choice_, name_);
	auto pool = gst_heap_camera_pool_new(GST_HEAP_ALLOCATOR(allocator), allocated.heap,
					     buffers_, configuration_, caps_, way_);
	gst_object_unref(allocator);
	if (!pool)
		return std::unexpected(pool.error());
	pool_ = *pool;
	return {};
}

void CameraSession::removeTaken(std::string_view heap)
{
	std::erase_if(choice_.candidates, [heap](const HeapCandidate &candidate) {
		return candidate.heap.name.text == heap;
	});
}

Result<CapturedFrame> CameraSession::waitFrame(std::chrono::milliseconds timeout)
{
	if (!running_) {
		if (auto started = camera_->start(); !started)
			return std::unexpected(started.error());
		running_ = true;
	}
	return camera_->waitFrame(timeout);
}

GstBuffer *CameraSession::take(const CapturedFrame &frame)
{
	delivered_ = true;
	return gst_heap_camera_pool_take(pool_, frame.index);
}

void CameraSession::stop()
{
	/* First the way back: what comes home from now on must not be queued to a stopped camera.
	 */
	if (way_)
		way_->close();
	if (running_)
		(void)camera_->stop();
	running_ = false;
}

void CameraSession::dropPool()
{
	way_.reset();
	if (!pool_)
		return;
	/* Buffers that are still downstream keep the pool, and their memory its descriptors. */
	gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(pool_), FALSE);
	gst_clear_object(&pool_);
	heap_.clear();
	reason_.clear();
}

size_t CameraSession::buffersDownstream() const
{
	return pool_ ? gst_heap_camera_pool_outstanding(pool_) : 0;
}

size_t CameraSession::buffersKept()
{
	return pool_ ? gst_heap_camera_pool_collect(pool_) : 0;
}

uint64_t CameraSession::heapBytes() const
{
	uint64_t bytes = 0;
	for (const Buffer &buffer : buffers_)
		bytes += buffer.size();
	return bytes;
}

GstStructure *CameraSession::plan() const
{
	const FrameLayout &layout = configuration_.layout;

	return gst_structure_new(
		"heapflow-plan", "camera", G_TYPE_STRING, info().id.c_str(), "model", G_TYPE_STRING,
		info().model.c_str(), "format", G_TYPE_STRING,
		drmFormatString(layout.fourcc, layout.modifier).c_str(), "width", G_TYPE_UINT,
		layout.width, "height", G_TYPE_UINT, layout.height, "layout", G_TYPE_STRING,
		describe(layout).c_str(), "framerate", GST_TYPE_FRACTION,
		int(configuration_.rate.numerator), int(configuration_.rate.denominator), "caps",
		GST_TYPE_CAPS, caps_, "buffers", G_TYPE_UINT, configuration_.bufferCount, "heap",
		G_TYPE_STRING, heap_.c_str(), "heap-reason", G_TYPE_STRING, reason_.c_str(),
		"heap-bytes", G_TYPE_UINT64, heapBytes(), nullptr);
}

} /* namespace heapflow::gst */
