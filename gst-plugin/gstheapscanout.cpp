/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapscanout.h"

#include "gst/heap/gstheapreleasefencemeta.h"
#include "gstheapcamerapool.h"
#include "gstheapformat.h"

#include "heapflow/heap/heap_choice.h"

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

namespace heapflow::gst
{

namespace
{

/* Longer than any refresh period; a screen that takes longer is stuck. */
constexpr std::chrono::milliseconds drainTimeout{1000};

/* Two periods of the slowest mode there is. After that show() waits, and says what is wrong. */
constexpr std::chrono::milliseconds flipPatience{80};

/* Buffers of a camera that it takes to fill two while two are here. */
constexpr size_t leastToKeepTwo = 4;

void appendString(GValue *list, const char *text)
{
	GValue value = G_VALUE_INIT;
	g_value_init(&value, G_TYPE_STRING);
	g_value_set_string(&value, text);
	gst_value_list_append_and_take_value(list, &value);
}

/* GST_TYPE_INT_RANGE with min == max is a critical: a panel of one size has one value. */
void setSizeRange(GstStructure *structure, const char *field, uint32_t least, uint32_t most)
{
	least = std::max(least, 1U);
	most = std::min<uint32_t>(std::max(most, least), INT_MAX);
	if (least == most)
		gst_structure_set(structure, field, G_TYPE_INT, int(least), nullptr);
	else
		gst_structure_set(structure, field, GST_TYPE_INT_RANGE, int(least), int(most),
				  nullptr);
}

/* Copies of the structures, with a range of frame rates. */
void appendStructures(GstCaps *caps, const GstStructure *dmabuf, const GstStructure *plain,
		      int least, int most)
{
	for (const GstStructure *structure : {dmabuf, plain}) {
		GstStructure *copy = gst_structure_copy(structure);
		gst_structure_set(copy, "framerate", GST_TYPE_FRACTION_RANGE, least, 1, most, 1,
				  nullptr);
		GstCapsFeatures *features =
			structure == dmabuf
				? gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, nullptr)
				: nullptr;
		gst_caps_append_structure_full(caps, copy, features);
	}
}

uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

} /* namespace */

Result<std::shared_ptr<Scanout>> Scanout::open(const ScreenOptions &options)
{
	auto screen = Screen::open(options);
	if (!screen)
		return std::unexpected(screen.error());

	std::shared_ptr<Scanout> scanout(new Scanout);
	scanout->screen_ = std::move(*screen);
	scanout->screen_->setFlipHandler(
		[self = scanout.get()](const FlipEvent &event) { self->flipped(event); });
	return scanout;
}

Scanout::~Scanout()
{
	/* Restores the screen and ends its thread; then nobody looks at the buffers. */
	screen_.reset();
	releaseAll();
}

GstCaps *Scanout::caps()
{
	Lock lock(*this);
	GstStructure *dmabuf =
		gst_structure_new("video/x-raw", "format", G_TYPE_STRING, "DMA_DRM", nullptr);
	GstStructure *plain = gst_structure_new_empty("video/x-raw");
	GValue drmFormats = G_VALUE_INIT;
	GValue formats = G_VALUE_INIT;

	g_value_init(&drmFormats, GST_TYPE_LIST);
	g_value_init(&formats, GST_TYPE_LIST);
	for (const ScanoutFormat &format : screen_->formats()) {
		for (uint64_t modifier : format.modifiers)
			appendString(&drmFormats, drmFormatString(format.fourcc, modifier).c_str());
		const GstVideoFormat video = videoFormatFromFourcc(format.fourcc);
		if (video != GST_VIDEO_FORMAT_UNKNOWN &&
		    std::ranges::contains(format.modifiers, 0U))
			appendString(&formats, gst_video_format_to_string(video));
	}
	gst_structure_take_value(dmabuf, "drm-format", &drmFormats);
	gst_structure_take_value(plain, "format", &formats);

	const SizeLimits limits = screen_->limits();
	uint32_t width = screen_->mode().width;
	uint32_t height = screen_->mode().height;
	uint64_t rate = screen_->mode().refreshMilliHz;
	for (const DisplayMode &mode : screen_->modes()) {
		width = std::max(width, mode.width);
		height = std::max(height, mode.height);
		rate = std::max(rate, mode.refreshMilliHz);
	}
	/* Not plugged in yet: what the driver could do at most. */
	if (!width || !height) {
		width = limits.maximumWidth;
		height = limits.maximumHeight;
	}
	GstCaps *caps = gst_caps_new_empty();
	for (GstStructure *structure : {dmabuf, plain}) {
		setSizeRange(structure, "width", std::min(limits.minimumWidth, width), width);
		setSizeRange(structure, "height", std::min(limits.minimumHeight, height), height);
	}
	/* Rates that the screen can show come first; of faster ones it shows a part. */
	if (rate) {
		const int highest = int(std::min<uint64_t>((rate + 999) / 1000, INT_MAX));
		appendStructures(caps, dmabuf, plain, 0, highest);
	}
	appendStructures(caps, dmabuf, plain, 0, INT_MAX);
	gst_structure_free(dmabuf);
	gst_structure_free(plain);
	return caps;
}

