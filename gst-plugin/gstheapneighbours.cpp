/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapneighbours.h"

#include "gstheapformat.h"
#include "gstheapi18n.h"
#include "gstheapkmssink.h"
#include "gstheapkmssink_private.h"

#include "heapflow/camera/camera_probe.h"
#include "heapflow/camera/v4l2_frame_buffers.h"
#include "heapflow/display/display_probe.h"

#include <algorithm>
#include <array>
#include <set>

#include <gst/base/gstbasetransform.h>

namespace heapflow::gst
{

namespace
{

/* Enough for any pipeline; a loop of links is not followed for ever. */
constexpr unsigned farthest = 64;

/* Where the stream goes on inside of a bin, or outside of it, is behind a proxy pad. */
GstPad *throughProxies(GstPad *pad)
{
	while (pad && GST_IS_PROXY_PAD(pad) && !GST_IS_ELEMENT(GST_OBJECT_PARENT(pad))) {
		GstProxyPad *outside = gst_proxy_pad_get_internal(GST_PROXY_PAD(pad));
		gst_object_unref(pad);
		pad = outside ? gst_pad_get_peer(GST_PAD_CAST(outside)) : nullptr;
		gst_clear_object(&outside);
	}
	while (pad && GST_IS_GHOST_PAD(pad)) {
		GstPad *inside = gst_ghost_pad_get_target(GST_GHOST_PAD(pad));
		gst_object_unref(pad);
		pad = inside;
	}
	return pad;
}

/* Passes buffers and ALLOCATION queries on as they come: not the one who allocates. */
bool onlyPasses(GstElement *element)
{
	/* Transforms among them work in place, for caps or clocks alone, not in passthrough. */
	static constexpr std::array names = {"queue",    "queue2", "capsfilter",
					     "identity", "valve",  "clocksync"};
	GstElementFactory *factory = gst_element_get_factory(element);
	if (factory && std::ranges::any_of(names, [factory](const char *name) {
		    return g_str_equal(GST_OBJECT_NAME(factory), name);
	    }))
		return true;
	return GST_IS_BASE_TRANSFORM(element) &&
	       gst_base_transform_is_passthrough(GST_BASE_TRANSFORM(element));
}

GstElement *elementBehind(GstPad *pad)
{
	GstPad *peer = throughProxies(gst_pad_get_peer(pad));
	GstElement *element = peer ? gst_pad_get_parent_element(peer) : nullptr;
	gst_clear_object(&peer);
	return element;
}

std::string stringProperty(GstElement *element, const char *name)
{
	GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
	if (!spec || spec->value_type != G_TYPE_STRING)
		return {};
	g_autofree char *value = nullptr;
	g_object_get(element, name, &value, nullptr);
	return value ? value : "";
}

void addProbe(GstElement *element, std::vector<std::unique_ptr<MemoryProbe>> &probes)
{
	if (GST_IS_HEAP_KMS_SINK(element)) {
		const auto scanout = gst_heap_kms_sink_scanout(GST_HEAP_KMS_SINK(element));
		if (!scanout)
			return;
		if (auto probe = openDisplayProbe(scanout->devicePath()))
			probes.push_back(std::move(*probe));
		return;
	}
	const std::string device = stringProperty(element, "device");
	if (!device.starts_with("/dev/video"))
		return;
	if (auto probe = openCameraProbe(device))
		probes.push_back(std::move(*probe));
}

void follow(GstPad *pad, unsigned left, std::set<GstElement *> &seen,
	    std::vector<std::unique_ptr<MemoryProbe>> &probes)
{
	GstElement *element = left > 0 ? elementBehind(pad) : nullptr;
	if (!element)
		return;
	if (seen.insert(element).second) {
		addProbe(element, probes);
		GstIterator *pads = GST_PAD_IS_SRC(pad) ? gst_element_iterate_src_pads(element)
							: gst_element_iterate_sink_pads(element);
		GValue item = G_VALUE_INIT;
		while (gst_iterator_next(pads, &item) == GST_ITERATOR_OK) {
			follow(GST_PAD_CAST(g_value_get_object(&item)), left - 1, seen, probes);
			g_value_unset(&item);
		}
		gst_iterator_free(pads);
	}
	gst_object_unref(element);
}

} /* namespace */

GstElement *peerElement(GstPad *pad)
{
	GstElement *element = elementBehind(pad);

	for (unsigned i = 0; element && onlyPasses(element) && i < farthest; i++) {
		GstPad *next =
			gst_element_get_static_pad(element, GST_PAD_IS_SRC(pad) ? "src" : "sink");
		GstElement *further = next ? elementBehind(next) : nullptr;
		gst_clear_object(&next);
		if (!further)
			break;
		gst_object_unref(element);
		element = further;
	}
	return element;
}

std::string peerName(GstPad *pad)
{
	GstElement *element = peerElement(pad);
	if (!element)
		return GST_PAD_IS_SRC(pad) ? _("downstream") : _("upstream");
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(element));
	gst_object_unref(element);
	return name;
}

std::string peerFactory(GstPad *pad)
{
	GstElement *element = peerElement(pad);
	if (!element)
		return {};
	GstElementFactory *factory = gst_element_get_factory(element);
	const std::string name = factory ? GST_OBJECT_NAME(factory) : "";
	gst_object_unref(element);
	return name;
}

std::string importProperty(GstPad *sinkPad)
{
	GstElement *element = peerElement(sinkPad);
	std::string name;

	for (const char *property : {"io-mode", "capture-io-mode"})
		if (element && name.empty() &&
		    g_object_class_find_property(G_OBJECT_GET_CLASS(element), property))
			name = property;
	gst_clear_object(&element);
	return name;
}

std::vector<std::unique_ptr<MemoryProbe>> deviceProbes(GstPad *pad)
{
	std::set<GstElement *> seen;
	std::vector<std::unique_ptr<MemoryProbe>> probes;

	follow(pad, farthest, seen, probes);
	return probes;
}

bool wantsMemoryPerPlane(GstPad *sinkPad, const GstCaps *caps)
{
	const auto format = frameFormatFromCaps(caps);
	GstElement *element = format ? peerElement(sinkPad) : nullptr;
	if (!element)
		return false;
	const std::string device =
		peerFactory(sinkPad) == "v4l2src" ? stringProperty(element, "device") : "";
	gst_object_unref(element);
	return !device.empty() && v4l2HasBufferPerPlane(device, format->fourcc).value_or(false);
}

} /* namespace heapflow::gst */
