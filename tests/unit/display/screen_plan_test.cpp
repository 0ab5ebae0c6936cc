/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mode, plane and arrangement on displays that vkms cannot be: made up below libdrm. */
#include "fake_screen.h"

#include <format>

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::Contains;
using testing::HasSubstr;

namespace
{

constexpr uint64_t tiled = 0x0100000000000002; /* any vendor's */

FakeDisplay displayWith(std::vector<FakePlane> planes)
{
	return {.modes = fakeModes(), .planes = std::move(planes)};
}

/* The plan for frames of this layout, and a commit of one. */
struct Shown {
	std::optional<ScanoutPlan> plan;
	Error error;
	FakeCommit commit;
};

Shown showOn(FakeKms &fake, const FrameLayout &layout, const LayerOptions &layer = {},
	     const ScreenOptions &options = {})
{
	Shown result;
	const auto screen = openFake(fake, options);
	if (!screen)
		return result;
	screen->setLayer(layer);
	const UniqueFd buffer = fakeDmabuf(layout);
	auto plan = screen->configure(layout, buffer.get());
	if (!plan) {
		result.error = plan.error();
		return result;
	}
	result.plan = *plan;
	const auto shown = screen->show(buffer.get(), layout, 1);
	if (!shown)
		result.error = shown.error();
	if (!fake.commits().empty())
		result.commit = fake.commits().back();
	return result;
}

uint64_t planeValue(const Shown &shown, const std::string &property)
{
	const auto found = shown.commit.properties.find(
		std::format("plane {} {}", shown.plan->planeId, property));
	return found == shown.commit.properties.end() ? 0xdead : found->second;
}

} /* namespace */

TEST(ScreenPlan, ScalesWhereThePlaneDoes)
{
	FakeKms fake(displayWith({{.shrink = 0.25, .grow = 4}}));
	const Shown shown = showOn(fake, fakeLayout(960, 540));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->arrangement, "scaled");
	EXPECT_EQ(shown.plan->mode.width, 1920u);
	EXPECT_EQ(planeValue(shown, "CRTC_W"), 1920u);
	EXPECT_EQ(planeValue(shown, "SRC_W"), 960u << 16);
	EXPECT_TRUE(shown.plan->reasons.empty()) << testing::PrintToString(shown.plan->reasons);
}

TEST(ScreenPlan, CentresWhereItDoesNotAndNamesTheReason)
{
	FakeKms fake(displayWith({{}}));
	const Shown shown = showOn(fake, fakeLayout(960, 540));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->arrangement, "native");
	EXPECT_EQ(shown.plan->x, 480u);
	EXPECT_EQ(shown.plan->y, 270u);
	EXPECT_THAT(shown.plan->reasons,
		    Contains(AllOf(HasSubstr("scaled 1920x1080"), HasSubstr("ERANGE"),
				   HasSubstr("because of"))));
}

TEST(ScreenPlan, GoesToThePlaneThatScales)
{
	FakeKms fake(displayWith({{}, {.type = DRM_PLANE_TYPE_OVERLAY, .grow = 2}}));
	const Shown shown = showOn(fake, fakeLayout(960, 540));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->planeId, FakeKms::firstPlane + 1);
	EXPECT_EQ(shown.plan->planeType, "overlay");
}

/* kmssink takes the first plane, whatever its formats. */
TEST(ScreenPlan, GoesToThePlaneThatHasTheFormat)
{
	FakeKms fake(displayWith(
		{{.formats = {{DRM_FORMAT_XRGB8888, {0}}}},
		 {.type = DRM_PLANE_TYPE_OVERLAY, .formats = {{DRM_FORMAT_NV12, {0, tiled}}}}}));
	EXPECT_EQ(showOn(fake, fakeLayout(1920, 1080)).plan->planeId, FakeKms::firstPlane + 1);

	FrameLayout layout = fakeLayout(1920, 1080);
	layout.modifier = tiled;
	const Shown shown = showOn(fake, layout);
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->planeId, FakeKms::firstPlane + 1);
	layout.modifier = tiled + 1;
	EXPECT_EQ(showOn(fake, layout).error.code, EINVAL);
}

