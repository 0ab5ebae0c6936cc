/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcontrolvalue.h"

#include "gstheapi18n.h"

#include <cerrno>

namespace heapflow::gst
{

namespace
{

template<typename T, typename Set>
void setArray(GValue *value, const std::vector<T> &list, GType type, Set set)
{
	g_value_init(value, GST_TYPE_ARRAY);
	for (const T &element : list) {
		GValue item = G_VALUE_INIT;
		g_value_init(&item, type);
		set(&item, element);
		gst_value_array_append_and_take_value(value, &item);
	}
}

/* Numbers of an array or a list; integers stay integers as long as all are. */
ControlValue listFromGValue(const GValue *value)
{
	const bool array = GST_VALUE_HOLDS_ARRAY(value);
	const guint size = array ? gst_value_array_get_size(value) : gst_value_list_get_size(value);
	std::vector<int64_t> integers;
	std::vector<double> reals;

	for (guint i = 0; i < size; i++) {
		const ControlValue item =
			controlFromGValue(array ? gst_value_array_get_value(value, i)
						: gst_value_list_get_value(value, i));
		if (const auto *flag = std::get_if<bool>(&item)) {
			integers.push_back(*flag);
			reals.push_back(*flag);
		} else if (const auto *integer = std::get_if<int64_t>(&item)) {
			integers.push_back(*integer);
			reals.push_back(double(*integer));
		} else if (const auto *real = std::get_if<double>(&item)) {
			reals.push_back(*real);
		} else if (const auto *nested = std::get_if<std::vector<int64_t>>(&item)) {
			/* An array of rectangles: <<0,0,8,8>,<8,8,8,8>>. */
			integers.insert(integers.end(), nested->begin(), nested->end());
			reals.insert(reals.end(), nested->begin(), nested->end());
		} else {
			return {};
		}
	}
	if (integers.size() == reals.size())
		return integers;
	return reals;
}

} /* namespace */

void setGValue(GValue *value, const ControlValue &control)
{
	if (const auto *flag = std::get_if<bool>(&control)) {
		g_value_init(value, G_TYPE_BOOLEAN);
		g_value_set_boolean(value, *flag);
	} else if (const auto *integer = std::get_if<int64_t>(&control)) {
		g_value_init(value, G_TYPE_INT64);
		g_value_set_int64(value, *integer);
	} else if (const auto *real = std::get_if<double>(&control)) {
		g_value_init(value, G_TYPE_DOUBLE);
		g_value_set_double(value, *real);
	} else if (const auto *integers = std::get_if<std::vector<int64_t>>(&control)) {
		setArray(value, *integers, G_TYPE_INT64, g_value_set_int64);
	} else if (const auto *reals = std::get_if<std::vector<double>>(&control)) {
		setArray(value, *reals, G_TYPE_DOUBLE, g_value_set_double);
	} else {
		const auto *text = std::get_if<std::string>(&control);
		g_value_init(value, G_TYPE_STRING);
		g_value_set_string(value, text ? text->c_str() : nullptr);
	}
}

ControlValue controlFromGValue(const GValue *value)
{
	if (GST_VALUE_HOLDS_ARRAY(value) || GST_VALUE_HOLDS_LIST(value))
		return listFromGValue(value);
	if (GST_VALUE_HOLDS_FRACTION(value)) {
		const int denominator = gst_value_get_fraction_denominator(value);
		return double(gst_value_get_fraction_numerator(value)) /
		       (denominator ? denominator : 1);
	}
	switch (G_TYPE_FUNDAMENTAL(G_VALUE_TYPE(value))) {
	case G_TYPE_BOOLEAN:
		return g_value_get_boolean(value) != FALSE;
	case G_TYPE_INT:
		return int64_t(g_value_get_int(value));
	case G_TYPE_UINT:
		return int64_t(g_value_get_uint(value));
	case G_TYPE_LONG:
		return int64_t(g_value_get_long(value));
	case G_TYPE_ULONG:
		return int64_t(g_value_get_ulong(value));
	case G_TYPE_INT64:
		return int64_t(g_value_get_int64(value));
	case G_TYPE_UINT64:
		return int64_t(g_value_get_uint64(value));
	case G_TYPE_ENUM:
		return int64_t(g_value_get_enum(value));
	case G_TYPE_FLOAT:
		return double(g_value_get_float(value));
	case G_TYPE_DOUBLE:
		return g_value_get_double(value);
	case G_TYPE_STRING: {
		const char *text = g_value_get_string(value);
		return std::string(text ? text : "");
	}
	default:
		return {};
	}
}

Result<ControlList> controlsFromStructure(const GstStructure *structure)
{
	ControlList controls;
	const int count = structure ? gst_structure_n_fields(structure) : 0;

	for (int i = 0; i < count; i++) {
		const char *name = gst_structure_nth_field_name(structure, guint(i));
		const GValue *value = gst_structure_get_value(structure, name);
		ControlValue control = controlFromGValue(value);
		if (std::holds_alternative<std::monostate>(control))
			return fail(
				EINVAL,
				formatted(_("the field %s has the type %s, which no control has"),
					  name, G_VALUE_TYPE_NAME(value)));
		controls.emplace_back(name, std::move(control));
	}
	return controls;
}

} /* namespace heapflow::gst */
