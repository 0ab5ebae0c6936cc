/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "soak_viewer.h"

#include "vivid.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <utility>

#include <drm_fourcc.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr auto patience = 2s;
constexpr int64_t chapterLength = 30'000'000'000; /* ns */
constexpr unsigned pulledOutOneIn = 8;

struct Settlement {
	uint32_t fourcc, width, height;
	const char *heap;
};
/* All at 60 frames a second, which vivid has only for small pictures. */
constexpr std::array settlements = {
	Settlement{DRM_FORMAT_NV12, 320, 180, "video@42000000"},
	Settlement{DRM_FORMAT_XRGB8888, 320, 180, "video@42000000"},
	Settlement{DRM_FORMAT_NV12, 320, 180, "system"},
	Settlement{DRM_FORMAT_RGB565, 320, 180, "memory@48000000-contiguous"},
	Settlement{DRM_FORMAT_NV12, 320, 180, "default"},
	Settlement{DRM_FORMAT_XRGB8888, 320, 180, "no-such-heap:system"},
};

int64_t now()
{
	timespec time = {};
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

} /* namespace */

unsigned SoakCounts::latencyQuantile(double fraction) const
{
	uint64_t all = 0, seen = 0;
	for (const uint64_t count : latencies)
		all += count;
	const auto rank = uint64_t(std::ceil(fraction * double(all)));
	for (unsigned i = 0; i < latencies.size(); i++)
		if (seen += latencies[i]; rank && seen >= rank)
			return i + 1;
	return 0;
}

void SoakCounts::add(const SoakCounts &other)
{
	captured += other.captured;
	lost += other.lost;
	shown += other.shown;
	unseen += other.unseen;
	atSettlement += other.atSettlement;
	vanished += other.vanished;
	settled += other.settled;
	unplugged += other.unplugged;
	worstLatency = std::max(worstLatency, other.worstLatency);
	for (size_t i = 0; i < latencies.size(); i++)
		latencies[i] += other.latencies[i];
}

SoakViewer::SoakViewer(const SoakViewerOptions &options) : options_(options), random_(options.seed)
{
}

void SoakViewer::run(int64_t end)
{
	thread_ = std::thread([this, end] { result_ = play(end); });
}

Result<void> SoakViewer::finish()
{
	thread_.join();
	return result_;
}

SoakCounts SoakViewer::takeCounts()
{
	std::lock_guard lock(mutex_);
	return std::exchange(counts_, {});
}

std::optional<SoakBuffers> SoakViewer::playing()
{
	std::lock_guard lock(mutex_);
	return playing_;
}

Result<void> SoakViewer::play(int64_t end)
{
	auto screen = Screen::open({.device = options_.display, .waitForScreen = true});
	if (!screen)
		return std::unexpected(screen.error());
	screen_ = std::move(*screen);
	screen_->setFlipHandler([this](const FlipEvent &flip) { flipped(flip); });
	LayerOptions layer;
	layer.rectangle = options_.place;
	screen_->setLayer(layer);

	Result<void> result;
	while (result && now() < end)
		result = chapter(end);
	ofDisplay_ = screen_->statistics();
	screen_.reset();
	camera_.reset();
	allocated_ = {};
	/* One that has failed does not play any more. */
	std::lock_guard lock(mutex_);
	playing_.reset();
	return result;
}

Result<void> SoakViewer::settle()
{
	const Settlement &drawn = settlements[random_() % settlements.size()];
	const auto choice = chooseHeap(drawn.heap);
	if (!choice)
		return std::unexpected(choice.error());
	if (!camera_) {
		auto camera = openCamera(options_.camera);
		if (!camera)
			return std::unexpected(camera.error());
		camera_ = std::move(*camera);
	}
	const auto configuration = camera_->configure({.fourcc = drawn.fourcc,
						       .width = drawn.width,
						       .height = drawn.height,
						       .rate = {60, 1}});
	if (!configuration)
		return std::unexpected(configuration.error());
	layout_ = configuration->layout;
	auto allocated =
		allocateBuffers(*choice, configuration->bufferCount, layout_.size(), "soak");
	if (!allocated)
		return std::unexpected(allocated.error());
	/* The camera has let go of the old ones in configure(), the screen in hide(). */
	allocated_ = std::move(*allocated);
	if (auto imported = camera_->importBuffers(allocated_.buffers); !imported)
		return imported;
	auto plan = screen_->configure(layout_, allocated_.buffers.front().fd());
	if (!plan)
		return std::unexpected(plan.error());
	sequence_.reset();
	std::lock_guard lock(mutex_);
	arrivals_.assign(allocated_.buffers.size(), 0);
	underWay_.assign(allocated_.buffers.size(), false);
	counts_.settled++;
	return {};
}

