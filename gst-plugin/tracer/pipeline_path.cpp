/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline_path.h"

#include <cstring>
#include <set>
#include <vector>

namespace heapflow::gst
{

namespace
{

/* From the outside of a bin to the pad inside that a ghost pad stands for; takes and gives a
 * reference. */
GstPad *insideOf(GstPad *pad)
{
	while (pad && GST_IS_GHOST_PAD(pad)) {
		GstPad *target = gst_ghost_pad_get_target(GST_GHOST_PAD_CAST(pad));
		gst_object_unref(pad);
		pad = target;
	}
	return pad;
}

/* The element that gets what a pad pushes; the caller unrefs it. */
GstElement *receiverOf(GstPad *source)
{
	auto *pad = GST_PAD_CAST(gst_object_ref(source));
	for (;;) {
		GstPad *peer = gst_pad_get_peer(pad);
		gst_object_unref(pad);
		if (!peer)
			return nullptr;
		if (!GST_IS_PROXY_PAD(peer) || GST_IS_GHOST_PAD(peer)) {
			peer = insideOf(peer);
			GstElement *element = peer ? gst_pad_get_parent_element(peer) : nullptr;
			gst_clear_object(&peer);
			return element;
		}
		/* The inner half of a ghost pad: out of the bin, and on from there. */
		GstObject *ghost = gst_object_get_parent(GST_OBJECT_CAST(peer));
		gst_object_unref(peer);
		if (!ghost)
			return nullptr;
		pad = GST_PAD_CAST(ghost);
	}
}

std::vector<GstElement *> receiversOf(GstElement *element)
{
	std::vector<GstElement *> receivers;
	gst_element_foreach_src_pad(
		element,
		[](GstElement *, GstPad *pad, gpointer data) -> gboolean {
			if (GstElement *receiver = receiverOf(pad))
				static_cast<std::vector<GstElement *> *>(data)->push_back(receiver);
			return TRUE;
		},
		&receivers);
	return receivers;
}

bool hasSourcePads(GstElement *element)
{
	GST_OBJECT_LOCK(element);
	const bool has = element->numsrcpads > 0;
	GST_OBJECT_UNLOCK(element);
	return has;
}

} /* namespace */

bool leadsTo(GstElement *from, const std::function<bool(GstElement *)> &wanted)
{
	std::vector<GstElement *> waiting = receiversOf(from);
	std::set<GstElement *> seen; /* with a reference each */
	bool found = false;
	while (!waiting.empty()) {
		GstElement *element = waiting.back();
		waiting.pop_back();
		if (!seen.insert(element).second) {
			gst_object_unref(element);
			continue;
		}
		found = found || wanted(element);
		if (found)
			continue;
		for (GstElement *next : receiversOf(element))
			waiting.push_back(next);
	}
	for (GstElement *element : seen)
		gst_object_unref(element);
	return found;
}

bool isScreen(GstElement *element)
{
	if (hasSourcePads(element))
		return false;
	/* What ends in a bin may be a plain sink; it is the bin that knows: autovideosink. */
	bool screen = false;
	auto *object = GST_OBJECT_CAST(gst_object_ref(element));
	while (object && !screen) {
		const char *klass =
			GST_IS_ELEMENT(object)
				? gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(object),
								 GST_ELEMENT_METADATA_KLASS)
				: nullptr;
		screen = klass && strstr(klass, "Sink") && strstr(klass, "Video");
		GstObject *parent = gst_object_get_parent(object);
		gst_object_unref(object);
		object = parent;
	}
	gst_clear_object(&object);
	return screen;
}

bool isOnTheWay(GstElement *element, GstElement *owner, ContractScope scope)
{
	if (element == owner)
		return true;
	const auto isOwner = [owner](GstElement *one) {
		return one == owner;
	};
	const auto isElement = [element](GstElement *one) {
		return one == element;
	};
	if (scope != ContractScope::FromSource && leadsTo(element, isOwner))
		return true;
	if (scope == ContractScope::ToSink || !leadsTo(owner, isElement))
		return false;
	return isScreen(element) || leadsTo(element, isScreen) || !leadsTo(owner, isScreen);
}

} /* namespace heapflow::gst */
