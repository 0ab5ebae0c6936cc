/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that are not finished yet, and fences that tell when a buffer is free. */
#include "display_fixture.h"
#include "sync_timeline.h"

#include <atomic>
#include <cerrno>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class DisplayFences : public testing::Test
{
protected:
	void SetUp() override
	{
		for (int i = 0; i < 3; i++)
			buffers_.push_back(allocate("video@42000000", layout_.size()));
		screen_ = openVkms();
		ASSERT_TRUE(screen_);
		screen_->setFlipHandler(log_.handler());
		ASSERT_TRUE(screen_->configure(layout_, buffers_[0].fd()));
		ASSERT_TRUE(screen_->show(buffers_[0].fd(), layout_, 1));
		ASSERT_TRUE(log_.wait(1));
	}

	/* Longer than a few vblanks, shorter than the watchdog. */
	void expectNoFlip()
	{
		EXPECT_FALSE(log_.wait(2, std::chrono::milliseconds(150)))
			<< "the frame is not finished";
	}

	const FrameLayout layout_ = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	std::vector<Buffer> buffers_;
	FlipLog log_;
	std::unique_ptr<Screen> screen_;
	SyncTimeline timeline_;
};

} /* namespace */

TEST_F(DisplayFences, AFrameWaitsForItsFence)
{
	Fence fence = timeline_.fence(1);
	const UniqueFd fd = fence.takeFd();
	ASSERT_TRUE(screen_->show(
		{.dmabuf = buffers_[1].fd(), .layout = layout_, .cookie = 2, .fence = fd.get()}));
	expectNoFlip();
	timeline_.increase();
	EXPECT_TRUE(log_.wait(2));
}

TEST_F(DisplayFences, AFrameWaitsForTheWritesThatItsDmabufHas)
{
	const Fence fence = timeline_.fence(1);
	ASSERT_TRUE(fence.importInto(buffers_[1].fd(), Access::Write));
	ASSERT_TRUE(screen_->show(buffers_[1].fd(), layout_, 2));
	expectNoFlip();
	timeline_.increase();
	EXPECT_TRUE(log_.wait(2));
}

TEST_F(DisplayFences, AFenceThatNeverSignalsIsReportedAndNoStall)
{
	Fence fence = timeline_.fence(1);
	const UniqueFd fd = fence.takeFd();
	std::atomic<unsigned> overdue = 0;
	screen_->setNoticeHandler([&](const ScreenNotice &notice) {
		overdue += notice.kind == ScreenNotice::Kind::FlipOverdue;
	});
	ASSERT_TRUE(screen_->show(
		{.dmabuf = buffers_[1].fd(), .layout = layout_, .cookie = 2, .fence = fd.get()}));
	const auto next = screen_->show(buffers_[2].fd(), layout_, 3);
	EXPECT_FALSE(next);
	EXPECT_EQ(next.error_or(Error{}).code, ETIMEDOUT);
	EXPECT_EQ(overdue, 1u);
	timeline_.increase();
	EXPECT_TRUE(log_.wait(2)) << "frame 2 came; the error gave frame 3 back";
	EXPECT_TRUE(screen_->show(buffers_[2].fd(), layout_, 4));
}

TEST_F(DisplayFences, AnOutFenceSignalsWhenTheFrameBeforeIsFree)
{
	struct Given {
		uint64_t cookie, released;
		Fence fence;
	};
	std::vector<Given> given;
	screen_->setFenceHandler([&](uint64_t cookie, uint64_t released, int fence) {
		given.push_back({cookie, released, Fence(UniqueFd(fence))});
	});
	for (uint64_t cookie = 2; cookie <= 4; cookie++)
		ASSERT_TRUE(screen_->show(buffers_[cookie % 3].fd(), layout_, cookie));
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	ASSERT_EQ(given.size(), 3u);
	for (const Given &one : given) {
		EXPECT_EQ(one.released, one.cookie - 1);
		EXPECT_EQ(one.fence.status(), FenceStatus::Signalled) << one.cookie;
	}
}
