/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_controls.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <linux/videodev2.h>

namespace heapflow
{

namespace
{

std::optional<ControlType> typeFromV4l2(uint32_t type)
{
	switch (type) {
	case V4L2_CTRL_TYPE_BOOLEAN:
	case V4L2_CTRL_TYPE_BUTTON:
		return ControlType::Boolean;
	case V4L2_CTRL_TYPE_INTEGER:
	case V4L2_CTRL_TYPE_MENU:
	case V4L2_CTRL_TYPE_INTEGER_MENU:
	case V4L2_CTRL_TYPE_BITMASK:
	case V4L2_CTRL_TYPE_INTEGER64:
	case V4L2_CTRL_TYPE_U8:
	case V4L2_CTRL_TYPE_U16:
	case V4L2_CTRL_TYPE_U32:
		return ControlType::Integer;
	case V4L2_CTRL_TYPE_STRING:
		return ControlType::Text;
	default:
		return {};
	}
}

std::vector<ControlChoice> choicesOf(const V4l2Node &node, const v4l2_query_ext_ctrl &query)
{
	std::vector<ControlChoice> choices;
	if (query.type != V4L2_CTRL_TYPE_MENU && query.type != V4L2_CTRL_TYPE_INTEGER_MENU)
		return choices;
	for (int64_t value = query.minimum; value <= query.maximum; ++value) {
		v4l2_querymenu entry{};
		entry.id = query.id;
		entry.index = static_cast<uint32_t>(value);
		if (node.ioctl(VIDIOC_QUERYMENU, &entry))
			continue; /* menus have holes */
		const auto *name = reinterpret_cast<const char *>(entry.name);
		choices.push_back({value, query.type == V4L2_CTRL_TYPE_MENU
						  ? std::string(name, strnlen(name, 32))
						  : std::to_string(entry.value)});
	}
	return choices;
}

std::optional<V4l2Control> describe(const V4l2Node &node, const v4l2_query_ext_ctrl &query)
{
	const auto type = typeFromV4l2(query.type);
	if (!type || (query.flags & V4L2_CTRL_FLAG_DISABLED))
		return {};
	V4l2Control control;
	control.id = query.id;
	control.type = query.type;
	control.elementSize = query.elem_size;
	control.elements = query.elems;
	ControlDescription &description = control.description;
	description.name = std::string(query.name, strnlen(query.name, sizeof(query.name)));
	description.vendor = "v4l2";
	description.type = *type;
	description.array = query.nr_of_dims > 0;
	description.elements = description.array ? query.elems : 0;
	description.choices = choicesOf(node, query);
	description.settable = !(query.flags & V4L2_CTRL_FLAG_READ_ONLY);
	description.momentary = query.type == V4L2_CTRL_TYPE_BUTTON;
	if (*type == ControlType::Integer) {
		/* A mask and an unsigned number have their maximum in the 32 bits of a signed one.
		 */
		const bool mask = query.type == V4L2_CTRL_TYPE_BITMASK;
		description.minimum = mask ? int64_t{0} : int64_t{query.minimum};
		description.maximum =
			mask ? static_cast<int64_t>(static_cast<uint32_t>(query.maximum))
			     : int64_t{query.maximum};
		description.byDefault = int64_t{query.default_value};
	} else if (query.type == V4L2_CTRL_TYPE_BOOLEAN) {
		description.byDefault = query.default_value != 0;
	}
	return control;
}

/* What VIDIOC_S_EXT_CTRLS points to. */
struct Payload {
	v4l2_ext_control control{};
	std::vector<uint8_t> bytes;
};

void appendElement(std::vector<uint8_t> &bytes, int64_t value, uint32_t size)
{
	/* Little-endian or not: through a number of that size. */
	const auto one = static_cast<uint8_t>(value);
	const auto two = static_cast<uint16_t>(value);
	const auto four = static_cast<uint32_t>(value);
	const void *from = size == 1   ? static_cast<const void *>(&one)
			   : size == 2 ? static_cast<const void *>(&two)
			   : size == 4 ? static_cast<const void *>(&four)
				       : static_cast<const void *>(&value);
	const auto *begin = static_cast<const uint8_t *>(from);
	bytes.insert(bytes.end(), begin, begin + size);
}

Payload makePayload(const V4l2Control &control, const ControlValue &value)
{
	Payload payload;
	payload.control.id = control.id;
	if (const auto *text = std::get_if<std::string>(&value)) {
		payload.bytes.assign(text->begin(), text->end());
		/* The driver's maximum, the end included (elem_size). */
		payload.bytes.resize(std::max<size_t>(control.elementSize, text->size() + 1));
		return payload;
	}
	if (const auto *list = std::get_if<std::vector<int64_t>>(&value)) {
		for (const int64_t element : *list)
			appendElement(payload.bytes, element, control.elementSize);
		return payload;
	}
	int64_t number = 0;
	if (const auto *flag = std::get_if<bool>(&value))
		number = *flag ? 1 : 0;
	else if (const auto *integer = std::get_if<int64_t>(&value))
		number = *integer;
	if (control.type == V4L2_CTRL_TYPE_INTEGER64)
		payload.control.value64 = number;
	else
		payload.control.value = static_cast<int32_t>(number);
	return payload;
}

} /* namespace */

std::vector<V4l2Control> listV4l2Controls(const V4l2Node &node)
{
	constexpr uint32_t next = V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND;
	std::vector<V4l2Control> controls;
	v4l2_query_ext_ctrl query{};
	query.id = next;
	while (!node.ioctl(VIDIOC_QUERY_EXT_CTRL, &query)) {
		const uint32_t id = query.id;
		if (query.type != V4L2_CTRL_TYPE_CTRL_CLASS)
			if (auto control = describe(node, query))
				controls.push_back(std::move(*control));
		query = {};
		query.id = id | next;
	}
	return controls;
}

Result<void> setV4l2Controls(const V4l2Node &node, const ControlList &controls)
{
	const std::vector<V4l2Control> known = listV4l2Controls(node);
	std::vector<ControlDescription> descriptions;
	for (const V4l2Control &control : known)
		descriptions.push_back(control.description);

	std::vector<Payload> payloads;
	for (const auto &[name, wanted] : controls) {
		const auto found = findControl(descriptions, name);
		if (!found)
			return std::unexpected(found.error());
		auto value = fitControl(**found, wanted);
		if (!value)
			return std::unexpected(value.error());
		const auto index = static_cast<size_t>(*found - descriptions.data());
		payloads.push_back(makePayload(known[index], *value));
	}
	std::vector<v4l2_ext_control> list;
	for (Payload &payload : payloads) {
		if (!payload.bytes.empty()) {
			payload.control.size = static_cast<uint32_t>(payload.bytes.size());
			payload.control.ptr = payload.bytes.data();
		}
		list.push_back(payload.control);
	}
	v4l2_ext_controls request{};
	request.which = V4L2_CTRL_WHICH_CUR_VAL;
	request.count = static_cast<uint32_t>(list.size());
	request.controls = list.data();
	const int code = list.empty() ? 0 : node.ioctl(VIDIOC_S_EXT_CTRLS, &request);
	if (!code)
		return {};
	const bool told = request.error_idx < controls.size();
	return fail(
		code,
		std::format("{} does not set {}", node.identity().path,
			    told ? std::format("the control {} to {}",
					       controls[request.error_idx].first,
					       controlValueText(controls[request.error_idx].second))
				 : std::string("these controls")),
		code == EBUSY ? "It cannot change while the camera streams" : "");
}

std::optional<int32_t> readV4l2Control(const V4l2Node &node, uint32_t id)
{
	v4l2_control control{};
	control.id = id;
	if (node.ioctl(VIDIOC_G_CTRL, &control))
		return {};
	return control.value;
}

} /* namespace heapflow */
