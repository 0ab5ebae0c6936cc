/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in a row: when buffers come back, what a frame costs, and what is left at the end. */
#include "display_fixture.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr size_t bufferCount = 4;
constexpr uint64_t frameCount = 300;
constexpr uint64_t someFrames = 60; /* 1 s */

class DisplayFlips : public testing::TestWithParam<std::string>
{
protected:
	void SetUp() override
	{
		for (size_t i = 0; i < bufferCount; i++)
			buffers_.push_back(allocate(GetParam(), layout_.size()));
		screen_ = openVkms();
		ASSERT_TRUE(screen_);
		screen_->setFlipHandler(log_.handler());
		const auto plan = screen_->configure(layout_, buffers_[0].fd());
		ASSERT_TRUE(plan) << textOf(plan);
	}

	/* Frame N has cookie N and is in buffer N % 4. */
	void showFrames(uint64_t first, uint64_t last)
	{
		for (uint64_t cookie = first; cookie <= last; cookie++) {
			const Buffer &buffer = buffers_[cookie % bufferCount];
			const auto shown = screen_->show(buffer.fd(), layout_, cookie);
			ASSERT_TRUE(shown) << "frame " << cookie << ": " << textOf(shown);
		}
		const auto drained = screen_->drain(std::chrono::seconds(1));
		ASSERT_TRUE(drained) << textOf(drained);
	}

	const FrameLayout layout_ = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	std::vector<Buffer> buffers_;
	FlipLog log_;
	std::unique_ptr<Screen> screen_;
};

} /* namespace */

/* Invariant 1: frame N is released by the flip to frame N + 1, and by nothing before it. */
TEST_P(DisplayFlips, EachFrameIsReleasedOnceByTheFlipThatReplacedIt)
{
	showFrames(1, frameCount);
	const auto events = log_.events();
	ASSERT_EQ(events.size(), frameCount);
	for (size_t i = 0; i < events.size(); i++) {
		EXPECT_EQ(events[i].cookie, i + 1);
		EXPECT_EQ(events[i].released, i) << "0 of the first: it replaced none of ours";
		EXPECT_GT(events[i].arrival, 0);
	}
	/* What is released after the last flip: all but the frame that is on the screen. */
	std::multiset<uint64_t> released;
	for (const FlipEvent &event : events)
		released.insert(event.released);
	EXPECT_EQ(released.count(frameCount), 0u);
}

