/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fences of frames and of commits when no file descriptor is left for them. */
#include "fake_screen.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;

namespace
{

/* So many more can be opened, as long as it lives. */
class FewDescriptors
{
public:
	explicit FewDescriptors(unsigned spare)
	{
		getrlimit(RLIMIT_NOFILE, &before_);
		rlimit few = before_;
		few.rlim_cur = static_cast<rlim_t>(lowestFree()) + spare;
		setrlimit(RLIMIT_NOFILE, &few);
	}
	~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

	FewDescriptors(const FewDescriptors &) = delete;
	FewDescriptors &operator=(const FewDescriptors &) = delete;

private:
	/* All above are free, too: what a test opened before is open still. */
	static int lowestFree() { return UniqueFd(eventfd(0, 0)).get(); }

	rlimit before_ = {};
};

class ScreenFences : public testing::Test
{
protected:
	void SetUp() override
	{
		screen_ = openFake(fake_);
		ASSERT_TRUE(screen_);
		told_.listenTo(*screen_);
		for (int i = 0; i < 3; i++)
			buffers_.push_back(fakeDmabuf(layout_));
		ASSERT_TRUE(screen_->configure(layout_, buffers_[0].get()));
		ASSERT_TRUE(screen_->show(buffers_[0].get(), layout_, 1));
		ASSERT_TRUE(told_.waitFlips(1));
	}

	Frame frame(uint64_t cookie, int fence)
	{
		return {.dmabuf = buffers_[cookie % 3].get(),
			.layout = layout_,
			.cookie = cookie,
			.fence = fence};
	}

	const FrameLayout layout_ = fakeLayout(1920, 1080);
	FakeKms fake_{{.modes = fakeModes()}};
	std::vector<UniqueFd> buffers_;
	Told told_;
	std::unique_ptr<Screen> screen_;
};

} /* namespace */

TEST_F(ScreenFences, AFrameWhoseFenceCannotBeKeptIsNotShown)
{
	const UniqueFd fence(eventfd(0, 0));
	ASSERT_TRUE(screen_->show(frame(2, fence.get())));
	ASSERT_TRUE(told_.waitFlips(2));
	const size_t commits = fake_.commits().size();
	Error error;
	{
		const FewDescriptors none(0);
		error = screen_->show(frame(2, fence.get())).error_or(Error{});
	}
	EXPECT_EQ(error.code, EMFILE);
	EXPECT_THAT(error.text(), testing::HasSubstr("the fence of frame 2"));
	EXPECT_EQ(fake_.commits().size(), commits);
	EXPECT_EQ(screen_->statistics().dropped, 0u);

	ASSERT_TRUE(screen_->show(frame(3, fence.get()))) << "the next one can be shown";
	ASSERT_TRUE(told_.waitFlips(3));
	EXPECT_THAT(told_.released(), ElementsAre(1u, 2u)) << "nobody had the one that was refused";
}

TEST_F(ScreenFences, AFrameThatIsRefusedForItsFenceReplacesNone)
{
	fake_.setInstantFlips(false);
	screen_->setLayer({.dropPolicy = DropPolicy::Replace});
	const UniqueFd fence(eventfd(0, 0));
	ASSERT_TRUE(screen_->show(frame(2, -1)));
	ASSERT_TRUE(screen_->show(frame(3, -1))) << "waits for the flip of 2";
	{
		const FewDescriptors none(0);
		EXPECT_EQ(screen_->show(frame(4, fence.get())).error_or(Error{}).code, EMFILE);
	}
	EXPECT_TRUE(fake_.flip());
	ASSERT_TRUE(told_.waitFlips(2));
	EXPECT_TRUE(fake_.flip()) << "3 was still waiting";
	ASSERT_TRUE(told_.waitFlips(3));
	EXPECT_EQ(told_.flips().back().cookie, 3u);
}

/* A sync_file is what the handler is promised; without one the flip gives the frame back. */
TEST_F(ScreenFences, AFenceOfACommitThatCannotBeDuplicatedIsNotHandedOn)
{
	std::vector<int> given;
	screen_->setFenceHandler([&](uint64_t, uint64_t, int fence) {
		given.push_back(fence);
		::close(fence);
	});
	const Frame second = frame(2, -1);
	{
		const FewDescriptors one(1); /* for the commit's own */
		ASSERT_TRUE(screen_->show(second));
	}
	EXPECT_THAT(given, ElementsAre());
	ASSERT_TRUE(told_.waitFlips(2));
	EXPECT_THAT(told_.released(), ElementsAre(1u));

	ASSERT_TRUE(screen_->show(frame(3, -1)));
	EXPECT_EQ(given.size(), 1u);
}