void Scanout::setLayer(const LayerOptions &options)
{
	Lock lock(*this);
	tearing_ = options.tearing;
	waits_ = options.dropPolicy == DropPolicy::Queue;
	layerSet_ = true;
	screen_->setLayer(options);
}

void Scanout::setReleaseFences(bool allowed)
{
	Lock lock(*this);
	releaseFences_ = allowed;
}

/*
 * Has the camera two to fill while this one and the one before it are here, and whatever others
 * keep? Then it can wait for the flip.
 */
static bool hasTwoToFill(const GstBuffer *buffer)
{
	return buffer->pool && GST_IS_HEAP_CAMERA_POOL(buffer->pool) &&
	       gst_heap_camera_pool_left(GST_HEAP_CAMERA_POOL(buffer->pool)) >= 2;
}

/*
 * With the screen's mutex held. The fence of a commit is asked for when a producer would take it
 * and cannot do without. Never for a flip that may tear, which has none (drm_atomic_uapi.c refuses
 * the two together).
 */
void Scanout::askForFences(GstBuffer *buffer)
{
	const bool ask = releaseFences_ && !tearing_ &&
			 gst_buffer_get_heap_release_fence_meta(buffer) &&
			 fenceWanted_.next(hasTwoToFill(buffer));
	if (ask == fencesAsked_)
		return;
	fencesAsked_ = ask;
	if (ask)
		screen_->setFenceHandler([this](uint64_t, uint64_t released, int fence) {
			committed(released, UniqueFd(fence));
		});
	else
		screen_->setFenceHandler({});
}

/*
 * With the screen's mutex held. A frame that comes takes notice of the flip before it, so that no
 * thread is woken for it, where the camera can do without a buffer until then.
 */
void Scanout::chooseFlipDelivery(GstBuffer *buffer)
{
	const bool spare =
		buffer->pool && GST_IS_HEAP_CAMERA_POOL(buffer->pool) &&
		gst_heap_camera_pool_count(GST_HEAP_CAMERA_POOL(buffer->pool)) >= leastToKeepTwo;
	const FlipDelivery wanted = spare ? FlipDelivery::OnRequest : FlipDelivery::AtOnce;
	if (flipDelivery_ != wanted)
		screen_->setFlipDelivery(flipDelivery_ = wanted);
}

void Scanout::setNoticeHandler(NoticeHandler handler)
{
	Lock lock(*this);
	screen_->setNoticeHandler(std::move(handler));
}

int64_t Scanout::refreshPeriod()
{
	Lock lock(*this);
	const uint64_t milliHz = screen_->mode().refreshMilliHz;
	return milliHz ? int64_t(1000000000000 / milliHz) : 0;
}

Result<uint32_t> Scanout::pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
					 const std::string &heap)
{
	Lock lock(*this);
	if (const auto known = pitchAlignments_.find(fourcc); known != pitchAlignments_.end())
		return known->second;
	const auto choice = chooseHeap(heap);
	if (!choice)
		return std::unexpected(choice.error());
	auto device = HeapDevice::open(choice->taken().heap);
	if (!device)
		return std::unexpected(device.error());
	auto alignment = screen_->pitchAlignment(fourcc, width, height, [&](uint64_t size) {
		return device->allocate(size, "heapkmssink-probe");
	});
	if (alignment)
		pitchAlignments_[fourcc] = *alignment;
	return alignment;
}

DisplayMode Scanout::mode()
{
	Lock lock(*this);
	return screen_->mode();
}

SizeLimits Scanout::limits()
{
	Lock lock(*this);
	return screen_->limits();
}

std::string Scanout::devicePath()
{
	Lock lock(*this);
	return screen_->device();
}

