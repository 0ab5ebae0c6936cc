/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Screen on a FakeKms, with frames to show. */
#pragma once

#include "heapflow/display/screen.h"

#include "example_display.h"
#include "fake_kms.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace heapflow::test
{

/** \brief What a Screen's handlers were told */
class Told
{
public:
	void listenTo(Screen &screen)
	{
		screen.setFlipHandler([this](const FlipEvent &event) {
			const std::lock_guard lock(mutex_);
			flips_.push_back(event);
			changed_.notify_all();
		});
		screen.setNoticeHandler([this](const ScreenNotice &notice) {
			const std::lock_guard lock(mutex_);
			notices_.push_back(notice);
			changed_.notify_all();
		});
	}

	std::vector<FlipEvent> flips() const
	{
		const std::lock_guard lock(mutex_);
		return flips_;
	}

	std::vector<ScreenNotice> notices() const
	{
		const std::lock_guard lock(mutex_);
		return notices_;
	}

	bool waitFlips(size_t count)
	{
		std::unique_lock lock(mutex_);
		return changed_.wait_for(lock, std::chrono::seconds(10),
					 [&] { return flips_.size() >= count; });
	}

	bool waitNotice(ScreenNotice::Kind kind)
	{
		std::unique_lock lock(mutex_);
		return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
			return std::ranges::any_of(notices_, [&](const ScreenNotice &notice) {
				return notice.kind == kind;
			});
		});
	}

	/** \brief Cookies that came back, in their order */
	std::vector<uint64_t> released() const
	{
		std::vector<uint64_t> list;
		for (const FlipEvent &flip : flips()) {
			if (flip.released)
				list.push_back(flip.released);
		}
		return list;
	}

private:
	mutable std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<FlipEvent> flips_;
	std::vector<ScreenNotice> notices_;
};

/** \brief Memory that a FakeKms takes for a dma-buf */
inline UniqueFd fakeDmabuf(const FrameLayout &layout)
{
	UniqueFd fd(memfd_create("fake-dmabuf", MFD_CLOEXEC));
	EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(layout.size())), 0);
	return fd;
}

inline const std::vector<drmModeModeInfo> &fakeModes()
{
	static const std::vector<drmModeModeInfo> modes = {
		makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED),
		makeMode(1280, 720),
		makeMode(640, 480),
	};
	return modes;
}

inline FrameLayout fakeLayout(uint32_t width, uint32_t height, uint32_t fourcc = DRM_FORMAT_NV12)
{
	return makeFrameLayout(fourcc, width, height).value();
}

inline std::unique_ptr<Screen> openFake(const FakeKms &fake, ScreenOptions options = {})
{
	options.fd = fake.fd();
	auto screen = Screen::open(options);
	EXPECT_TRUE(screen) << (screen ? "" : screen.error().text());
	return screen ? std::move(*screen) : nullptr;
}

} /* namespace heapflow::test */
