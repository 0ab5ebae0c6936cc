/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What configure() settles, and the errors of configure() and show(). */
#include "display_fixture.h"

#include <algorithm>

#include <cerrno>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

bool contains(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

class DisplayConfigure : public testing::Test
{
protected:
	void SetUp() override
	{
		screen_ = openVkms();
		ASSERT_TRUE(screen_);
	}

	Error refused(const FrameLayout &layout, const Buffer &buffer)
	{
		const auto plan = screen_->configure(layout, buffer.fd());
		EXPECT_FALSE(plan);
		return plan ? Error{} : plan.error();
	}

	std::unique_ptr<Screen> screen_;
};

} /* namespace */

TEST_F(DisplayConfigure, TakesTheModeOfTheFrameAndThePrimaryPlane)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 1280, 720).value();
	const Buffer buffer = allocate("video@42000000", layout.size());
	const auto plan = screen_->configure(layout, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->device, vkmsNode() + " (vkms)");
	EXPECT_EQ(plan->connector, "Virtual-1");
	EXPECT_EQ(plan->planeType, "primary");
	EXPECT_EQ(plan->mode.width, 1280u);
	EXPECT_EQ(plan->mode.height, 720u);
	EXPECT_EQ(plan->width, 1280u);
	EXPECT_EQ(plan->x, 0u);
	EXPECT_EQ(screen_->counts().commits, 0u) << "configure() only tests";
	EXPECT_GE(screen_->counts().testCommits, 1u);
}

TEST_F(DisplayConfigure, SizeWithoutAModeIsCentredInThePreferredOne)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_BGR888, 1000, 700).value();
	const Buffer buffer = allocate("system", layout.size());
	const auto plan = screen_->configure(layout, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->mode.width, 1024u);
	EXPECT_EQ(plan->mode.height, 768u);
	EXPECT_EQ(plan->x, 12u);
	EXPECT_EQ(plan->y, 34u);
}

TEST_F(DisplayConfigure, SizeBeyondThePreferredModeTakesTheSmallestThatHoldsIt)
{
	/* What vimc makes of 1280x960. */
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_BGR888, 1296, 976).value();
	const Buffer buffer = allocate("system", layout.size());
	const auto plan = screen_->configure(layout, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->width, 1296u);
	for (const DisplayMode &mode : screen_->modes()) {
		if (mode.width >= 1296 && mode.height >= 976) {
			EXPECT_LE(plan->mode.width * plan->mode.height, mode.width * mode.height);
		}
	}
}

TEST_F(DisplayConfigure, UnknownFormatListsThoseThatThePlanesTake)
{
	const FrameLayout layout{.fourcc = DRM_FORMAT_YUYV,
				 .width = 640,
				 .height = 480,
				 .planes = {{0, 1280, 1280 * 480}}};
	const Buffer buffer = allocate("system", layout.size());
	const Error error = refused(layout, buffer);
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_TRUE(contains(error.message, "YUYV")) << error.text();
	EXPECT_TRUE(contains(error.hint, "NV12")) << error.text();
	EXPECT_TRUE(contains(error.hint, "XR24")) << error.text();
}

TEST_F(DisplayConfigure, UnknownModifierIsRefusedByThePlanesList)
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	layout.modifier = I915_FORMAT_MOD_X_TILED;
	const Buffer buffer = allocate("system", layout.size());
	const Error error = refused(layout, buffer);
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_TRUE(contains(error.text(), "modifier 0x100000000000001")) << error.text();
	EXPECT_EQ(screen_->counts().imports, 0u);
}

TEST_F(DisplayConfigure, BufferTooSmallSaysBothSizes)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	const Buffer buffer = allocate("system", 4096);
	const Error error = refused(layout, buffer);
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_TRUE(contains(error.message, "4096 bytes")) << error.text();
	EXPECT_TRUE(contains(error.message, "460800")) << error.text();
	EXPECT_EQ(screen_->counts().framebuffers, 0u);
}

/* vkms does not scale: what is left is to show the middle of the frame, and to say so. */
TEST_F(DisplayConfigure, LargerThanAnyModeIsCroppedWhenNothingScales)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_R8, 8192, 8192).value();
	const Buffer buffer = allocate("system", layout.size());
	const auto plan = screen_->configure(layout, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->arrangement, "cropped");
	EXPECT_EQ(plan->source, (Rectangle{static_cast<int32_t>((8192 - plan->mode.width) / 2),
					   static_cast<int32_t>((8192 - plan->mode.height) / 2),
					   plan->mode.width, plan->mode.height}));
	EXPECT_TRUE(std::ranges::any_of(plan->reasons, [](const std::string &reason) {
		return contains(reason, "scaled") && contains(reason, "ERANGE");
	})) << testing::PrintToString(plan->reasons);
}

TEST_F(DisplayConfigure, StrideThatTheDriverRefusesIsItsErrno)
{
	/* Not a whole number of pixels. */
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	layout.planes[0].stride = 640 * 4 - 2;
	const Buffer buffer = allocate("system", layout.size());
	const Error error = refused(layout, buffer);
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_TRUE(contains(error.message, "stride 2558")) << error.text();
	EXPECT_EQ(attachments(buffer.fd()), 0) << "the import was not undone";
}

TEST_F(DisplayConfigure, NotADmabuf)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	const auto closed = screen_->configure(layout, -1);
	ASSERT_FALSE(closed);
	EXPECT_EQ(closed.error().code, EBADF);
}

TEST_F(DisplayConfigure, ShowBeforeConfigureIsAnError)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	const Buffer buffer = allocate("system", layout.size());
	const auto shown = screen_->show(buffer.fd(), layout, 1);
	ASSERT_FALSE(shown);
	EXPECT_EQ(shown.error().code, EINVAL);
}

TEST_F(DisplayConfigure, ShowOfAnotherFormatOrCookieZeroIsAnError)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	const FrameLayout other = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	const Buffer buffer = allocate("system", layout.size());
	ASSERT_TRUE(screen_->configure(layout, buffer.fd()));

	const auto shown = screen_->show(buffer.fd(), other, 1);
	ASSERT_FALSE(shown);
	EXPECT_EQ(shown.error().code, EINVAL);
	EXPECT_TRUE(contains(shown.error().message, "NV12")) << shown.error().text();
	EXPECT_TRUE(contains(shown.error().message, "XR24")) << shown.error().text();
	EXPECT_EQ(screen_->show(buffer.fd(), layout, 0).error().code, EINVAL);
}

TEST_F(DisplayConfigure, MayBeCalledAgainWhileAFrameIsShown)
{
	FlipLog log;
	screen_->setFlipHandler(log.handler());
	const FrameLayout first = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	const FrameLayout second = makeFrameLayout(DRM_FORMAT_NV12, 800, 600).value();
	const Buffer a = allocate("system", first.size());
	const Buffer b = allocate("system", second.size());

	ASSERT_TRUE(screen_->configure(first, a.fd()));
	ASSERT_TRUE(screen_->show(a.fd(), first, 1));
	const auto plan = screen_->configure(second, b.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->mode.width, 800u);
	const auto shown = screen_->show(b.fd(), second, 2);
	ASSERT_TRUE(shown) << textOf(shown);
	ASSERT_TRUE(log.wait(2));
	EXPECT_EQ(log.events()[1].released, 1u);
}