std::optional<Scanout::Lateness> Scanout::takeLateness()
{
	std::lock_guard state(stateMutex_);
	return std::exchange(lateness_, std::nullopt);
}

Result<bool> Scanout::show(GstBuffer *buffer, const FrameLayout &layout, const Rectangle &crop,
			   const FrameTimes &times)
{
	/* One for the frame, or one for each plane (layoutOfBuffer()). */
	std::array<int, GST_VIDEO_MAX_PLANES> fds = {};
	const guint memories = std::min<guint>(gst_buffer_n_memory(buffer), fds.size());
	for (guint i = 0; i < memories; i++)
		fds[i] = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, i));
	const std::span<const int> dmabufs(fds.data(), memories);
	uint64_t cookie;
	Result<void> shown;
	bool planned = false;

	screen_->deliverFlips(waits_ ? flipPatience : std::chrono::milliseconds(0), times.brought);
	{
		Lock lock(*this);
		/* The same frame elsewhere on the screen is another picture. */
		if (!std::exchange(layerSet_, false) && isShown(buffer))
			return false;
		if (layout != configured_) {
			auto plan = screen_->configure(layout, dmabufs);
			if (!plan)
				return std::unexpected(plan.error());
			configured_ = layout;
		}
		for (guint i = 0; i < memories; i++)
			watch(gst_buffer_peek_memory(buffer, i));
		askForFences(buffer);
		chooseFlipDelivery(buffer);
		cookie = ++lastCookie_;
		{
			/* Before show(): the flip may come before it returns. */
			std::lock_guard state(stateMutex_);
			held_[cookie] = Held{gst_buffer_ref(buffer), times};
		}
		shown = screen_->show(
			{.dmabuf = fds[0],
			 .layout = layout,
			 .cookie = cookie,
			 .crop = crop,
			 .due = times.timed ? times.due : 0,
			 .captured = times.captured,
			 .planeDmabufs = memories > 1 ? dmabufs : std::span<const int>()});
		planned = publishPlan();
	}
	releaseEarly();
	if (!shown) {
		/* A frame that was taken and then dropped has come back by itself. */
		release(cookie);
		return std::unexpected(shown.error());
	}
	return planned;
}

/* With the screen's mutex held. */
void Scanout::refreshCounts()
{
	const ScreenCounts counts = screen_->counts();
	const ScreenStatistics statistics = screen_->statistics();
	std::lock_guard state(stateMutex_);
	counts_ = counts;
	statistics_ = statistics;
}

/* With the screen's mutex held. \return true when there is a new plan */
bool Scanout::publishPlan()
{
	refreshCounts();
	{
		std::lock_guard state(stateMutex_);
		if (counts_.plans == plans_)
			return false;
		plans_ = counts_.plans;
	}
	/* Not with stateMutex_: the Screen calls committed() with its own mutex held. */
	auto plan = screen_->plan();
	std::lock_guard state(stateMutex_);
	if (plan) {
		publishedPlan_ = std::move(*plan);
		planned_ = true;
	}
	return planned_;
}

Result<void> Scanout::drain()
{
	Lock lock(*this);
	return screen_->drain(drainTimeout);
}

void Scanout::hide()
{
	{
		Lock lock(*this);
		/* An error leaves the picture; the destructor restores the screen once more. */
		(void)screen_->drain(drainTimeout);
		(void)screen_->hide();
		configured_ = {};
	}
	releaseAll();
}

Result<void> Scanout::screenshot(const std::string &path)
{
	Result<Image> image;
	{
		Lock lock(*this);
		image = screen_->screenshot();
	}
	if (!image)
		return std::unexpected(image.error());
	return writePng(*image, path);
}

GstStructure *Scanout::plan() const
{
	std::lock_guard state(stateMutex_);
	if (!planned_)
		return nullptr;

	const ScanoutPlan &plan = publishedPlan_;
	std::string reasons;
	for (const std::string &reason : plan.reasons)
		reasons += (reasons.empty() ? "" : "; ") + reason;
	return gst_structure_new(
		"heapflow-plan", "device", G_TYPE_STRING, plan.device.c_str(), "connector",
		G_TYPE_STRING, plan.connector.c_str(), "crtc-id", G_TYPE_UINT, plan.crtcId,
		"plane-id", G_TYPE_UINT, plan.planeId, "plane-type", G_TYPE_STRING,
		plan.planeType.c_str(), "mode", G_TYPE_STRING, plan.mode.name.c_str(), "mode-width",
		G_TYPE_UINT, plan.mode.width, "mode-height", G_TYPE_UINT, plan.mode.height,
		"refresh", G_TYPE_DOUBLE, double(plan.mode.refreshMilliHz) / 1000, "x", G_TYPE_UINT,
		plan.x, "y", G_TYPE_UINT, plan.y, "width", G_TYPE_UINT, plan.width, "height",
		G_TYPE_UINT, plan.height, "arrangement", G_TYPE_STRING, plan.arrangement.c_str(),
		"transform", GST_TYPE_VIDEO_ORIENTATION_METHOD, int(plan.transform), "reasons",
		G_TYPE_STRING, reasons.c_str(), nullptr);
}

