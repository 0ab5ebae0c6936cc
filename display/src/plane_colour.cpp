/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plane_colour.h"

#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

/* Names given by drm_plane_create_color_properties() in the kernel's drm_color_mgmt.c. */
const char *encodingName(ColorEncoding encoding)
{
	switch (encoding) {
	case ColorEncoding::BT601:
		return "ITU-R BT.601 YCbCr";
	case ColorEncoding::BT2020:
		return "ITU-R BT.2020 YCbCr";
	default:
		return "ITU-R BT.709 YCbCr";
	}
}

const char *rangeName(ColorRange range)
{
	return range == ColorRange::Full ? "YCbCr full range" : "YCbCr limited range";
}

Result<std::optional<uint64_t>> choose(const KmsObject &plane, const char *property,
				       const char *choice)
{
	const KmsProperty *entry = plane.find(property);
	if (!entry)
		return std::nullopt;
	if (const auto value = entry->choice(choice))
		return value;

	std::string choices;
	for (const auto &[name, value] : entry->choices)
		choices += (choices.empty() ? "" : ", ") + name;
	return fail(EINVAL, std::format("plane {} cannot show {}: its {} takes {}", plane.id,
					choice, property, choices));
}

} /* namespace */

Colorimetry resolveColorimetry(const FrameLayout &layout)
{
	Colorimetry colorimetry = layout.colorimetry;
	if (colorimetry.encoding == ColorEncoding::Unknown)
		colorimetry.encoding =
			layout.height <= 576 ? ColorEncoding::BT601 : ColorEncoding::BT709;
	if (colorimetry.range == ColorRange::Unknown)
		colorimetry.range = ColorRange::Limited;
	return colorimetry;
}

Result<PlaneColour> planeColour(const KmsObject &plane, const FrameLayout &layout)
{
	const FormatInfo *format = formatInfo(layout.fourcc);
	/* A format unknown to heapflow is YCbCr when the frame says so. */
	if (format ? !format->yuv : layout.colorimetry == Colorimetry{})
		return PlaneColour{};

	const Colorimetry colorimetry = resolveColorimetry(layout);
	auto encoding = choose(plane, "COLOR_ENCODING", encodingName(colorimetry.encoding));
	if (!encoding)
		return std::unexpected(encoding.error());
	auto range = choose(plane, "COLOR_RANGE", rangeName(colorimetry.range));
	if (!range)
		return std::unexpected(range.error());
	return PlaneColour{*encoding, *range};
}

} /* namespace heapflow */
