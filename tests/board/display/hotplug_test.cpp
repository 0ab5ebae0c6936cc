/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of other shapes, screens that come and go, masters that change. */
#include "display_fixture.h"
#include "other_process.h"
#include "picture.h"
#include "vkms_device.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <format>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using Kind = ScreenNotice::Kind;

namespace
{

const FrameLayout &layout()
{
	static const FrameLayout value = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	return value;
}

/* What was told, counted by kind. */
class NoticeLog
{
public:
	Screen::NoticeHandler handler()
	{
		return [this](const ScreenNotice &notice) {
			const std::lock_guard lock(mutex_);
			notices_.push_back(notice);
		};
	}

	size_t count(Kind kind) const
	{
		const std::lock_guard lock(mutex_);
		return static_cast<size_t>(std::ranges::count(notices_, kind, &ScreenNotice::kind));
	}

	std::string text(Kind kind) const
	{
		const std::lock_guard lock(mutex_);
		const auto found = std::ranges::find(notices_, kind, &ScreenNotice::kind);
		return found == notices_.end() ? "" : found->text;
	}

private:
	mutable std::mutex mutex_;
	std::vector<ScreenNotice> notices_;
};

class DisplayHotplug : public testing::Test
{
protected:
	void open(const std::string &node, bool wait = false)
	{
		auto screen = Screen::open({.device = node, .waitForScreen = wait});
		ASSERT_TRUE(screen) << textOf(screen);
		screen_ = std::move(*screen);
		screen_->setFlipHandler(log_.handler());
		screen_->setNoticeHandler(notices_.handler());
		for (int i = 0; i < 3; i++)
			buffers_.push_back(allocate("video@42000000", layout().size()));
		const auto plan = screen_->configure(layout(), buffers_[0].fd());
		ASSERT_TRUE(plan) << textOf(plan);
	}

	Result<void> show()
	{
		cookie_++;
		return screen_->show(buffers_[cookie_ % 3].fd(), layout(), cookie_);
	}

	/* Shows frames until one is on the screen. */
	bool lights()
	{
		const uint64_t before = screen_->statistics().shown;
		return eventually([&] {
			EXPECT_TRUE(show());
			return screen_->statistics().shown > before;
		});
	}

	std::vector<Buffer> buffers_;
	FlipLog log_;
	NoticeLog notices_;
	std::unique_ptr<Screen> screen_;
	uint64_t cookie_ = 0;
};

} /* namespace */

TEST_F(DisplayHotplug, OnePlaneNoCursorNoWriteback)
{
	const VkmsDevice device({});
	open(device.node());
	EXPECT_EQ(screen_->formats().front().planes.size(), 1u);
	for (int i = 0; i < 10; i++)
		ASSERT_TRUE(show());
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_EQ(log_.events().size(), 10u);
	/* Composed by the CPU, since nothing is written back. */
	drawPicture(layout(), buffers_[cookie_ % 3].map(Access::Write)->bytes());
	const auto image = screen_->screenshot();
	ASSERT_TRUE(image) << textOf(image);
	const auto plan = screen_->plan();
	FrameLayout shown = layout();
	shown.colorimetry = {ColorEncoding::BT601, ColorRange::Limited};
	EXPECT_EQ(comparePicture(*image, shown, plan->x, plan->y, 2).wrong, 0u);
	screen_.reset();
}

TEST_F(DisplayHotplug, OverlayWithoutCursorTakesASecondLayer)
{
	const VkmsDevice device({.overlay = true});
	open(device.node());
	ASSERT_TRUE(show());
	const auto second = Screen::open({.device = device.node()});
	ASSERT_TRUE(second) << textOf(second);
	const auto plan = (*second)->configure(layout(), buffers_[0].fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->planeType, "overlay");
	const auto third = Screen::open({.device = device.node()});
	ASSERT_TRUE(third);
	EXPECT_FALSE((*third)->configure(layout(), buffers_[0].fd())) << "no plane is left";
	screen_.reset();
}

TEST_F(DisplayHotplug, UnpluggedAtStart)
{
	VkmsDevice device({.connected = false});
	const auto refused = Screen::open({.device = device.node()});
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ENOTCONN);
	EXPECT_THAT(refused.error().text(), HasSubstr("wait"));

	open(device.node(), true);
	for (int i = 0; i < 5; i++)
		EXPECT_TRUE(show()) << "taken and dropped";
	EXPECT_EQ(screen_->statistics().dark, 5u);
	device.plug();
	EXPECT_TRUE(eventually([&] { return notices_.count(Kind::Plugged) == 1; }));
	EXPECT_TRUE(lights());
	EXPECT_NE(screen_->plan()->planeId, 0u);
	screen_.reset();
}

TEST_F(DisplayHotplug, UnpluggedAndPluggedTwentyTimes)
{
	VkmsDevice device({.overlay = true, .writeback = true});
	open(device.node());
	EXPECT_TRUE(lights());
	const size_t descriptors = openDescriptors();
	for (size_t round = 1; round <= 20; round++) {
		device.unplug();
		ASSERT_TRUE(eventually([&] {
			EXPECT_TRUE(show()) << "no error while it is unplugged";
			return notices_.count(Kind::Unplugged) == round;
		})) << round;
		for (int i = 0; i < 3; i++)
			EXPECT_TRUE(show());
		device.plug();
		ASSERT_TRUE(eventually([&] { return notices_.count(Kind::Plugged) == round; }));
		ASSERT_TRUE(lights()) << round;
	}
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_EQ(notices_.count(Kind::Unplugged), 20u) << "said once each time";
	EXPECT_LE(openDescriptors(), descriptors);
	EXPECT_LE(screen_->counts().framebuffers, 3u);
	/* Every frame came back, but for the one on the screen. */
	const auto events = log_.events();
	const auto released = std::ranges::count_if(
		events, [](const FlipEvent &event) { return event.released != 0; });
	EXPECT_EQ(static_cast<uint64_t>(released), cookie_ - 1);
	screen_.reset();
}

