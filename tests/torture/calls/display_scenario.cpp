/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vkms: opened, a plane chosen, frames shown with fences, the screen read back and restored. */
#include "scenario.h"

#include "heapflow/display/screen.h"
#include "heapflow/heap/fence.h"
#include "heapflow/heap/heap_choice.h"

#include "sync_timeline.h"

#include <array>
#include <condition_variable>
#include <format>
#include <mutex>
#include <thread>

#include <drm_fourcc.h>

namespace heapflow::torture
{

namespace
{

using namespace std::chrono_literals;

constexpr unsigned frameCount = 10;
constexpr size_t bufferCount = 3;

/* Frames that come before their pixels are there; the others have fences that have signalled. */
constexpr unsigned unfinishedByFence = 4;
constexpr unsigned unfinishedByDmabuf = 7;

/* Which buffers are free, and what happened: filled in the screen's thread. */
class Shown
{
public:
	void onFlip(const FlipEvent &event)
	{
		const std::lock_guard lock(mutex_);
		flips_ += event.cookie != 0;
		if (event.released)
			busy_[size_t(event.released - 1)] = false;
		changed_.notify_all();
	}
	void onNotice(const ScreenNotice &notice)
	{
		const std::lock_guard lock(mutex_);
		notice_ = notice;
		changed_.notify_all();
	}
	/* A buffer that nobody shows; none comes when the screen has failed. */
	std::optional<size_t> take()
	{
		std::unique_lock lock(mutex_);
		for (int tries = 0; tries < 20; tries++) {
			for (size_t i = 0; i < bufferCount; i++) {
				if (!busy_[i]) {
					busy_[i] = true;
					return i;
				}
			}
			changed_.wait_for(lock, 100ms);
		}
		return std::nullopt;
	}
	void giveBack(size_t index)
	{
		const std::lock_guard lock(mutex_);
		busy_[index] = false;
	}
	unsigned flips() const
	{
		const std::lock_guard lock(mutex_);
		return flips_;
	}
	std::optional<ScreenNotice> notice() const
	{
		const std::lock_guard lock(mutex_);
		return notice_;
	}

private:
	mutable std::mutex mutex_;
	std::condition_variable changed_;
	unsigned flips_ = 0;
	std::array<bool, bufferCount> busy_{};
	std::optional<ScreenNotice> notice_;
};

std::unexpected<Error> noticeOr(const Shown &shown, Error error)
{
	const auto notice = shown.notice();
	if (notice)
		error.message += std::format("; {}: {} {}", noticeName(notice->kind), notice->text,
					     notice->error.text());
	return std::unexpected(std::move(error));
}

/* The last event is told after drain() saw the flip. */
Result<void> expectFlips(Screen &screen, const Shown &shown, unsigned count)
{
	if (auto drained = screen.drain(2s); !drained)
		return noticeOr(shown, drained.error());
	for (int tries = 0; shown.flips() < count && tries < 100; tries++)
		(void)screen.drain(10ms);
	if (shown.flips() != count)
		return noticeOr(
			shown,
			{0, std::format("{} of {} frames were shown", shown.flips(), count), {}});
	return {};
}

Result<void> showFinished(Screen &screen, Frame frame, const Shown &shown)
{
	auto fence = Fence::exportFrom(frame.dmabuf, Access::Read);
	if (!fence)
		return std::unexpected(fence.error());
	frame.fence = fence->fd();
	const auto done = screen.show(frame);
	return done ? done : noticeOr(shown, done.error());
}

/* \param[in] before Frames that were shown so far */
Result<void> showUnfinished(Screen &screen, Frame frame, const Shown &shown, unsigned before,
			    bool byFence)
{
	if (auto flipped = expectFlips(screen, shown, before); !flipped)
		return flipped;
	const test::SyncTimeline pixels;
	const Fence written = pixels.fence(1);
	if (byFence)
		frame.fence = written.fd();
	else if (auto imported = written.importInto(frame.dmabuf, Access::Write); !imported)
		return imported;
	if (auto done = screen.show(frame); !done)
		return noticeOr(shown, done.error());
	std::this_thread::sleep_for(50ms); /* three vblanks */
	if (shown.flips() != before)
		return fail(0, "WRONG: a frame was shown before its pixels were there");
	pixels.increase();
	return {};
}

Result<void> showFrames(Screen &screen, const FrameLayout &layout,
			const std::vector<Buffer> &buffers, Shown &shown)
{
	for (unsigned i = 0; i < frameCount; i++) {
		const auto index = shown.take();
		if (!index)
			return noticeOr(shown, {0, "no buffer came back from the screen", {}});
		const Frame frame{
			.dmabuf = buffers[*index].fd(), .layout = layout, .cookie = *index + 1};
		const bool unfinished = i == unfinishedByFence || i == unfinishedByDmabuf;
		auto done =
			unfinished ? showUnfinished(screen, frame, shown, i, i == unfinishedByFence)
				   : showFinished(screen, frame, shown);
		if (!done)
			return done;
	}
	return expectFlips(screen, shown, frameCount);
}

struct Opened {
	std::vector<Buffer> buffers;
	FrameLayout layout;
	std::unique_ptr<Screen> screen;
};

Result<Opened> open(uint32_t fourcc)
{
	auto layout = makeFrameLayout(fourcc, 640, 480);
	if (!layout)
		return std::unexpected(layout.error());
	auto choice = chooseHeap("video@*:default");
	if (!choice)
		return std::unexpected(choice.error());
	auto allocated = allocateBuffers(*choice, bufferCount, layout->size(), "torture");
	if (!allocated)
		return std::unexpected(allocated.error());
	auto screen = Screen::open({.driver = "vkms"});
	if (!screen)
		return std::unexpected(screen.error());
	if (auto plan = (*screen)->configure(*layout, allocated->buffers[0].fd()); !plan)
		return std::unexpected(plan.error());
	return Opened{std::move(allocated->buffers), std::move(*layout), std::move(*screen)};
}

} /* namespace */

Result<void> useDisplay()
{
	Shown shown;
	auto opened = open(DRM_FORMAT_NV12);
	if (!opened)
		return std::unexpected(opened.error());
	Screen &screen = *opened->screen;
	screen.setFlipHandler([&shown](const FlipEvent &event) { shown.onFlip(event); });
	screen.setNoticeHandler([&shown](const ScreenNotice &notice) { shown.onNotice(notice); });
	screen.setFenceHandler([](uint64_t, uint64_t, int fence) { const UniqueFd own(fence); });
	auto done = showFrames(screen, opened->layout, opened->buffers, shown);
	const auto hidden = screen.hide();
	if (!done)
		return done;
	return hidden ? hidden : noticeOr(shown, hidden.error());
}

Result<void> useScreenshot()
{
	auto opened = open(DRM_FORMAT_XRGB8888);
	if (!opened)
		return std::unexpected(opened.error());
	Screen &screen = *opened->screen;
	if (auto shown = screen.show(opened->buffers[0].fd(), opened->layout, 1); !shown)
		return shown;
	const auto image = screen.screenshot();
	if (!image)
		return std::unexpected(image.error());
	if (image->pixels.size() != size_t(image->width) * image->height * 4 || !image->width)
		return fail(0, "WRONG: the screenshot has no pixels");
	if (auto written = writePng(*image, "/tmp/torture.png"); !written)
		return written;
	return screen.hide();
}

} /* namespace heapflow::torture */
