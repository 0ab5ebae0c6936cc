/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "orientation.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <drm_mode.h>

namespace heapflow
{

namespace
{

/* x' = a x + b y, y' = c x + d y, about the middle of the picture, y downwards */
struct Matrix {
	int a, b, c, d;
	bool operator==(const Matrix &) const = default;
};

constexpr std::array<Matrix, 8> matrices = {{
	{1, 0, 0, 1},   /* Identity */
	{0, -1, 1, 0},  /* Rotate90 */
	{-1, 0, 0, -1}, /* Rotate180 */
	{0, 1, -1, 0},  /* Rotate270 */
	{-1, 0, 0, 1},  /* MirrorHorizontally */
	{1, 0, 0, -1},  /* MirrorVertically */
	{0, 1, 1, 0},   /* Transpose */
	{0, -1, -1, 0}, /* AntiTranspose */
}};

const Matrix &matrix(Transform transform)
{
	return matrices[static_cast<size_t>(transform)];
}

constexpr Matrix product(const Matrix &second, const Matrix &first)
{
	return {second.a * first.a + second.b * first.c, second.a * first.b + second.b * first.d,
		second.c * first.a + second.d * first.c, second.c * first.b + second.d * first.d};
}

/*
 * KMS turns counter-clockwise, and reflects before it turns: "reflect-x" mirrors along the x axis
 * of the source (drm_plane_create_rotation_property() in the kernel's drm_blend.c).
 */
Matrix kmsMatrix(uint64_t rotation)
{
	Matrix result = matrix(Transform::Identity);
	if (rotation & DRM_MODE_REFLECT_X)
		result = product(matrix(Transform::MirrorHorizontally), result);
	if (rotation & DRM_MODE_REFLECT_Y)
		result = product(matrix(Transform::MirrorVertically), result);
	switch (rotation & DRM_MODE_ROTATE_MASK) {
	case DRM_MODE_ROTATE_90:
		return product(matrix(Transform::Rotate270), result);
	case DRM_MODE_ROTATE_180:
		return product(matrix(Transform::Rotate180), result);
	case DRM_MODE_ROTATE_270:
		return product(matrix(Transform::Rotate90), result);
	default:
		return result;
	}
}

/* The bits of a bit mask property: its choices' values are bit numbers. */
uint64_t supportedBits(const KmsProperty &property)
{
	uint64_t bits = 0;
	for (const auto &[name, bit] : property.choices)
		bits |= uint64_t{1} << bit;
	return bits;
}

} /* namespace */

Transform compose(Transform first, Transform second)
{
	const Matrix both = product(matrix(second), matrix(first));
	const auto found = std::ranges::find(matrices, both);
	return static_cast<Transform>(found - matrices.begin());
}

bool swapsSides(Transform transform)
{
	return !matrix(transform).a;
}

const char *describe(Transform transform)
{
	static constexpr const char *names[] = {
		"as it is",
		"turned 90 degrees clockwise",
		"turned 180 degrees",
		"turned 90 degrees counter-clockwise",
		"mirrored left to right",
		"mirrored top to bottom",
		"mirrored about the line from upper left to lower right",
		"mirrored about the line from upper right to lower left",
	};
	return names[static_cast<size_t>(transform)];
}

std::optional<uint64_t> planeRotation(const KmsObject &plane, Transform transform)
{
	const KmsProperty *property = plane.find("rotation");
	if (!property)
		return transform == Transform::Identity ? std::optional<uint64_t>(0) : std::nullopt;

	const uint64_t supported = supportedBits(*property);
	/* The fewest bits first: a rotation alone, then with a reflection, then with both. */
	for (const uint64_t reflection : {0u, static_cast<unsigned>(DRM_MODE_REFLECT_X),
					  static_cast<unsigned>(DRM_MODE_REFLECT_Y),
					  static_cast<unsigned>(DRM_MODE_REFLECT_MASK)}) {
		for (const uint64_t turn : {DRM_MODE_ROTATE_0, DRM_MODE_ROTATE_90,
					    DRM_MODE_ROTATE_180, DRM_MODE_ROTATE_270}) {
			const uint64_t value = reflection | turn;
			if (!(value & ~supported) && kmsMatrix(value) == matrix(transform))
				return value;
		}
	}
	return std::nullopt;
}

Transform panelTransform(std::string_view orientation)
{
	/* Which side of the panel is at the top of the machine (drm_connector.c). */
	if (orientation == "Upside Down")
		return Transform::Rotate180;
	if (orientation == "Left Side Up")
		return Transform::Rotate270;
	if (orientation == "Right Side Up")
		return Transform::Rotate90;
	return Transform::Identity;
}

Rectangle transformed(const Rectangle &rectangle, uint32_t width, uint32_t height,
		      Transform transform)
{
	/* Twice the distance of two opposite corners from the middle: whole numbers. */
	const auto doubled = [](int64_t position, uint32_t size) {
		return 2 * position - size;
	};
	const int64_t x0 = doubled(rectangle.x, width);
	const int64_t y0 = doubled(rectangle.y, height);
	const int64_t x1 = x0 + 2 * int64_t{rectangle.width};
	const int64_t y1 = y0 + 2 * int64_t{rectangle.height};
	const Matrix &m = matrix(transform);
	const int64_t newX = std::min(m.a * x0 + m.b * y0, m.a * x1 + m.b * y1);
	const int64_t newY = std::min(m.c * x0 + m.d * y0, m.c * x1 + m.d * y1);

	const bool swap = swapsSides(transform);
	const uint32_t newWidth = swap ? height : width;
	const uint32_t newHeight = swap ? width : height;
	return {static_cast<int32_t>((newX + newWidth) / 2),
		static_cast<int32_t>((newY + newHeight) / 2),
		swap ? rectangle.height : rectangle.width,
		swap ? rectangle.width : rectangle.height};
}

} /* namespace heapflow */