TEST_F(DisplayHotplug, RemovedWhileItIsShown)
{
	VkmsDevice device({});
	open(device.node());
	EXPECT_TRUE(lights());
	device.remove();
	Result<void> shown;
	EXPECT_TRUE(eventually([&] {
		shown = show();
		return !shown;
	}));
	ASSERT_FALSE(shown);
	EXPECT_EQ(shown.error().code, ENODEV) << textOf(shown);
	EXPECT_FALSE(show());
	screen_.reset(); /* does not hang */
	EXPECT_TRUE(openVkms()) << "the other display is as it was";
}

/* A lease, as a compositor hands it out: the lessee sees its objects and nothing else. */
TEST_F(DisplayHotplug, OfALease)
{
	const VkmsDevice device({.overlay = true});
	const UniqueFd lessor(::open(device.node().c_str(), O_RDWR | O_CLOEXEC));
	ASSERT_EQ(drmSetClientCap(lessor.get(), DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1), 0);
	drmModeRes *resources = drmModeGetResources(lessor.get());
	drmModePlaneRes *planes = drmModeGetPlaneResources(lessor.get());
	ASSERT_TRUE(resources && planes);
	const uint32_t objects[] = {resources->connectors[0], resources->crtcs[0],
				    planes->planes[0]};
	drmModeFreePlaneResources(planes);
	drmModeFreeResources(resources);
	uint32_t lessee = 0;
	const UniqueFd lease(drmModeCreateLease(lessor.get(), objects, 3, O_CLOEXEC, &lessee));
	ASSERT_TRUE(lease.valid()) << errno;

	auto screen = Screen::open({.fd = lease.get()});
	ASSERT_TRUE(screen) << textOf(screen);
	EXPECT_EQ((*screen)->formats().front().planes, std::vector<uint32_t>{objects[2]});
	const Buffer buffer = allocate("system", layout().size());
	const auto plan = (*screen)->configure(layout(), buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_THAT(plan->device, HasSubstr(device.node()));
	ASSERT_TRUE((*screen)->show(buffer.fd(), layout(), 1));
	ASSERT_TRUE((*screen)->drain(std::chrono::seconds(1)));
	/* The lessor takes it back. */
	ASSERT_EQ(drmModeRevokeLease(lessor.get(), lessee), 0);
	const auto after = (*screen)->show(buffer.fd(), layout(), 2);
	(void)after; /* dropped, or the objects are gone: either is said, nothing hangs */
	screen->reset();
}

/* The display goes to another process and comes back, as when virtual terminals are switched. */
TEST_F(DisplayHotplug, ASecondMaster)
{
	const VkmsDevice device({});
	const UniqueFd shared(::open(device.node().c_str(), O_RDWR | O_CLOEXEC));
	{
		auto screen = Screen::open({.fd = shared.get()});
		ASSERT_TRUE(screen) << textOf(screen);
		screen_ = std::move(*screen);
	}
	screen_->setFlipHandler(log_.handler());
	screen_->setNoticeHandler(notices_.handler());
	for (int i = 0; i < 3; i++)
		buffers_.push_back(allocate("video@42000000", layout().size()));
	ASSERT_TRUE(screen_->configure(layout(), buffers_[0].fd()));
	EXPECT_TRUE(lights());
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));

	ASSERT_EQ(drmDropMaster(shared.get()), 0);
	{
		OtherProcess other([&] {
			auto theirs = Screen::open({.device = device.node()});
			if (!theirs)
				return 1;
			OtherProcess::tellReady();
			return OtherProcess::waitForEnd();
		});
		ASSERT_TRUE(other.ready());
		EXPECT_TRUE(show()) << "taken and dropped";
		EXPECT_TRUE(eventually([&] { return notices_.count(Kind::MasterLost) == 1; }));
		EXPECT_THAT(notices_.text(Kind::MasterLost),
			    HasSubstr(std::format("(pid {})", other.pid())));
		for (int i = 0; i < 3; i++)
			EXPECT_TRUE(show());
	}
	EXPECT_TRUE(eventually([&] { return notices_.count(Kind::MasterBack) == 1; }));
	EXPECT_TRUE(lights());
	EXPECT_EQ(notices_.count(Kind::MasterLost), 1u);
	EXPECT_GE(screen_->statistics().dark, 4u);
	screen_.reset();
}

TEST_F(DisplayHotplug, KilledWhileItIsShownAndStartedAgain)
{
	for (int round = 0; round < 3; round++) {
		OtherProcess victim([] {
			auto screen = openVkms();
			const Buffer buffer = allocate("system", layout().size());
			if (!screen || !screen->configure(layout(), buffer.fd()) ||
			    !screen->show(buffer.fd(), layout(), 1) ||
			    !screen->drain(std::chrono::seconds(1)))
				return 1;
			OtherProcess::tellReady();
			return OtherProcess::waitForEnd();
		});
		ASSERT_TRUE(victim.ready());
		EXPECT_FALSE(framebuffersOfDevice().empty());
		ASSERT_EQ(kill(victim.pid(), SIGKILL), 0);
		EXPECT_TRUE(eventually([] { return framebuffersOfDevice().empty(); }));
	}
	auto screen = openVkms();
	ASSERT_TRUE(screen);
	const Buffer buffer = allocate("system", layout().size());
	ASSERT_TRUE(screen->configure(layout(), buffer.fd()));
	EXPECT_TRUE(screen->show(buffer.fd(), layout(), 1));
	EXPECT_TRUE(screen->drain(std::chrono::seconds(1)));
}
