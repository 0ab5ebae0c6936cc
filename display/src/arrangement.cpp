/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arrangement.h"

#include "orientation.h"

#include <algorithm>
#include <format>
#include <tuple>

namespace heapflow
{

namespace
{

using Kind = Arrangement::Kind;

uint32_t even(uint64_t size)
{
	return std::max(2u, static_cast<uint32_t>(size) & ~1u);
}

/* In the middle of the area, on even coordinates. */
Rectangle centre(const Rectangle &area, uint32_t width, uint32_t height)
{
	const auto offset = [](uint32_t space, uint32_t size) {
		return static_cast<int32_t>(((int64_t{space} - size) / 2) & ~int64_t{1});
	};
	return {area.x + offset(area.width, width), area.y + offset(area.height, height), width,
		height};
}

Rectangle scaleToFit(const Rectangle &area, uint32_t width, uint32_t height)
{
	uint64_t scaledWidth = area.width;
	uint64_t scaledHeight = uint64_t{area.width} * height / width;
	if (scaledHeight > area.height) {
		scaledHeight = area.height;
		scaledWidth = uint64_t{area.height} * width / height;
	}
	if (scaledWidth == area.width && scaledHeight == area.height)
		return area;
	return centre(area, std::min(even(scaledWidth), area.width),
		      std::min(even(scaledHeight), area.height));
}

/* Everything in the viewer's coordinates; mapped to the panel's at the end. */
class Arranger
{
public:
	Arranger(const ArrangementWish &wish, const LayerOptions &layer, Transform panel)
		: wish_(wish), layer_(layer), panel_(panel)
	{
		const bool swap = swapsSides(panel);
		viewWidth_ = swap ? wish.panelHeight : wish.panelWidth;
		viewHeight_ = swap ? wish.panelWidth : wish.panelHeight;
		area_ = layer.rectangle.empty() ? Rectangle{0, 0, viewWidth_, viewHeight_}
						: layer.rectangle;
		const bool turned = swapsSides(layer.transform);
		width_ = turned ? wish.source.height : wish.source.width;
		height_ = turned ? wish.source.width : wish.source.height;
		std::tie(shapeWidth_, shapeHeight_) =
			pictureSize(wish.source, layer, Transform::Identity);
	}

	void addTo(std::vector<Arrangement> &list) const
	{
		if (wish_.crop) {
			addCropped(list);
			return;
		}
		const bool squarePixels = shapeWidth_ == width_ && shapeHeight_ == height_;
		if (width_ == area_.width && height_ == area_.height && squarePixels)
			add(list, Kind::Native, wish_.source, area_);
		if (layer_.scale && layer_.keepAspect)
			add(list, Kind::Scaled, wish_.source,
			    scaleToFit(area_, shapeWidth_, shapeHeight_));
		else if (layer_.scale)
			add(list, Kind::Stretched, wish_.source, area_);
		if (width_ <= area_.width && height_ <= area_.height)
			add(list, Kind::Native, wish_.source, centre(area_, width_, height_));
	}

private:
	void add(std::vector<Arrangement> &list, Kind kind, const Rectangle &source,
		 const Rectangle &view) const
	{
		/* What is called scaled and is not: the same as one that is there already. */
		const uint32_t width = swapsSides(layer_.transform) ? source.height : source.width;
		const uint32_t height = swapsSides(layer_.transform) ? source.width : source.height;
		if (view.width == width && view.height == height && kind != Kind::Cropped)
			kind = Kind::Native;
		const Arrangement arrangement{kind, source,
					      transformed(view, viewWidth_, viewHeight_, panel_),
					      compose(layer_.transform, panel_)};
		if (!std::ranges::contains(list, arrangement))
			list.push_back(arrangement);
	}

	void addCropped(std::vector<Arrangement> &list) const
	{
		const uint32_t width = std::min(width_, area_.width);
		const uint32_t height = std::min(height_, area_.height);
		if (width == width_ && height == height_)
			return;
		const bool turned = swapsSides(layer_.transform);
		const uint32_t sourceWidth = turned ? height : width;
		const uint32_t sourceHeight = turned ? width : height;
		add(list, Kind::Cropped, centre(wish_.source, sourceWidth, sourceHeight),
		    centre(area_, width, height));
	}

	const ArrangementWish &wish_;
	const LayerOptions &layer_;
	Transform panel_;
	uint32_t viewWidth_ = 0, viewHeight_ = 0;
	Rectangle area_;
	uint32_t width_ = 0, height_ = 0;           /* of the source, turned */
	uint32_t shapeWidth_ = 0, shapeHeight_ = 0; /* the same with square pixels */
};

} /* namespace */

std::pair<uint32_t, uint32_t> pictureSize(const Rectangle &source, const LayerOptions &layer,
					  Transform panel)
{
	/* The longer side of a pixel stretches; nothing shrinks. */
	const uint64_t n = std::max(layer.pixelAspect[0], 1u);
	const uint64_t d = std::max(layer.pixelAspect[1], 1u);
	uint64_t width = source.width;
	uint64_t height = source.height;
	if (n > d)
		width = (width * n + d / 2) / d;
	else if (d > n)
		height = (height * d + n / 2) / n;
	constexpr uint64_t longest = 1u << 20;
	width = std::clamp<uint64_t>(width, 1, longest);
	height = std::clamp<uint64_t>(height, 1, longest);
	if (swapsSides(compose(layer.transform, panel)))
		std::swap(width, height);
	return {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
}

std::vector<Arrangement> arrangements(const ArrangementWish &wish, const LayerOptions &layer)
{
	std::vector<Arrangement> list;
	Arranger(wish, layer, wish.panel).addTo(list);
	if (wish.panel != Transform::Identity)
		Arranger(wish, layer, Transform::Identity).addTo(list);
	return list;
}

const char *arrangementName(Arrangement::Kind kind)
{
	static constexpr const char *names[] = {"native", "scaled", "stretched", "cropped"};
	return names[static_cast<size_t>(kind)];
}

std::string describe(const Arrangement &arrangement)
{
	const Rectangle &to = arrangement.destination;
	const Rectangle &from = arrangement.source;
	std::string text = std::format("{} {}x{}+{}+{}", arrangementName(arrangement.kind),
				       to.width, to.height, to.x, to.y);
	text += std::format(" of {}x{}+{}+{}", from.width, from.height, from.x, from.y);
	if (arrangement.transform != Transform::Identity)
		text += std::format(", {}", describe(arrangement.transform));
	return text;
}

} /* namespace heapflow */