Result<void> SoakViewer::chapter(int64_t end)
{
	if (auto settled = settle(); !settled)
		return settled;
	if (auto started = camera_->start(); !started)
		return started;
	{
		SoakBuffers buffers;
		for (const Buffer &buffer : allocated_.buffers)
			buffers = {buffers.count + 1, buffers.bytes + buffer.size()};
		std::lock_guard lock(mutex_);
		playing_ = buffers;
	}
	const bool pulled = random_() % pulledOutOneIn == 0;
	const int64_t last = std::min(end, now() + chapterLength);
	while (now() < last) {
		const auto frame = camera_->waitFrame(patience);
		if (!frame)
			return std::unexpected(frame.error());
		if (auto shown = show(*frame); !shown)
			return shown;
	}
	{
		std::lock_guard lock(mutex_);
		playing_.reset();
	}
	return pulled ? pullOut() : stop();
}

Result<void> SoakViewer::show(const CapturedFrame &frame)
{
	{
		std::lock_guard lock(mutex_);
		if (queueError_)
			return std::unexpected(*queueError_);
		counts_.captured++;
		if (sequence_)
			counts_.lost += frame.sequence - *sequence_ - 1;
		counts_.vanished += underWay_[frame.index];
		underWay_[frame.index] = true;
		arrivals_[frame.index] = frame.arrival;
	}
	sequence_ = frame.sequence;
	return screen_->show(allocated_.buffers[frame.index].fd(), layout_, frame.index + 1);
}

/* Cookies are the buffers' indices plus one, because 0 means none. */
void SoakViewer::flipped(const FlipEvent &flip)
{
	std::optional<unsigned> free;
	{
		std::lock_guard lock(mutex_);
		if (flip.cookie) {
			const int64_t latency = flip.arrival - arrivals_[flip.cookie - 1];
			const size_t bucket = std::clamp<int64_t>(
				latency / 1'000'000, 0, std::ssize(counts_.latencies) - 1);
			counts_.shown++;
			underWay_[flip.cookie - 1] = false;
			counts_.worstLatency = std::max(counts_.worstLatency, latency);
			counts_.latencies[bucket]++;
		}
		if (flip.released) {
			free = unsigned(flip.released - 1);
			counts_.unseen += underWay_[*free];
			underWay_[*free] = false;
		}
	}
	if (!free)
		return;
	/* A camera that was pulled out takes nothing back; it says so when it is waited for. */
	const auto queued = camera_->queue(*free);
	std::lock_guard lock(mutex_);
	if (!queued && queued.error().code != ENODEV && !queueError_)
		queueError_ = queued.error();
}

/* vivid's control unregisters its nodes, as a driver does whose device is unplugged. */
Result<void> SoakViewer::pullOut()
{
	test::setControl(options_.camera, "Disconnect", 1);
	auto frame = camera_->waitFrame(patience);
	for (int left = 100; frame && left > 0; left--) {
		if (auto shown = show(*frame); !shown)
			return shown;
		frame = camera_->waitFrame(patience);
	}
	if (frame || frame.error().code != ENODEV)
		return fail(EINVAL, "a camera that was pulled out does not say so",
			    frame ? "" : frame.error().text());
	{
		std::lock_guard lock(mutex_);
		counts_.unplugged++;
	}
	if (auto stopped = stop(); !stopped)
		return stopped;
	camera_.reset();
	return {};
}

Result<void> SoakViewer::stop()
{
	if (auto hidden = screen_->hide(); !hidden)
		return hidden;
	{
		std::lock_guard lock(mutex_);
		counts_.atSettlement += uint64_t(std::ranges::count(underWay_, true));
		underWay_.assign(underWay_.size(), false);
	}
	for (const Buffer &buffer : allocated_.buffers)
		screen_->forget(buffer.fd());
	return camera_->stop();
}

} /* namespace heapflow::torture */