TEST(ScreenPlan, FormatsListModifiersOfUsablePlanesOnly)
{
	FakeKms fake(displayWith(
		{{.formats = {{DRM_FORMAT_XRGB8888, {0}}}},
		 {.type = DRM_PLANE_TYPE_OVERLAY, .formats = {{DRM_FORMAT_NV12, {0, tiled}}}},
		 {.type = DRM_PLANE_TYPE_CURSOR, .formats = {{DRM_FORMAT_ARGB8888, {0}}}}}));
	const auto formats = openFake(fake)->formats();
	ASSERT_EQ(formats.size(), 2u) << "the cursor's is not for frames";
	EXPECT_EQ(formats[1].fourcc, DRM_FORMAT_NV12);
	EXPECT_THAT(formats[1].modifiers, testing::ElementsAre(0u, tiled));
}

TEST(ScreenPlan, StrangeLimitsOfPlanes)
{
	/* Whole tens of pixels only, and not wider than 1000. */
	FakeKms fake(displayWith({{.widthStep = 10, .maximumWidth = 1000}}));
	EXPECT_TRUE(showOn(fake, fakeLayout(640, 480)).plan);
	const Shown odd = showOn(fake, fakeLayout(642, 480));
	ASSERT_FALSE(odd.plan);
	EXPECT_EQ(odd.error.code, EINVAL);
	EXPECT_THAT(odd.error.text(), HasSubstr("because of")) << "the property is named";
	const Shown cropped = showOn(fake, fakeLayout(1280, 720));
	EXPECT_FALSE(cropped.plan);
}

TEST(ScreenPlan, APrimaryPlaneThatMustCoverTheScreen)
{
	FakeKms fake(displayWith({{.mustCover = true}}));
	const Shown shown = showOn(fake, fakeLayout(640, 480));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->mode.width, 640u) << "a mode that it covers";
	const Shown never = showOn(fake, fakeLayout(600, 480));
	EXPECT_FALSE(never.plan);
	EXPECT_THAT(never.error.text(), HasSubstr("EINVAL"));
}

TEST(ScreenPlan, WithoutBandwidthForScaling)
{
	auto display = displayWith({{.grow = 4}});
	display.bandwidth = 1000 * 1000;
	FakeKms fake(display);
	const Shown shown = showOn(fake, fakeLayout(800, 600));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->arrangement, "native");
	EXPECT_THAT(shown.plan->reasons, Contains(HasSubstr("ENOSPC")));
}

TEST(ScreenPlan, TurnedPictures)
{
	FakeKms fake(displayWith({{.rotations = DRM_MODE_ROTATE_0 | DRM_MODE_ROTATE_270}}));
	const Shown shown =
		showOn(fake, fakeLayout(1080, 1920), {.transform = Transform::Rotate90});
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(planeValue(shown, "rotation"), DRM_MODE_ROTATE_270);
	EXPECT_EQ(planeValue(shown, "CRTC_W"), 1920u);
	EXPECT_EQ(planeValue(shown, "SRC_W"), 1080u << 16);

	const Shown refused =
		showOn(fake, fakeLayout(1920, 1080), {.transform = Transform::Rotate180});
	EXPECT_FALSE(refused.plan);
	EXPECT_THAT(refused.error.text(), HasSubstr("turned 180 degrees"));
}

TEST(ScreenPlan, PanelsThatAreMountedTurned)
{
	auto display = displayWith({{.rotations = 0xf}});
	display.panelOrientation = "Left Side Up";
	FakeKms fake(display);
	const Shown shown = showOn(fake, fakeLayout(1080, 1920));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->transform, Transform::Rotate270);
	EXPECT_EQ(planeValue(shown, "rotation"), DRM_MODE_ROTATE_90);
	EXPECT_EQ(showOn(fake, fakeLayout(1920, 1080), {.followPanel = false}).plan->transform,
		  Transform::Identity);
}

