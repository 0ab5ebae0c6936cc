/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_controls.h"

#include "heapflow/camera/camera.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include <libcamera/control_ids.h>
#include <libcamera/geometry.h>

namespace heapflow
{

namespace
{

ControlType typeFromLibcamera(libcamera::ControlType type)
{
	switch (type) {
	case libcamera::ControlTypeBool:
		return ControlType::Boolean;
	case libcamera::ControlTypeFloat:
		return ControlType::Float;
	case libcamera::ControlTypeString:
		return ControlType::Text;
	case libcamera::ControlTypeRectangle:
		return ControlType::Rectangle;
	case libcamera::ControlTypeSize:
		return ControlType::Size;
	case libcamera::ControlTypePoint:
		return ControlType::Point;
	default:
		return ControlType::Integer;
	}
}

template<typename T>
libcamera::Span<const T> elementsOf(const libcamera::ControlValue &value)
{
	/* get() asserts whether it is an array; the bytes are the same either way. */
	return {reinterpret_cast<const T *>(value.data().data()), value.numElements()};
}

template<typename T>
ControlValue integersFrom(const libcamera::ControlValue &value)
{
	const auto elements = elementsOf<T>(value);
	if (!value.isArray())
		return static_cast<int64_t>(elements[0]);
	return std::vector<int64_t>(elements.begin(), elements.end());
}

ControlValue realsFrom(const libcamera::ControlValue &value)
{
	const auto elements = elementsOf<float>(value);
	if (!value.isArray())
		return static_cast<double>(elements[0]);
	return std::vector<double>(elements.begin(), elements.end());
}

ControlValue rectanglesFrom(const libcamera::ControlValue &value)
{
	std::vector<int64_t> numbers;
	for (const libcamera::Rectangle &rectangle : elementsOf<libcamera::Rectangle>(value))
		numbers.insert(numbers.end(), {rectangle.x, rectangle.y, int64_t{rectangle.width},
					       int64_t{rectangle.height}});
	return numbers;
}

ControlValue sizesFrom(const libcamera::ControlValue &value)
{
	std::vector<int64_t> numbers;
	for (const libcamera::Size &size : elementsOf<libcamera::Size>(value))
		numbers.insert(numbers.end(), {int64_t{size.width}, int64_t{size.height}});
	return numbers;
}

ControlValue pointsFrom(const libcamera::ControlValue &value)
{
	std::vector<int64_t> numbers;
	for (const libcamera::Point &point : elementsOf<libcamera::Point>(value))
		numbers.insert(numbers.end(), {int64_t{point.x}, int64_t{point.y}});
	return numbers;
}

std::vector<int64_t> integersOf(const ControlValue &value)
{
	if (const auto *list = std::get_if<std::vector<int64_t>>(&value))
		return *list;
	if (const auto *integer = std::get_if<int64_t>(&value))
		return {*integer};
	if (const auto *flag = std::get_if<bool>(&value))
		return {*flag ? 1 : 0};
	return {};
}

template<typename T>
libcamera::ControlValue integersTo(bool array, const ControlValue &value)
{
	const std::vector<int64_t> numbers = integersOf(value);
	libcamera::ControlValue result;
	result.reserve(libcamera::details::control_type<T>::value, array, numbers.size());
	auto *out = reinterpret_cast<T *>(result.data().data());
	std::ranges::transform(numbers, out, [](int64_t number) { return static_cast<T>(number); });
	return result;
}

libcamera::ControlValue realsTo(bool array, const ControlValue &value)
{
	std::vector<float> numbers;
	if (const auto *list = std::get_if<std::vector<double>>(&value))
		numbers.assign(list->begin(), list->end());
	else if (const auto *real = std::get_if<double>(&value))
		numbers = {static_cast<float>(*real)};
	if (!array)
		return numbers.empty() ? libcamera::ControlValue()
				       : libcamera::ControlValue(numbers[0]);
	return libcamera::ControlValue(libcamera::Span<const float>(numbers));
}

/* 0.6 takes a string_view, and earlier versions a string. */
libcamera::ControlValue textTo(const std::string &text)
{
	libcamera::ControlValue result;
	result.reserve(libcamera::ControlTypeString, true, text.size());
	std::memcpy(result.data().data(), text.data(), text.size());
	return result;
}

/* Four, or two, integers a piece. */
template<typename T, size_t Parts, typename Make>
libcamera::ControlValue shapesTo(bool array, const ControlValue &value, Make make)
{
	const std::vector<int64_t> numbers = integersOf(value);
	std::vector<T> shapes;
	for (size_t i = 0; i + Parts <= numbers.size(); i += Parts)
		shapes.push_back(make(&numbers[i]));
	if (!array)
		return shapes.empty() ? libcamera::ControlValue()
				      : libcamera::ControlValue(shapes[0]);
	return libcamera::ControlValue(libcamera::Span<const T>(shapes));
}

libcamera::Rectangle makeRectangle(const int64_t *parts)
{
	return {static_cast<int>(parts[0]), static_cast<int>(parts[1]),
		static_cast<unsigned>(parts[2]), static_cast<unsigned>(parts[3])};
}

libcamera::Size makeSize(const int64_t *parts)
{
	return {static_cast<unsigned>(parts[0]), static_cast<unsigned>(parts[1])};
}

libcamera::Point makePoint(const int64_t *parts)
{
	return {static_cast<int>(parts[0]), static_cast<int>(parts[1])};
}

void takeLimits(ControlDescription &control, const libcamera::ControlInfo &info)
{
	control.minimum = valueFromLibcamera(info.min());
	control.maximum = valueFromLibcamera(info.max());
	control.byDefault = valueFromLibcamera(info.def());
	/* A camera may have only some of the values that libcamera knows. */
	if (info.values().empty() || control.choices.empty())
		return;
	std::erase_if(control.choices, [&info](const ControlChoice &choice) {
		return std::ranges::none_of(info.values(), [&](const auto &value) {
			const ControlValue offered = valueFromLibcamera(value);
			const auto *number = std::get_if<int64_t>(&offered);
			return number && *number == choice.value;
		});
	});
}

} /* namespace */

ControlValue valueFromLibcamera(const libcamera::ControlValue &value)
{
	if (value.isNone() || (value.numElements() == 0 && !value.isArray()))
		return {};
	switch (value.type()) {
	case libcamera::ControlTypeBool:
		if (!value.isArray())
			return value.get<bool>();
		return integersFrom<bool>(value);
	case libcamera::ControlTypeByte:
		return integersFrom<uint8_t>(value);
	case libcamera::ControlTypeUnsigned16:
		return integersFrom<uint16_t>(value);
	case libcamera::ControlTypeUnsigned32:
		return integersFrom<uint32_t>(value);
	case libcamera::ControlTypeInteger32:
		return integersFrom<int32_t>(value);
	case libcamera::ControlTypeInteger64:
		return integersFrom<int64_t>(value);
	case libcamera::ControlTypeFloat:
		return realsFrom(value);
	case libcamera::ControlTypeString: {
		const auto text = elementsOf<char>(value);
		return std::string(text.begin(), text.end());
	}
	case libcamera::ControlTypeRectangle:
		return rectanglesFrom(value);
	case libcamera::ControlTypeSize:
		return sizesFrom(value);
	case libcamera::ControlTypePoint:
		return pointsFrom(value);
	default:
		return {};
	}
}

libcamera::ControlValue valueToLibcamera(const libcamera::ControlId &id, const ControlValue &value)
{
	switch (id.type()) {
	case libcamera::ControlTypeBool:
		return integersTo<bool>(id.isArray(), value);
	case libcamera::ControlTypeByte:
		return integersTo<uint8_t>(id.isArray(), value);
	case libcamera::ControlTypeUnsigned16:
		return integersTo<uint16_t>(id.isArray(), value);
	case libcamera::ControlTypeUnsigned32:
		return integersTo<uint32_t>(id.isArray(), value);
	case libcamera::ControlTypeInteger32:
		return integersTo<int32_t>(id.isArray(), value);
	case libcamera::ControlTypeInteger64:
		return integersTo<int64_t>(id.isArray(), value);
	case libcamera::ControlTypeFloat:
		return realsTo(id.isArray(), value);
	case libcamera::ControlTypeString: {
		const auto *text = std::get_if<std::string>(&value);
		return text ? textTo(*text) : libcamera::ControlValue();
	}
	case libcamera::ControlTypeRectangle:
		return shapesTo<libcamera::Rectangle, 4>(id.isArray(), value, makeRectangle);
	case libcamera::ControlTypeSize:
		return shapesTo<libcamera::Size, 2>(id.isArray(), value, makeSize);
	case libcamera::ControlTypePoint:
		return shapesTo<libcamera::Point, 2>(id.isArray(), value, makePoint);
	default:
		return {};
	}
}

ControlDescription describeControl(const libcamera::ControlId &id,
				   const libcamera::ControlInfo *info)
{
	ControlDescription control;
	control.name = id.name();
	control.vendor = id.vendor();
	control.type = typeFromLibcamera(id.type());
	control.array = id.isArray() && id.type() != libcamera::ControlTypeString;
	/* SIZE_MAX is libcamera's sign for any number. */
	control.elements = control.array && id.size() != libcamera::dynamic_extent ? id.size() : 0;
	for (const auto &[value, name] : id.enumerators())
		control.choices.push_back({value, name});
	control.settable = id.isInput();
	control.reported = id.isOutput();
	if (info)
		takeLimits(control, *info);
	return control;
}

std::vector<ControlDescription> controlsFromLibcamera(const libcamera::ControlInfoMap &controls)
{
	std::vector<ControlDescription> list;
	for (const auto &[id, info] : controls)
		list.push_back(describeControl(*id, &info));
	std::ranges::sort(list, {}, &ControlDescription::name);
	return list;
}

std::vector<ControlDescription> knownControls()
{
	std::vector<ControlDescription> list;
	for (const auto &[number, id] : libcamera::controls::controls)
		list.push_back(describeControl(*id, nullptr));
	std::ranges::sort(list, [](const ControlDescription &one, const ControlDescription &other) {
		return std::tie(one.vendor, one.name) < std::tie(other.vendor, other.name);
	});
	return list;
}

void readMetadata(const libcamera::ControlList &metadata, FrameControls &out)
{
	out.clear();
	for (const auto &[number, value] : metadata) {
		const auto known = libcamera::controls::controls.find(number);
		if (known != libcamera::controls::controls.end())
			out.push_back({known->second->name(), valueFromLibcamera(value)});
	}
}

} /* namespace heapflow */
