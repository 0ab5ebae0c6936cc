/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc: the controls of libcamera as properties. */
#include "gstheapcamerasrc_private.h"

#include "gstheapcontrolvalue.h"
#include "gstheaperror.h"

#include <algorithm>

#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::ControlChoice;
using heapflow::ControlDescription;
using heapflow::ControlType;
using heapflow::ControlValue;
using heapflow::Result;
using heapflow::gst::CameraSession;
using heapflow::gst::CameraSource;

namespace
{

/* All that libcamera knows and can be set; the property of control i is firstControlProperty + i.
 */
const std::vector<ControlDescription> &settableControls()
{
	static const std::vector<ControlDescription> controls = [] {
		std::vector<ControlDescription> known = heapflow::knownControls();
		std::erase_if(known,
			      [](const ControlDescription &control) { return !control.settable; });
		return known;
	}();
	return controls;
}

/* libcamerasrc's names: those of vendors begin with the vendor. */
std::string propertyName(const ControlDescription &control)
{
	const std::string name = heapflow::kebabName(control.name);
	return control.vendor == "libcamera" ? name : control.vendor + "-" + name;
}

std::string choiceNick(const ControlDescription &control, const ControlChoice &choice)
{
	const std::string name = choice.name.starts_with(control.name)
					 ? choice.name.substr(control.name.size())
					 : choice.name;
	return heapflow::kebabName(name.empty() ? choice.name : name);
}

/* Types are never unregistered, so their values stay as well. */
GType choiceType(const ControlDescription &control)
{
	const std::string name = "GstHeapCamera" +
				 (control.vendor == "libcamera" ? "" : control.vendor) +
				 control.name;
	if (const GType known = g_type_from_name(name.c_str()))
		return known;
	auto *values = g_new0(GEnumValue, control.choices.size() + 1);
	for (size_t i = 0; i < control.choices.size(); i++) {
		const ControlChoice &choice = control.choices[i];
		values[i] = {gint(choice.value), g_strdup(choice.name.c_str()),
			     g_strdup(choiceNick(control, choice).c_str())};
	}
	return g_enum_register_static(name.c_str(), values);
}

GParamSpec *makeSpec(const ControlDescription &control)
{
	const auto flags =
		GParamFlags(G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE);
	const std::string name = propertyName(control);
	const std::string blurb = "libcamera's control " + control.name +
				  "; a camera has limits of its own (property camera-controls)";
	const char *text = blurb.c_str();

	const bool list = control.array || control.type == ControlType::Rectangle ||
			  control.type == ControlType::Size || control.type == ControlType::Point;
	if (list) {
		const auto plain = GParamFlags(G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING);
		GParamSpec *element =
			control.type == ControlType::Float
				? g_param_spec_double("element", "Element", "A number",
						      -G_MAXDOUBLE, G_MAXDOUBLE, 0, plain)
				: g_param_spec_int64("element", "Element", "A number", G_MININT64,
						     G_MAXINT64, 0, plain);
		return gst_param_spec_array(name.c_str(), name.c_str(), text, element, plain);
	}
	switch (control.type) {
	case ControlType::Boolean:
		return g_param_spec_boolean(name.c_str(), name.c_str(), text, FALSE, flags);
	case ControlType::Float:
		return g_param_spec_double(name.c_str(), name.c_str(), text, -G_MAXDOUBLE,
					   G_MAXDOUBLE, 0, flags);
	case ControlType::Text:
		return g_param_spec_string(
			name.c_str(), name.c_str(), text, nullptr,
			GParamFlags(G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING));
	default:
		if (control.choices.empty())
			return g_param_spec_int64(name.c_str(), name.c_str(), text, G_MININT64,
						  G_MAXINT64, 0, flags);
		return g_param_spec_enum(name.c_str(), name.c_str(), text, choiceType(control),
					 gint(control.choices.front().value), flags);
	}
}

const ControlDescription &controlOf(guint id)
{
	return settableControls()[id - firstControlProperty];
}

/* With the value in the type of the property. */
void fillValue(GValue *out, const ControlValue &value)
{
	GValue converted = G_VALUE_INIT;
	heapflow::gst::setGValue(&converted, value);
	if (G_VALUE_HOLDS_ENUM(out)) {
		const auto *number = std::get_if<int64_t>(&value);
		g_value_set_enum(out, number ? gint(*number) : 0);
	} else if (!g_value_transform(&converted, out)) {
		/* An array of an array: libcamera reported something else than can be set. */
		g_value_reset(out);
	}
	g_value_unset(&converted);
}

GstStructure *describeControl(const ControlDescription &control)
{
	GstStructure *about =
		gst_structure_new("control", "vendor", G_TYPE_STRING, control.vendor.c_str(),
				  "settable", G_TYPE_BOOLEAN, gboolean(control.settable), "limits",
				  G_TYPE_STRING, control.limits().c_str(), nullptr);
	const std::pair<const char *, const ControlValue *> values[] = {
		{"minimum", &control.minimum},
		{"maximum", &control.maximum},
		{"default", &control.byDefault},
	};
	for (const auto &[name, value] : values) {
		if (std::holds_alternative<std::monostate>(*value))
			continue;
		GValue converted = G_VALUE_INIT;
		heapflow::gst::setGValue(&converted, *value);
		gst_structure_take_value(about, name, &converted);
	}
	return about;
}

} /* namespace */

