/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapsensorconfig.h"

#include "gstheapcontrolvalue.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace heapflow::gst
{

namespace
{

struct Field {
	std::string_view name;
	int minimum;
};

constexpr std::array fields = {
	Field{"width", 1},
	Field{"height", 1},
	Field{"depth", 1},
	Field{"bin-x", 1},
	Field{"bin-y", 1},
	Field{"x-odd-inc", 1},
	Field{"x-even-inc", 1},
	Field{"y-odd-inc", 1},
	Field{"y-even-inc", 1},
	Field{"analog-crop-x", 0},
	Field{"analog-crop-y", 0},
	Field{"analog-crop-width", 1},
	Field{"analog-crop-height", 1},
};

/* Where each of `fields` is kept. */
std::array<unsigned *, fields.size()> placesIn(SensorRequest &sensor)
{
	auto &[across, down] = sensor.binning;
	auto &[xOdd, xEven, yOdd, yEven] = sensor.skipping;
	auto &[x, y, width, height] = sensor.analogCrop;
	return {&sensor.outputWidth,
		&sensor.outputHeight,
		&sensor.bitDepth,
		&across,
		&down,
		&xOdd,
		&xEven,
		&yOdd,
		&yEven,
		&x,
		&y,
		&width,
		&height};
}

std::string fieldNames()
{
	std::string names;
	for (const Field &field : fields)
		names += (names.empty() ? "" : ", ") + std::string(field.name);
	return names;
}

Result<void> readField(SensorRequest &sensor, const char *name, const GValue *value)
{
	const auto *field = std::ranges::find(fields, std::string_view(name), &Field::name);
	if (field == fields.end())
		return fail(EINVAL, formatted(_("sensor-config has no field '%s'"), name),
			    formatted(_("It has %s"), fieldNames().c_str()));
	const ControlValue control = controlFromGValue(value);
	const auto *number = std::get_if<int64_t>(&control);
	if (!number || *number < field->minimum || *number > G_MAXINT) {
		g_autofree char *text = g_strdup_value_contents(value);
		return fail(EINVAL, formatted(_("sensor-config: %s=%s is no number from %d to %d"),
					      name, text, field->minimum, G_MAXINT));
	}
	*placesIn(sensor)[size_t(field - fields.begin())] = unsigned(*number);
	return {};
}

} /* namespace */

Result<SensorRequest> sensorFromStructure(const GstStructure *structure)
{
	SensorRequest sensor;
	if (!structure)
		return sensor;
	const int count = gst_structure_n_fields(structure);
	for (int i = 0; i < count; i++) {
		const char *name = gst_structure_nth_field_name(structure, guint(i));
		if (auto read = readField(sensor, name, gst_structure_get_value(structure, name));
		    !read)
			return std::unexpected(read.error());
	}
	if (!sensor.outputWidth || !sensor.outputHeight || !sensor.bitDepth)
		return fail(EINVAL, _("sensor-config needs width, height and depth"),
			    _("For example: sensor,width=2304,height=1296,depth=10"));
	if (!sensor.analogCrop[2] != !sensor.analogCrop[3])
		return fail(EINVAL, _("sensor-config: a crop needs a width and a height"));
	return sensor;
}

GstStructure *structureFromSensor(const SensorRequest &sensor)
{
	if (sensor == SensorRequest())
		return nullptr;
	GstStructure *structure = gst_structure_new_empty("sensor");
	SensorRequest copy = sensor, untouched;
	const auto values = placesIn(copy), defaults = placesIn(untouched);
	for (size_t i = 0; i < fields.size(); i++)
		if (*values[i] != *defaults[i])
			gst_structure_set(structure, fields[i].name.data(), G_TYPE_INT,
					  int(*values[i]), nullptr);
	return structure;
}

} /* namespace heapflow::gst */