TEST(ScreenPlan, PanelsWhosePlanesDoNotTurnShowItAsItIs)
{
	auto display = displayWith({{}});
	display.panelOrientation = "Upside Down";
	FakeKms fake(display);
	const Shown shown = showOn(fake, fakeLayout(1920, 1080));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->transform, Transform::Identity);
	EXPECT_THAT(shown.plan->reasons, Contains(HasSubstr("cannot show a picture turned 180")));
}

TEST(ScreenPlan, RefusalsAreRemembered)
{
	FakeKms fake(displayWith({{}}));
	const auto screen = openFake(fake);
	const FrameLayout layout = fakeLayout(960, 540);
	const UniqueFd buffer = fakeDmabuf(layout);
	ASSERT_TRUE(screen->configure(layout, buffer.get()));
	const unsigned first = fake.tests();
	EXPECT_GT(first, 2u) << "the scaled one, its bisection, the native one";
	ASSERT_TRUE(screen->configure(layout, buffer.get()));
	EXPECT_EQ(fake.tests(), first + 1) << "the one that passed";
}

TEST(ScreenPlan, WhenTheRealCommitRefusesTheNextIsTaken)
{
	FakeKms fake(displayWith({{}, {.type = DRM_PLANE_TYPE_OVERLAY}}));
	fake.failCommits(1, EINVAL);
	const Shown shown = showOn(fake, fakeLayout(1920, 1080));
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_EQ(shown.plan->planeId, FakeKms::firstPlane) << "as the tests said";
	EXPECT_EQ(shown.error.code, 0) << shown.error.text();
	EXPECT_TRUE(shown.commit.properties.contains("plane 41 FB_ID"));

	fake.failCommits(100, EINVAL);
	const Shown never = showOn(fake, fakeLayout(1920, 1080));
	EXPECT_EQ(never.error.code, EINVAL);
	fake.failCommits(0, 0);
	EXPECT_EQ(showOn(fake, fakeLayout(1920, 1080)).error.code, 0) << "it was of the moment";
}

TEST(ScreenPlan, TheModeThatIsSetIsKeptUnlessAsked)
{
	FakeKms fake(displayWith({{.grow = 4}}));
	showOn(fake, fakeLayout(640, 480), {}, {.mode = "1280x720", .restoreMode = false});
	EXPECT_EQ(showOn(fake, fakeLayout(640, 480)).plan->mode.width, 1280u);
	EXPECT_EQ(showOn(fake, fakeLayout(640, 480), {}, {.mode = "best"}).plan->mode.width, 640u);
	EXPECT_EQ(showOn(fake, fakeLayout(640, 480), {}, {.mode = "800x600"}).error.code, ENOENT);
}

TEST(ScreenPlan, HdrMetadataIsSetAndCleared)
{
	auto display = displayWith({{}});
	display.hdr = true;
	FakeKms fake(display);
	const HdrMetadata hdr{.maximumLuminance = 1000};
	const Shown shown = showOn(fake, fakeLayout(1920, 1080),
				   {.bitsPerComponent = 10, .contentType = "Cinema", .hdr = hdr});
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_NE(shown.commit.properties.at("connector 30 HDR_OUTPUT_METADATA"), 0u);
	EXPECT_EQ(shown.commit.properties.at("connector 30 Colorspace"), 1u);
	EXPECT_EQ(shown.commit.properties.at("connector 30 max bpc"), 10u);
	EXPECT_EQ(shown.commit.properties.at("connector 30 content type"), 3u);
	/* The screen of showOn() is closed. */
	EXPECT_EQ(fake.value(FakeKms::connector, "HDR_OUTPUT_METADATA"), 0u);
	EXPECT_EQ(fake.value(FakeKms::connector, "Colorspace"), 0u);
	EXPECT_EQ(fake.value(FakeKms::connector, "max bpc"), 8u);

	const Shown unknown = showOn(fake, fakeLayout(1920, 1080), {.contentType = "Radio"});
	EXPECT_THAT(unknown.error.text(), HasSubstr("Radio"));
}