void gst_heap_camera_src_install_controls(GObjectClass *object)
{
	guint id = firstControlProperty;
	for (const ControlDescription &control : settableControls()) {
		/* A name that the element has for something else stays that. */
		if (!g_object_class_find_property(object, propertyName(control).c_str()))
			g_object_class_install_property(object, id, makeSpec(control));
		id++;
	}
}

/* One name for all that mean the same control, so that the value set last is the one that holds. */
static std::string keyOf(const std::string &name)
{
	const auto known = heapflow::findControl(settableControls(), name);
	return heapflow::controlKey(known ? (*known)->name : name);
}

/* Only for names that libcamera does not know is the camera asked: a controller sets one a frame.
 */
static bool isMomentary(CameraSession &session, const std::string &name)
{
	if (const auto known = heapflow::findControl(settableControls(), name))
		return (*known)->momentary;
	const std::vector<ControlDescription> own = session.controls();
	const auto control = heapflow::findControl(own, name);
	return control && (*control)->momentary;
}

/*
 * With the camera there, it judges at once; before, when it is. Kept for when the camera is set up
 * anew, but for what would be done a second time then.
 */
static void gst_heap_camera_src_set(GstHeapCameraSrc *self, const heapflow::ControlList &controls)
{
	CameraSource &source = *self->source;
	const auto session = gst_heap_camera_src_session(self);

	if (session) {
		if (auto set = session->setControls(controls); !set) {
			HEAPFLOW_ELEMENT_WARNING(self, set.error());
			return;
		}
	}
	std::lock_guard lock(source.mutex);
	for (const auto &[name, value] : controls)
		if (!session || !isMomentary(*session, name))
			source.controls[keyOf(name)] = {name, value};
}

void gst_heap_camera_src_set_control(GstHeapCameraSrc *self, guint id, const GValue *value)
{
	gst_heap_camera_src_set(self,
				{{controlOf(id).name, heapflow::gst::controlFromGValue(value)}});
}

void gst_heap_camera_src_set_controls(GstHeapCameraSrc *self, const GstStructure *structure)
{
	auto controls = heapflow::gst::controlsFromStructure(structure);
	if (!controls) {
		HEAPFLOW_ELEMENT_WARNING(self, controls.error());
		return;
	}
	gst_heap_camera_src_set(self, *controls);
}

/* As the last frame had it; else as it was set. */
void gst_heap_camera_src_get_control(GstHeapCameraSrc *self, guint id, GValue *value)
{
	CameraSource &source = *self->source;
	const std::string &name = controlOf(id).name;
	std::lock_guard lock(source.mutex);

	const auto reported =
		std::ranges::find(source.reported, name, &heapflow::FrameControl::name);
	if (reported != source.reported.end()) {
		fillValue(value, reported->value);
		return;
	}
	const auto set = source.controls.find(keyOf(name));
	if (set != source.controls.end())
		fillValue(value, set->second.second);
}

GstStructure *gst_heap_camera_src_list_controls(GstHeapCameraSrc *self)
{
	const auto session = gst_heap_camera_src_session(self);
	if (!session)
		return nullptr;
	GstStructure *list = gst_structure_new_empty("camera-controls");
	for (const ControlDescription &control : session->controls()) {
		GstStructure *about = describeControl(control);
		gst_structure_set(list, heapflow::kebabName(control.name).c_str(),
				  GST_TYPE_STRUCTURE, about, nullptr);
		gst_structure_free(about);
	}
	return list;
}

/* They act on the frames that the camera begins from now on. */
void gst_heap_camera_src_follow_bindings(GstHeapCameraSrc *self, GstBuffer *frame)
{
	const GstSegment *segment = &GST_BASE_SRC_CAST(self)->segment;

	if (!GST_BUFFER_PTS_IS_VALID(frame) ||
	    !gst_object_has_active_control_bindings(GST_OBJECT_CAST(self)))
		return;
	gst_object_sync_values(
		GST_OBJECT_CAST(self),
		gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(frame)));
}

Result<void> gst_heap_camera_src_apply_controls(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	const auto session = gst_heap_camera_src_session(self);
	heapflow::ControlList controls;
	{
		std::lock_guard lock(source.mutex);
		for (const auto &[key, control] : source.controls)
			controls.push_back(control);
	}
	if (controls.empty())
		return {};
	if (auto set = session->setControls(controls); !set)
		return set;
	std::lock_guard lock(source.mutex);
	for (const auto &[name, value] : controls)
		if (isMomentary(*session, name))
			source.controls.erase(keyOf(name));
	return {};
}
