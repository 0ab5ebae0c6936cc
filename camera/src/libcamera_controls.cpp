/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_controls.h"

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

/* A list to be filled, in the memory of the one that the value had. */
template<typename T>
std::vector<T> &listIn(ControlValue &value)
{
	auto *list = std::get_if<std::vector<T>>(&value);
	if (!list)
		list = &value.emplace<std::vector<T>>();
	list->clear();
	return *list;
}

template<typename T>
void takeIntegers(const libcamera::ControlValue &value, ControlValue &out)
{
	const auto elements = elementsOf<T>(value);
	if (!value.isArray())
		out = static_cast<int64_t>(elements[0]);
	else
		listIn<int64_t>(out).assign(elements.begin(), elements.end());
}

void takeReals(const libcamera::ControlValue &value, ControlValue &out)
{
	const auto elements = elementsOf<float>(value);
	if (!value.isArray())
		out = static_cast<double>(elements[0]);
	else
		listIn<double>(out).assign(elements.begin(), elements.end());
}

void takeText(const libcamera::ControlValue &value, ControlValue &out)
{
	const auto text = elementsOf<char>(value);
	if (!std::holds_alternative<std::string>(out))
		out.emplace<std::string>();
	std::get<std::string>(out).assign(text.begin(), text.end());
}

void takeRectangles(const libcamera::ControlValue &value, ControlValue &out)
{
	std::vector<int64_t> &numbers = listIn<int64_t>(out);
	for (const libcamera::Rectangle &rectangle : elementsOf<libcamera::Rectangle>(value))
		numbers.insert(numbers.end(), {rectangle.x, rectangle.y, int64_t{rectangle.width},
					       int64_t{rectangle.height}});
}

void takeSizes(const libcamera::ControlValue &value, ControlValue &out)
{
	std::vector<int64_t> &numbers = listIn<int64_t>(out);
	for (const libcamera::Size &size : elementsOf<libcamera::Size>(value))
		numbers.insert(numbers.end(), {int64_t{size.width}, int64_t{size.height}});
}

void takePoints(const libcamera::ControlValue &value, ControlValue &out)
{
	std::vector<int64_t> &numbers = listIn<int64_t>(out);
	for (const libcamera::Point &point : elementsOf<libcamera::Point>(value))
		numbers.insert(numbers.end(), {int64_t{point.x}, int64_t{point.y}});
}

/* The value as ours, in the memory that `out` has: once a frame for all that it carries. */
void takeValue(const libcamera::ControlValue &value, ControlValue &out)
{
	if (value.isNone() || (value.numElements() == 0 && !value.isArray())) {
		out = std::monostate();
		return;
	}
	switch (value.type()) {
	case libcamera::ControlTypeBool:
		if (value.isArray())
			takeIntegers<bool>(value, out);
		else
			out = value.get<bool>();
		break;
	case libcamera::ControlTypeByte:
		takeIntegers<uint8_t>(value, out);
		break;
	case libcamera::ControlTypeUnsigned16:
		takeIntegers<uint16_t>(value, out);
		break;
	case libcamera::ControlTypeUnsigned32:
		takeIntegers<uint32_t>(value, out);
		break;
	case libcamera::ControlTypeInteger32:
		takeIntegers<int32_t>(value, out);
		break;
	case libcamera::ControlTypeInteger64:
		takeIntegers<int64_t>(value, out);
		break;
	case libcamera::ControlTypeFloat:
		takeReals(value, out);
		break;
	case libcamera::ControlTypeString:
		takeText(value, out);
		break;
	case libcamera::ControlTypeRectangle:
		takeRectangles(value, out);
		break;
	case libcamera::ControlTypeSize:
		takeSizes(value, out);
		break;
	case libcamera::ControlTypePoint:
		takePoints(value, out);
		break;
	default:
		out = std::monostate();
	}
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
	ControlValue result;
	takeValue(value, result);
	return result;
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
	/* AfTrigger, AePrecaptureTrigger: control_ids_*.yaml names all of them so. */
	control.momentary = control.name.ends_with("Trigger");
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

std::vector<ControlDescription> knownLibcameraControls()
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
	size_t count = 0;
	for (const auto &[number, value] : metadata) {
		const auto known = libcamera::controls::controls.find(number);
		if (known == libcamera::controls::controls.end())
			continue;
		if (count == out.size())
			out.emplace_back();
		out[count].name = known->second->name();
		takeValue(value, out[count].value);
		++count;
	}
	out.resize(count);
}

} /* namespace heapflow */
