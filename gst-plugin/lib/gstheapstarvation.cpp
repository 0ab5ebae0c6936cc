/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapstarvation.h"

#include "gstheapi18n.h"

#include "heapflow/heap/buffer_holders.h"

#include <algorithm>

#include <gst/base/gstbasesink.h>
#include <unistd.h>

namespace heapflow::gst
{

namespace
{

unsigned milliseconds(std::chrono::steady_clock::duration time)
{
	return unsigned(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

std::string nameOf(gpointer element)
{
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(element));
	return name ? name : "?";
}

/* A sink keeps the frame that it rendered last, for its property `last-sample`. */
bool keepsLastSample(GstElement *element, const GstBufferPool *pool)
{
	if (!GST_IS_BASE_SINK(element))
		return false;
	GstSample *sample = gst_base_sink_get_last_sample(GST_BASE_SINK_CAST(element));
	if (!sample)
		return false;
	const GstBuffer *buffer = gst_sample_get_buffer(sample);
	const bool ours = buffer && buffer->pool == pool;
	gst_sample_unref(sample);
	return ours;
}

/* `queue` and its kin: unsigned numbers of buffers; other elements may call something else so. */
guint buffersQueued(GstElement *element)
{
	static constexpr const char *property = "current-level-buffers";
	const GParamSpec *spec =
		g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
	guint level = 0;

	if (spec && G_PARAM_SPEC_VALUE_TYPE(spec) == G_TYPE_UINT)
		g_object_get(element, property, &level, nullptr);
	return level;
}

void describeElement(const GValue *item, std::vector<std::string> &holders,
		     const GstBufferPool *pool)
{
	auto *element = static_cast<GstElement *>(g_value_get_object(item));

	if (keepsLastSample(element, pool))
		holders.push_back(formatted(_("%s keeps the last frame that it showed"),
					    nameOf(element).c_str()));
	if (const guint level = buffersQueued(element); level > 0)
		holders.push_back(formatted(_("%s has %u queued"), nameOf(element).c_str(), level));
}

GstElement *topOf(GstElement *element)
{
	auto *top = GST_OBJECT(gst_object_ref(element));

	while (GstObject *parent = gst_object_get_parent(top)) {
		gst_object_unref(top);
		top = parent;
	}
	return GST_ELEMENT_CAST(top);
}

/* Processes beside this one that have a descriptor or a mapping of one of the dma-bufs. */
std::vector<std::string> otherProcesses(const std::vector<uint64_t> &inodes)
{
	const BufferHolders all = readBufferHolders();
	std::vector<pid_t> found;
	std::vector<std::string> names;

	for (const auto &buffer : all.buffers) {
		if (!std::ranges::binary_search(inodes, buffer.inode))
			continue;
		for (const BufferUse &use : buffer.uses)
			if (use.process != getpid() &&
			    std::ranges::find(found, use.process) == found.end())
				found.push_back(use.process);
	}
	for (const pid_t id : found)
		if (const ProcessName *process = all.process(id))
			names.push_back(formatted(_("process %s has some of them, too"),
						  process->text().c_str()));
	return names;
}

} /* namespace */

std::vector<std::string> describeHolders(GstElement *element, const GstBufferPool *pool)
{
	std::vector<std::string> holders;
	GstElement *top = topOf(element);

	if (GST_IS_BIN(top)) {
		GstIterator *elements = gst_bin_iterate_recurse(GST_BIN_CAST(top));
		GValue item = G_VALUE_INIT;
		bool more = true;
		while (more) {
			switch (gst_iterator_next(elements, &item)) {
			case GST_ITERATOR_OK:
				describeElement(&item, holders, pool);
				g_value_reset(&item);
				break;
			case GST_ITERATOR_RESYNC:
				holders.clear();
				gst_iterator_resync(elements);
				break;
			default:
				more = false;
			}
		}
		g_value_unset(&item);
		gst_iterator_free(elements);
	}
	gst_object_unref(top);
	return holders;
}

std::string describe(const Starvation &starvation, GstElement *element, const GstBufferPool *pool)
{
	const size_t held = starvation.held.size();
	std::string text = formatted(_("no buffer for %u ms: %u of %u are held"),
				     unsigned(starvation.waited.count()), unsigned(held),
				     unsigned(held + starvation.fenced));

	if (held > 0) {
		const auto [newest, oldest] =
			std::ranges::minmax(starvation.held, std::greater<>(), &HeldBuffer::since);
		const auto now = std::chrono::steady_clock::now();
		text += formatted(_(", for %u to %u ms"), milliseconds(now - newest.since),
				  milliseconds(now - oldest.since));
	}
	if (starvation.fenced > 0)
		text += formatted(_(", %u came back and a device still works on them"),
				  unsigned(starvation.fenced));

	std::vector<std::string> holders;
	if (element)
		holders = describeHolders(element, pool);
	for (std::string &process : otherProcesses(starvation.inodes))
		holders.push_back(std::move(process));
	for (const std::string &holder : holders)
		text += "; " + holder;
	return text;
}

} /* namespace heapflow::gst */