TEST(ScreenPlan, VariableRefreshWhereTheScreenHasIt)
{
	auto display = displayWith({{}});
	display.variableRefresh = true;
	FakeKms fake(display);
	const Shown shown = showOn(fake, fakeLayout(1920, 1080), {.variableRefresh = true});
	EXPECT_EQ(shown.commit.properties.at("crtc 20 VRR_ENABLED"), 1u);
	EXPECT_EQ(fake.value(FakeKms::crtc, "VRR_ENABLED"), 0u) << "restored";
	FakeKms without(displayWith({{}}));
	EXPECT_TRUE(showOn(without, fakeLayout(1920, 1080), {.variableRefresh = true}).plan);
}

TEST(ScreenPlan, WhatTheConnectorDoesNotKnowIsSaid)
{
	FakeKms fake(displayWith({{}}));
	const Shown shown =
		showOn(fake, fakeLayout(1920, 1080),
		       {.bitsPerComponent = 10, .contentType = "Cinema", .hdr = HdrMetadata{}});
	ASSERT_TRUE(shown.plan) << shown.error.text();
	EXPECT_THAT(shown.plan->reasons, Contains(HasSubstr("'max bpc'")));
	EXPECT_THAT(shown.plan->reasons, Contains(HasSubstr("'content type'")));
	EXPECT_THAT(shown.plan->reasons, Contains(HasSubstr("HDR")));
}

TEST(ScreenPlan, ARectangleOutsideOfTheScreenIsRefused)
{
	FakeKms fake(displayWith({{}}));
	for (const Rectangle &place :
	     {Rectangle{1920, 0, 640, 480}, Rectangle{0, 1080, 640, 480},
	      Rectangle{-640, 0, 640, 480}, Rectangle{0, -480, 640, 480}}) {
		const Shown shown = showOn(fake, fakeLayout(640, 480), {.rectangle = place},
					   {.mode = "1920x1080"});
		EXPECT_EQ(shown.error.code, ERANGE);
		EXPECT_THAT(shown.error.text(), HasSubstr("outside"));
	}
	EXPECT_TRUE(showOn(fake, fakeLayout(640, 480), {.rectangle = {-639, 0, 640, 480}}).plan);
}

TEST(ScreenPlan, RawPropertiesAndUnknownOnes)
{
	FakeKms fake(displayWith({{.alpha = true}}));
	const Shown shown = showOn(fake, fakeLayout(1920, 1080),
				   {.alpha = 0.5, .planeProperties = {{"alpha", 7}}});
	EXPECT_EQ(planeValue(shown, "alpha"), 7u) << "the raw one comes last";
	EXPECT_EQ(fake.value(FakeKms::firstPlane, "alpha"), 0xffffu) << "restored";
	const Shown unknown =
		showOn(fake, fakeLayout(1920, 1080), {.planeProperties = {{"colour", 7}}});
	EXPECT_THAT(unknown.error.text(), HasSubstr("no property 'colour'"));
}

TEST(ScreenPlan, PitchAlignmentIsFoundByTrying)
{
	auto display = displayWith({{}});
	display.pitchAlignment = 64;
	FakeKms fake(display);
	const auto screen = openFake(fake);
	const auto allocate = [](uint64_t size) -> Result<Buffer> {
		UniqueFd fd(memfd_create("fake", MFD_CLOEXEC));
		EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
		return Buffer(std::move(fd), size, "system");
	};
	EXPECT_EQ(screen->pitchAlignment(DRM_FORMAT_NV12, 650, 480, allocate), 64u);
	EXPECT_EQ(fake.handles(), 0u);

	/* And a frame without it is refused with both numbers. */
	const FrameLayout layout = fakeLayout(650, 480);
	const UniqueFd buffer = fakeDmabuf(layout);
	const auto refused = screen->configure(layout, buffer.get());
	ASSERT_FALSE(refused);
	EXPECT_THAT(refused.error().text(), HasSubstr("multiples of 64 bytes, has 650"));
	EXPECT_EQ(fake.framebuffers(), 0u);
}
