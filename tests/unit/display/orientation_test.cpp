/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "orientation.h"

#include <drm_mode.h>
#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

constexpr Transform all[] = {
	Transform::Identity,  Transform::Rotate90,           Transform::Rotate180,
	Transform::Rotate270, Transform::MirrorHorizontally, Transform::MirrorVertically,
	Transform::Transpose, Transform::AntiTranspose,
};

/* The kernel's choices are bit numbers: rotate-0 is 0 ... reflect-y is 5. */
KmsObject planeThatDoes(std::initializer_list<uint64_t> bits)
{
	KmsProperty rotation{.name = "rotation", .id = 9};
	for (const uint64_t bit : bits)
		rotation.choices.emplace_back("", bit);
	return {.id = 1, .properties = {rotation}};
}

} /* namespace */

TEST(Orientation, TurnsAddUp)
{
	EXPECT_EQ(compose(Transform::Rotate90, Transform::Rotate90), Transform::Rotate180);
	EXPECT_EQ(compose(Transform::Rotate90, Transform::Rotate270), Transform::Identity);
	for (const Transform transform : all) {
		EXPECT_EQ(compose(Transform::Identity, transform), transform);
		EXPECT_EQ(compose(transform, Transform::Identity), transform);
	}
}

TEST(Orientation, OrderMatters)
{
	/* Mirrored and then turned clockwise: what was right is at the bottom, mirrored. */
	EXPECT_EQ(compose(Transform::MirrorHorizontally, Transform::Rotate90),
		  Transform::AntiTranspose);
	EXPECT_EQ(compose(Transform::Rotate90, Transform::MirrorHorizontally),
		  Transform::Transpose);
}

TEST(Orientation, KmsTurnsCounterClockwiseAndReflectsFirst)
{
	const KmsObject plane = planeThatDoes({0, 1, 2, 3, 4, 5});
	EXPECT_EQ(planeRotation(plane, Transform::Identity), DRM_MODE_ROTATE_0);
	EXPECT_EQ(planeRotation(plane, Transform::Rotate90), DRM_MODE_ROTATE_270);
	EXPECT_EQ(planeRotation(plane, Transform::Rotate180), DRM_MODE_ROTATE_180);
	EXPECT_EQ(planeRotation(plane, Transform::Rotate270), DRM_MODE_ROTATE_90);
	EXPECT_EQ(planeRotation(plane, Transform::MirrorHorizontally),
		  DRM_MODE_REFLECT_X | DRM_MODE_ROTATE_0);
	EXPECT_EQ(planeRotation(plane, Transform::MirrorVertically),
		  DRM_MODE_REFLECT_X | DRM_MODE_ROTATE_180);
	for (const Transform transform : all)
		EXPECT_TRUE(planeRotation(plane, transform)) << describe(transform);
}

TEST(Orientation, APlaneDoesWhatItsBitsAllow)
{
	const KmsObject reflects = planeThatDoes({0, 4, 5});
	EXPECT_EQ(planeRotation(reflects, Transform::Rotate180),
		  DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_X | DRM_MODE_REFLECT_Y)
		<< "without the bit for 180 degrees";
	EXPECT_FALSE(planeRotation(reflects, Transform::Rotate90));
	EXPECT_EQ(planeRotation(KmsObject{}, Transform::Identity), 0u);
	EXPECT_FALSE(planeRotation(KmsObject{}, Transform::Rotate180));
}

TEST(Orientation, OfPanels)
{
	EXPECT_EQ(panelTransform("Normal"), Transform::Identity);
	EXPECT_EQ(panelTransform("Upside Down"), Transform::Rotate180);
	EXPECT_EQ(panelTransform("Left Side Up"), Transform::Rotate270);
	EXPECT_EQ(panelTransform("Right Side Up"), Transform::Rotate90);
	EXPECT_EQ(panelTransform("something new"), Transform::Identity);
}

TEST(Orientation, ARectangleTurnsWithItsPicture)
{
	const Rectangle corner{10, 20, 30, 40}; /* of 100x200 */
	EXPECT_EQ(transformed(corner, 100, 200, Transform::Identity), corner);
	EXPECT_EQ(transformed(corner, 100, 200, Transform::Rotate90), (Rectangle{140, 10, 40, 30}));
	EXPECT_EQ(transformed(corner, 100, 200, Transform::Rotate180),
		  (Rectangle{60, 140, 30, 40}));
	EXPECT_EQ(transformed(corner, 100, 200, Transform::Rotate270), (Rectangle{20, 60, 40, 30}));
	EXPECT_EQ(transformed(corner, 100, 200, Transform::MirrorHorizontally),
		  (Rectangle{60, 20, 30, 40}));
	EXPECT_EQ(transformed(corner, 100, 200, Transform::Transpose), (Rectangle{20, 10, 40, 30}));
	/* Odd sizes have their middle between pixels. */
	EXPECT_EQ(transformed({0, 0, 1, 1}, 3, 5, Transform::Rotate180), (Rectangle{2, 4, 1, 1}));
}