void Scanout::addStatistics(GstStructure *statistics)
{
	screen_->deliverFlips();
	/* Not while a frame is being shown: then what was seen last must do. */
	if (std::unique_lock lock(screenMutex_, std::try_to_lock); lock)
		refreshCounts();
	std::lock_guard state(stateMutex_);

	const ScreenStatistics &now = statistics_;
	const ScreenStatistics &before = statisticsBefore_;
	gst_structure_set(statistics, "shown", G_TYPE_UINT64, stats_.shownCount(), "late",
			  G_TYPE_UINT64, stats_.lateCount(), "imports", G_TYPE_UINT64,
			  counts_.imports - countsBefore_.imports, "framebuffers", G_TYPE_UINT64,
			  counts_.framebuffers, "fences", G_TYPE_UINT64, fences_, "commits",
			  G_TYPE_UINT64, counts_.commits - countsBefore_.commits, "copies",
			  G_TYPE_UINT64, copies_, "copied-upstream", G_TYPE_UINT64, earlierCopies_,
			  "latency-median", G_TYPE_INT64, stats_.latencyQuantile(0.5).value_or(-1),
			  "latency-p99", G_TYPE_INT64, stats_.latencyQuantile(0.99).value_or(-1),
			  "fps", G_TYPE_DOUBLE, stats_.framesPerSecond(), "refresh", G_TYPE_DOUBLE,
			  double(publishedPlan_.mode.refreshMilliHz) / 1000, nullptr);
	const uint64_t commits = since(now.commits, before.commits);
	gst_structure_set(
		statistics, "repeated", G_TYPE_UINT64, since(now.repeated, before.repeated),
		"replaced", G_TYPE_UINT64, since(now.replaced, before.replaced), "dark",
		G_TYPE_UINT64, since(now.dark, before.dark), "refused", G_TYPE_UINT64,
		since(now.refused, before.refused), "busy", G_TYPE_UINT64,
		since(now.busy, before.busy), "interrupted", G_TYPE_UINT64,
		since(now.interrupted, before.interrupted), "no-space", G_TYPE_UINT64,
		since(now.noSpace, before.noSpace), "overdue", G_TYPE_UINT64,
		since(now.overdue, before.overdue), "commit-time-mean", G_TYPE_INT64,
		commits ? (now.commitTimeTotal - before.commitTimeTotal) / int64_t(commits) : 0,
		"commit-time-max", G_TYPE_INT64, now.commitTimeMaximum, nullptr);

	GValue histogram = G_VALUE_INIT;
	g_value_init(&histogram, GST_TYPE_ARRAY);
	for (size_t i = 0; i < Histogram::bucketCount; i++) {
		GValue count = G_VALUE_INIT;
		g_value_init(&count, G_TYPE_UINT64);
		g_value_set_uint64(&count,
				   since(now.latency.buckets[i], before.latency.buckets[i]));
		gst_value_array_append_and_take_value(&histogram, &count);
	}
	gst_structure_take_value(statistics, "latency-histogram", &histogram);
}

void Scanout::resetStatistics()
{
	Lock lock(*this);
	refreshCounts();
	std::lock_guard state(stateMutex_);

	stats_ = {};
	countsBefore_ = counts_;
	statisticsBefore_ = statistics_;
	copies_ = earlierCopies_ = 0;
	fences_ = 0;
}

void Scanout::countCopy()
{
	std::lock_guard state(stateMutex_);

	copies_++;
}

void Scanout::countEarlierCopy(GstBuffer *buffer)
{
	Lock lock(*this);
	if (isShown(buffer))
		return;
	std::lock_guard state(stateMutex_);
	earlierCopies_++;
}

} /* namespace heapflow::gst */