/* In simulated time: a quarter of a second late, were it not for those who wait. */
TEST_P(DisplayFlips, NobodyWaitsForAFlipThatIsLeftToBeAskedFor)
{
	screen_->setFlipDelivery(FlipDelivery::OnRequest);
	showFrames(1, someFrames);
	auto events = log_.events();
	ASSERT_EQ(events.size(), someFrames);
	EXPECT_LT(events.back().timestamp - events.front().timestamp, 1'200'000'000)
		<< "each show() waits for the flip before";
	/* Nobody polls any more when this one is shown. */
	showFrames(someFrames + 1, someFrames + 1);
	events = log_.events();
	EXPECT_LT(events.back().arrival - events.back().timestamp, 20'000'000) << "drain() waits";
}

/* Invariants 6 and 7: after the first round, nothing is imported or registered. */
TEST_P(DisplayFlips, EachBufferIsImportedOnce)
{
	showFrames(1, bufferCount);
	const ScreenCounts before = screen_->counts();
	EXPECT_EQ(before.imports, bufferCount);
	EXPECT_EQ(before.framebuffers, bufferCount);
	EXPECT_EQ(framebuffersOfDevice().size(), bufferCount);
	const size_t descriptors = openDescriptors();

	showFrames(bufferCount + 1, someFrames);
	const ScreenCounts after = screen_->counts();
	EXPECT_EQ(after.imports, bufferCount);
	EXPECT_EQ(after.framebuffers, bufferCount);
	EXPECT_EQ(after.testCommits, before.testCommits);
	EXPECT_EQ(after.commits, someFrames);
	EXPECT_EQ(openDescriptors(), descriptors);
}

TEST_P(DisplayFlips, ComeAtTheRateOfTheMode)
{
	showFrames(1, someFrames);
	const auto events = log_.events();
	ASSERT_EQ(events.size(), someFrames);
	/* The first event after a modeset may have neither. */
	const auto first = events[1];
	const auto last = events.back();
	const uint64_t vblanks = last.sequence - first.sequence;
	ASSERT_GE(vblanks, someFrames - 2) << "at most one frame for each vblank";
	const auto interval = static_cast<double>(last.timestamp - first.timestamp) / 1e6 /
			      static_cast<double>(vblanks);
	const auto refresh = static_cast<double>(screen_->mode().refreshMilliHz) / 1e3;
	EXPECT_NEAR(interval, 1e3 / refresh, 0.1) << "ms for a vblank";
	for (size_t i = 2; i < events.size(); i++) {
		EXPECT_GT(events[i].sequence, events[i - 1].sequence);
		EXPECT_GT(events[i].timestamp, events[i - 1].timestamp);
	}
}

TEST_P(DisplayFlips, LeaveNothingBehind)
{
	screen_.reset();
	buffers_.clear();
	/* The kernel may still have what another test showed last, and its memory. */
	const auto framebuffers = settledFramebuffers({});
	const size_t descriptors = openDescriptors();
	const uint64_t pages = freeCmaPages();

	SetUp();
	showFrames(1, frameCount);
	EXPECT_GT(attachments(buffers_[0].fd()), 0);
	screen_.reset();
	EXPECT_EQ(settledFramebuffers(framebuffers), framebuffers);
	/* A GEM handle that is left would keep its attachment until the device is closed. */
	for (const Buffer &buffer : buffers_)
		EXPECT_EQ(attachments(buffer.fd()), 0);
	buffers_.clear();

	EXPECT_EQ(openDescriptors(), descriptors);
	EXPECT_EQ(freeCmaPages(), pages);
}

/* Invariant 7: with the device still open, so that no close() cleans up. */
TEST_P(DisplayFlips, HideReleasesFramebuffersAndHandles)
{
	showFrames(1, 8);
	const auto hidden = screen_->hide();
	ASSERT_TRUE(hidden) << textOf(hidden);
	EXPECT_EQ(screen_->counts().framebuffers, 0u);
	EXPECT_THAT(settledFramebuffers({}), testing::IsEmpty());
	for (const Buffer &buffer : buffers_)
		EXPECT_EQ(attachments(buffer.fd()), 0);

	/* And can be taken back. */
	showFrames(9, 16);
	const auto events = log_.events();
	ASSERT_EQ(events.size(), 16u);
	EXPECT_EQ(events[8].released, 0u) << "hide() gave frame 8 back";
}

INSTANTIATE_TEST_SUITE_P(EachHeap, DisplayFlips, testing::ValuesIn(boardHeaps),
			 [](const auto &test) { return testName(test.param); });

using DisplayForget = DisplayFlips;

TEST_P(DisplayForget, EndsTheFramebufferAndItsMemory)
{
	showFrames(1, 4); /* frame 4, in buffer 0, stays on the screen */
	const uint64_t pages = freeCmaPages();
	screen_->forget(buffers_[1].fd());
	EXPECT_EQ(attachments(buffers_[1].fd()), 0);
	EXPECT_EQ(screen_->counts().framebuffers, bufferCount - 1);
	buffers_[1] = Buffer(UniqueFd(), 0, "");
	EXPECT_GE(freeCmaPages(), pages + layout_.size() / 4096);
}

TEST_P(DisplayForget, OfTheFrameOnTheScreenWaitsForItsReplacement)
{
	showFrames(1, 4);
	screen_->forget(buffers_[0].fd());
	EXPECT_EQ(attachments(buffers_[0].fd()), 1) << "it is being scanned out";
	EXPECT_EQ(screen_->counts().framebuffers, bufferCount);
	showFrames(5, 5);
	EXPECT_TRUE(eventually([&] { return attachments(buffers_[0].fd()) == 0; }));
	EXPECT_EQ(screen_->counts().framebuffers, bufferCount - 1);
}

TEST_P(DisplayForget, ANewBufferOfTheSameDescriptorIsAnotherBuffer)
{
	showFrames(1, 4);
	const Buffer fresh = allocate(GetParam(), layout_.size());
	/* Not forgotten: the number alone must not lead to the old framebuffer. */
	ASSERT_EQ(dup3(fresh.fd(), buffers_[1].fd(), O_CLOEXEC), buffers_[1].fd());
	showFrames(5, 5);
	EXPECT_EQ(screen_->counts().imports, bufferCount + 1);
}

TEST_P(DisplayForget, AnotherDescriptorOfTheSameBufferIsTheSameBuffer)
{
	showFrames(1, 4);
	const UniqueFd second(dup(buffers_[1].fd()));
	const auto shown = screen_->show(second.get(), layout_, 5);
	ASSERT_TRUE(shown) << textOf(shown);
	EXPECT_EQ(screen_->counts().imports, bufferCount);
}

INSTANTIATE_TEST_SUITE_P(InDedicatedRegion, DisplayForget, testing::Values("video@42000000"),
			 [](const auto &test) { return testName(test.param); });
