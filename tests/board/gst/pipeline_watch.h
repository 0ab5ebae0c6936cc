/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests look at while a pipeline plays. */
#pragma once

#include "pipeline.h"

#include <atomic>
#include <functional>

#include <gtest/gtest.h>

namespace heapflow::test
{

/** \brief Counts the buffers that reach an element */
class Counter
{
public:
	Counter(const Pipeline &pipeline, const char *element)
	{
		GstPad *pad = gst_element_get_static_pad(pipeline.element(element), "sink");
		gst_pad_add_probe(
			pad, GST_PAD_PROBE_TYPE_BUFFER,
			[](GstPad *, GstPadProbeInfo *, gpointer data) {
				static_cast<Counter *>(data)->count++;
				return GST_PAD_PROBE_OK;
			},
			this, nullptr);
		gst_object_unref(pad);
	}
	std::atomic<unsigned> count = 0;
};

/** \brief Brightness of a frame, from 0 to 255: the mean of every 97th byte */
inline double meanOf(GstBuffer *buffer)
{
	GstMapInfo map;
	if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
		ADD_FAILURE() << "a frame cannot be mapped";
		return 0;
	}
	double sum = 0;
	for (gsize i = 0; i < map.size; i += 97)
		sum += map.data[i];
	const double mean = sum * 97 / double(map.size);
	gst_buffer_unmap(buffer, &map);
	return mean;
}

/** \brief Looks a hundred times a second, for `tenths` tenths of a second at most */
inline bool waitFor(const std::function<bool()> &condition, int tenths = 100)
{
	for (int i = 0; i < tenths * 10 && !condition(); i++)
		g_usleep(10000);
	return condition();
}

/** \brief The next element message of this name; the caller unrefs `message` */
inline const GstStructure *messageOf(Pipeline &pipeline, const char *name, GstMessage **message)
{
	GstBus *bus =
		gst_element_get_bus(GST_ELEMENT(GST_OBJECT_PARENT(pipeline.element("source"))));
	const GstStructure *found = nullptr;
	for (int i = 0; i < 200 && !found; i++) {
		*message = gst_bus_timed_pop_filtered(bus, 50 * GST_MSECOND, GST_MESSAGE_ELEMENT);
		if (!*message)
			continue;
		if (gst_structure_has_name(gst_message_get_structure(*message), name))
			found = gst_message_get_structure(*message);
		else
			gst_clear_message(message);
	}
	gst_object_unref(bus);
	return found;
}

} /* namespace heapflow::test */
