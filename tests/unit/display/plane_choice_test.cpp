/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plane_choice.h"

#include "example_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

const CrtcInfo crtc{.id = 50, .index = 0};

std::vector<uint32_t> ids(const PlaneCandidates &candidates)
{
	std::vector<uint32_t> list;
	for (const PlaneInfo *plane : candidates.planes)
		list.push_back(plane->id);
	return list;
}

PlaneCandidates choose(const Topology &topology, uint32_t fourcc, uint32_t planeId = 0)
{
	return choosePlanes(topology, crtc, fourcc, DRM_FORMAT_MOD_LINEAR, planeId);
}

Topology fourPlanes()
{
	Topology topology;
	topology.planes = {makePlane(34, PlaneType::Overlay), makePlane(33, PlaneType::Overlay),
			   makePlane(40, PlaneType::Primary), makePlane(41, PlaneType::Cursor)};
	return topology;
}

} /* namespace */

TEST(PlaneChoice, PrimaryThenOverlaysByIdWhateverTheirOrder)
{
	Topology topology = fourPlanes();
	EXPECT_THAT(ids(choose(topology, DRM_FORMAT_NV12)), ElementsAre(40, 33, 34));
	std::ranges::reverse(topology.planes);
	EXPECT_THAT(ids(choose(topology, DRM_FORMAT_NV12)), ElementsAre(40, 33, 34));
}

TEST(PlaneChoice, CursorOnlyWhenNamed)
{
	const Topology topology = fourPlanes();
	EXPECT_THAT(choose(topology, DRM_FORMAT_NV12).reasons,
		    ElementsAre(HasSubstr("cursor plane 41")));
	EXPECT_THAT(ids(choose(topology, DRM_FORMAT_NV12, 41)), ElementsAre(41));
}

TEST(PlaneChoice, NamedPlaneIsTheOnlyOne)
{
	const Topology topology = fourPlanes();
	const auto candidates = choose(topology, DRM_FORMAT_NV12, 33);
	EXPECT_THAT(ids(candidates), ElementsAre(33));
	EXPECT_EQ(candidates.reasons.size(), 3u);
}

TEST(PlaneChoice, FormatThatAPlaneLacksIsAReason)
{
	Topology topology = fourPlanes();
	topology.planes[2].formats.pop_back();
	const auto candidates = choose(topology, DRM_FORMAT_NV12);
	EXPECT_THAT(ids(candidates), ElementsAre(33, 34));
	EXPECT_THAT(candidates.reasons[0], HasSubstr("primary plane 40: does not take NV12"));
}

TEST(PlaneChoice, ModifierThatAPlaneLacksIsAReason)
{
	Topology topology = fourPlanes();
	topology.planes[1].formats[1].modifiers.push_back(I915_FORMAT_MOD_X_TILED);
	const auto candidates =
		choosePlanes(topology, crtc, DRM_FORMAT_NV12, I915_FORMAT_MOD_X_TILED, 0);
	EXPECT_THAT(ids(candidates), ElementsAre(33));
	EXPECT_THAT(candidates.reasons[0], HasSubstr("modifier 0x100000000000001"));
}

TEST(PlaneChoice, PlaneOfAnotherCrtcIsNotConsidered)
{
	Topology topology;
	topology.planes = {makePlane(33, PlaneType::Primary, 2),
			   makePlane(34, PlaneType::Overlay, 3),
			   makePlane(35, PlaneType::Overlay, 3)};
	topology.planes[1].crtcId = 51; /* lit there now */
	const auto candidates = choose(topology, DRM_FORMAT_NV12);
	EXPECT_THAT(ids(candidates), ElementsAre(35));
	EXPECT_THAT(candidates.reasons, ElementsAre(HasSubstr("in use on CRTC 51")));
}

TEST(PlaneChoice, PlaneOfThisCrtcMayBeLit)
{
	Topology topology = fourPlanes();
	topology.planes[2].crtcId = crtc.id;
	EXPECT_THAT(ids(choose(topology, DRM_FORMAT_NV12)), ElementsAre(40, 33, 34));
}

TEST(PlaneChoice, NothingFits)
{
	const Topology topology = fourPlanes();
	const auto candidates = choose(topology, DRM_FORMAT_YUYV);
	EXPECT_THAT(candidates.planes, IsEmpty());
	EXPECT_EQ(candidates.reasons.size(), 4u);
	EXPECT_THAT(choose({}, DRM_FORMAT_NV12).planes, IsEmpty());
}

TEST(PlaneFormats, AreMergedInThePlanesOrder)
{
	Topology topology;
	topology.planes = {
		makePlane(34, PlaneType::Overlay, 1, {DRM_FORMAT_YUYV, DRM_FORMAT_NV12}),
		makePlane(33, PlaneType::Primary, 1, {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12}),
		makePlane(41, PlaneType::Cursor, 1, {DRM_FORMAT_ARGB8888})};
	topology.planes[0].formats[1].modifiers = {7};
	const auto formats = planeFormats(topology, crtc, 0);
	ASSERT_EQ(formats.size(), 3u);
	EXPECT_EQ(listFormats(formats), "XR24, NV12, YUYV");
	EXPECT_THAT(formats[1].planes, ElementsAre(33, 34));
	EXPECT_THAT(formats[1].modifiers, ElementsAre(0, 7));
	EXPECT_EQ(listFormats(planeFormats(topology, crtc, 41)), "AR24");
	EXPECT_EQ(listFormats({}), "none");
}
