/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/camera/control.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <format>
#include <optional>

namespace heapflow
{

namespace
{

bool isWordCharacter(char c)
{
	return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

char lower(char c)
{
	return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool isUpper(char c)
{
	return std::isupper(static_cast<unsigned char>(c)) != 0;
}

/* "exposuretime" for all of "ExposureTime", "exposure-time", "Exposure time". */
std::string plain(std::string_view name)
{
	std::string text;
	for (const char c : name)
		if (isWordCharacter(c))
			text += lower(c);
	return text;
}

/* Edits between two words, for "did you mean". */
size_t distance(std::string_view one, std::string_view other)
{
	std::vector<size_t> row(other.size() + 1);
	for (size_t i = 0; i <= other.size(); ++i)
		row[i] = i;
	for (size_t i = 0; i < one.size(); ++i) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < other.size(); ++j) {
			const size_t replaced = diagonal + (one[i] != other[j]);
			diagonal = row[j + 1];
			row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
		}
	}
	return row.back();
}

std::string nearestName(const std::vector<ControlDescription> &controls, std::string_view name)
{
	const std::string wanted = plain(name);
	const ControlDescription *nearest = nullptr;
	size_t best = std::max<size_t>(3, wanted.size() / 3);
	for (const ControlDescription &control : controls) {
		const size_t edits = distance(wanted, plain(control.name));
		if (edits > best || (nearest && edits == best))
			continue;
		nearest = &control;
		best = edits;
	}
	return nearest ? nearest->name : "";
}

std::string numberText(double number)
{
	return std::format("{}", number);
}

template<typename T>
std::string listText(const std::vector<T> &list)
{
	std::string text;
	for (const T &element : list)
		text += (text.empty() ? "" : ",") + std::format("{}", element);
	return "[" + text + "]";
}

std::optional<double> asNumber(const ControlValue &value)
{
	if (const auto *flag = std::get_if<bool>(&value))
		return *flag ? 1 : 0;
	if (const auto *integer = std::get_if<int64_t>(&value))
		return static_cast<double>(*integer);
	if (const auto *real = std::get_if<double>(&value))
		return *real;
	return {};
}

const char *typeName(ControlType type)
{
	switch (type) {
	case ControlType::Boolean:
		return "a boolean";
	case ControlType::Integer:
		return "an integer";
	case ControlType::Float:
		return "a number";
	case ControlType::Text:
		return "a text";
	case ControlType::Rectangle:
		return "a rectangle (x, y, width, height)";
	case ControlType::Size:
		return "a size (width, height)";
	case ControlType::Point:
		return "a point (x, y)";
	}
	return "?";
}

/* How many integers one value of this type is. */
size_t partsOf(ControlType type)
{
	switch (type) {
	case ControlType::Rectangle:
		return 4;
	case ControlType::Size:
	case ControlType::Point:
		return 2;
	default:
		return 1;
	}
}

std::unexpected<Error> wrongType(const ControlDescription &control, const ControlValue &value)
{
	const std::string kind =
		control.array ? (control.elements
					 ? std::format("{} values, each {}", control.elements,
						       typeName(control.type))
					 : std::format("a list, each {}", typeName(control.type)))
			      : std::string(typeName(control.type));
	return fail(EINVAL,
		    std::format("the control {} is {}, not {}", control.name, kind,
				controlValueText(value)),
		    control.choices.empty() ? "" : std::format("It is {}", control.limits()));
}

std::unexpected<Error> outOfRange(const ControlDescription &control, const std::string &value)
{
	return fail(ERANGE, std::format("the control {} takes {}, not {}", control.name,
					control.limits(), value));
}

/* Text of gst-launch: one number, a name, or several numbers. */
template<typename T>
std::optional<T> parseNumber(std::string_view text)
{
	while (!text.empty() && text.front() == ' ')
		text.remove_prefix(1);
	while (!text.empty() && text.back() == ' ')
		text.remove_suffix(1);
	if (text.starts_with('+'))
		text.remove_prefix(1);
	T number{};
	const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
	if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
		return {};
	return number;
}

std::vector<double> parseNumbers(std::string_view text, bool &good)
{
	std::vector<double> numbers;
	good = true;
	if (text.starts_with('[') && text.ends_with(']'))
		text = text.substr(1, text.size() - 2);
	while (good && !text.empty()) {
		const size_t end = text.find(',');
		const auto number = parseNumber<double>(text.substr(0, end));
		good = number.has_value();
		numbers.push_back(number.value_or(0));
		text = end == std::string_view::npos ? "" : text.substr(end + 1);
	}
	return numbers;
}

std::optional<int64_t> choiceNamed(const ControlDescription &control, std::string_view name)
{
	const std::string wanted = plain(name);
	for (const ControlChoice &choice : control.choices) {
		const std::string full = plain(choice.name);
		/* libcamera repeats the control's name in it: AfModeManual. */
		const std::string prefix = plain(control.name);
		if (full == wanted ||
		    (full.starts_with(prefix) && full.substr(prefix.size()) == wanted))
			return choice.value;
	}
	return {};
}

ControlValue fromText(const ControlDescription &control, const std::string &text)
{
	if (control.type == ControlType::Text)
		return text;
	if (const auto choice = choiceNamed(control, text); choice && !control.array)
		return *choice;
	if (control.type == ControlType::Boolean && !control.array) {
		const std::string word = plain(text);
		if (word == "true" || word == "on" || word == "yes" || word == "1")
			return true;
		if (word == "false" || word == "off" || word == "no" || word == "0")
			return false;
		return text;
	}
	if (!control.array && partsOf(control.type) == 1) {
		if (control.type == ControlType::Integer) {
			if (const auto number = parseNumber<int64_t>(text))
				return *number;
		} else if (const auto number = parseNumber<double>(text)) {
			return *number;
		}
		return text;
	}
	bool good = false;
	const std::vector<double> numbers = parseNumbers(text, good);
	return good ? ControlValue(numbers) : ControlValue(text);
}

bool isWhole(double number)
{
	/* Beyond this a double counts in steps of more than one. */
	return std::isfinite(number) && std::abs(number) <= 9007199254740992.0 &&
	       number == std::trunc(number);
}

Result<void> checkNumber(const ControlDescription &control, double number)
{
	if (!std::isfinite(number))
		return outOfRange(control, numberText(number));
	if (!control.choices.empty() &&
	    std::ranges::none_of(control.choices, [number](const ControlChoice &choice) {
		    return static_cast<double>(choice.value) == number;
	    }))
		return fail(EINVAL, std::format("the control {} takes {}, not {}", control.name,
						control.limits(), number));
	const auto minimum = asNumber(control.minimum);
	const auto maximum = asNumber(control.maximum);
	/* A camera that knows no limits says the same for both, zero. */
	if (minimum && maximum && *minimum == *maximum && *minimum == 0)
		return {};
	if ((minimum && number < *minimum) || (maximum && number > *maximum))
		return outOfRange(control, numberText(number));
	return {};
}

Result<ControlValue> fitScalar(const ControlDescription &control, const ControlValue &value)
{
	const auto number = asNumber(value);
	if (!number)
		return wrongType(control, value);
	switch (control.type) {
	case ControlType::Boolean:
		if (*number != 0 && *number != 1)
			return wrongType(control, value);
		return *number != 0;
	case ControlType::Integer:
		if (!std::holds_alternative<int64_t>(value) && !isWhole(*number))
			return wrongType(control, value);
		if (auto good = checkNumber(control, *number); !good)
			return std::unexpected(good.error());
		if (const auto *exact = std::get_if<int64_t>(&value))
			return *exact;
		return static_cast<int64_t>(*number);
	default:
		if (auto good = checkNumber(control, *number); !good)
			return std::unexpected(good.error());
		return *number;
	}
}

/* A list of numbers, be it one of integers or of reals. */
std::optional<std::vector<double>> asNumbers(const ControlValue &value)
{
	if (const auto *reals = std::get_if<std::vector<double>>(&value))
		return *reals;
	if (const auto *integers = std::get_if<std::vector<int64_t>>(&value))
		return std::vector<double>(integers->begin(), integers->end());
	if (const auto number = asNumber(value))
		return std::vector<double>{*number};
	return {};
}

Result<ControlValue> fitList(const ControlDescription &control, const ControlValue &value)
{
	const auto numbers = asNumbers(value);
	const size_t parts = partsOf(control.type);
	if (!numbers || numbers->empty() || numbers->size() % parts != 0)
		return wrongType(control, value);
	const size_t count = numbers->size() / parts;
	if (control.array ? control.elements && count != control.elements : count != 1)
		return wrongType(control, value);

	if (control.type == ControlType::Float) {
		for (const double number : *numbers)
			if (auto good = checkNumber(control, number); !good)
				return std::unexpected(good.error());
		return *numbers;
	}
	std::vector<int64_t> integers;
	for (size_t i = 0; i < numbers->size(); ++i) {
		const double number = (*numbers)[i];
		/* Width and height come last, and are never negative. */
		const bool extent = control.type == ControlType::Size || (parts == 4 && i % 4 >= 2);
		if (!isWhole(number) || (extent && number < 0))
			return wrongType(control, value);
		if (parts == 1)
			if (auto good = checkNumber(control, number); !good)
				return std::unexpected(good.error());
		integers.push_back(static_cast<int64_t>(number));
	}
	return integers;
}

} /* namespace */

std::string controlValueText(const ControlValue &value)
{
	struct Text {
		std::string operator()(std::monostate) const { return "nothing"; }
		std::string operator()(bool flag) const { return flag ? "true" : "false"; }
		std::string operator()(int64_t integer) const { return std::to_string(integer); }
		std::string operator()(double real) const { return numberText(real); }
		std::string operator()(const std::string &text) const { return "'" + text + "'"; }
		std::string operator()(const std::vector<int64_t> &list) const
		{
			return listText(list);
		}
		std::string operator()(const std::vector<double> &list) const
		{
			return listText(list);
		}
	};
	return std::visit(Text(), value);
}

std::string ControlDescription::limits() const
{
	if (!choices.empty()) {
		std::string names;
		for (const ControlChoice &choice : choices)
			names += (names.empty() ? "" : ", ") +
				 std::format("{} ({})", choice.value, choice.name);
		return "one of " + names;
	}
	const bool low = !std::holds_alternative<std::monostate>(minimum);
	const bool high = !std::holds_alternative<std::monostate>(maximum);
	if (low && high)
		return std::format("{} to {}", controlValueText(minimum),
				   controlValueText(maximum));
	if (low)
		return "at least " + controlValueText(minimum);
	return high ? "at most " + controlValueText(maximum) : "";
}

Result<const ControlDescription *> findControl(const std::vector<ControlDescription> &controls,
					       std::string_view name)
{
	for (const ControlDescription &control : controls)
		if (control.name == name)
			return &control;
	const std::string wanted = plain(name);
	for (const ControlDescription &control : controls)
		if (plain(control.name) == wanted || plain(control.vendor + control.name) == wanted)
			return &control;
	if (controls.empty())
		return fail(ENOENT,
			    std::format("there is no control '{}': the camera has none", name));
	const std::string nearest = nearestName(controls, name);
	std::string all;
	for (const ControlDescription &control : controls)
		all += (all.empty() ? "" : ", ") + control.name;
	return fail(ENOENT, std::format("the camera has no control '{}'", name),
		    nearest.empty() ? "Its controls are " + all
				    : std::format("Did you mean {}?", nearest));
}

Result<ControlValue> fitControl(const ControlDescription &control, const ControlValue &value)
{
	if (!control.settable)
		return fail(EACCES, std::format("the control {} can only be read", control.name));
	if (const auto *text = std::get_if<std::string>(&value)) {
		if (control.type == ControlType::Text)
			return value;
		const ControlValue read = fromText(control, *text);
		if (std::holds_alternative<std::string>(read))
			return wrongType(control, value);
		return fitControl(control, read);
	}
	if (control.type == ControlType::Text)
		return wrongType(control, value);
	if (control.array || partsOf(control.type) > 1)
		return fitList(control, value);
	return fitScalar(control, value);
}

std::string controlKey(std::string_view name)
{
	return plain(name);
}

std::string kebabName(std::string_view name)
{
	std::string text;
	for (size_t i = 0; i < name.size(); ++i) {
		const char c = name[i];
		if (!isWordCharacter(c)) {
			if (!text.empty() && text.back() != '-')
				text += '-';
			continue;
		}
		/* A word begins at a capital after a small letter, and at the last of several. */
		const bool begins = isUpper(c) && i > 0 && isWordCharacter(name[i - 1]) &&
				    (!isUpper(name[i - 1]) ||
				     (i + 1 < name.size() && isWordCharacter(name[i + 1]) &&
				      !isUpper(name[i + 1]) &&
				      !std::isdigit(static_cast<unsigned char>(name[i + 1]))));
		if (begins && !text.empty() && text.back() != '-')
			text += '-';
		text += lower(c);
	}
	while (text.ends_with('-'))
		text.pop_back();
	return text;
}

} /* namespace heapflow */
