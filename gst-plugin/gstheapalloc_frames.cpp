/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapalloc: whose memory a frame is in, and what is done when it is not that of the heap. */
#include "gstheapalloc_private.h"

#include "gstheapcopynotice.h"
#include "gstheaperror.h"
#include "gstheapi18n.h"
#include "gstheapneighbours.h"

#include "heapflow/heap/buffer_holders.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

#include <gst/allocators/gstdmabuf.h>

#define GST_CAT_DEFAULT gst_heap_alloc_debug

using heapflow::Error;
using heapflow::Heap;
using heapflow::Result;
using heapflow::gst::DownstreamWishes;
using heapflow::gst::ForeignMode;
using heapflow::gst::formatted;
using heapflow::gst::Injector;
using heapflow::gst::MeantHeaps;

namespace
{

/* Whose memory a frame is in. */
enum class Origin { Heap, EarlierHeap, Foreign };

/* The memory of a foreign frame. */
struct Strange {
	std::string heap; /* empty: of none */
	bool dmabuf = false;

	std::string text() const
	{
		if (!heap.empty())
			return formatted(_("dma-bufs of %s"), heap.c_str());
		return dmabuf ? _("dma-bufs of no heap") : _("ordinary memory");
	}
};

/* The kernel's word for a dma-buf that somebody else wrapped, kept for as long as the memory. */
std::string exporterOf(GstMemory *memory)
{
	static const GQuark quark = g_quark_from_static_string("heapflow-exporter");
	auto *object = GST_MINI_OBJECT_CAST(memory);

	if (const auto *known = static_cast<const char *>(gst_mini_object_get_qdata(object, quark)))
		return known;
	std::ostringstream text;
	text << std::ifstream("/proc/self/fdinfo/" +
			      std::to_string(gst_dmabuf_memory_get_fd(memory)))
			.rdbuf();
	const auto info = heapflow::parseBufferInfo(text.str());
	const std::string exporter = info ? info->exporter : "";
	/* Interned: behind a tee another heapalloc may set it, and read it, at the same time. */
	gst_mini_object_set_qdata(object, quark,
				  const_cast<char *>(g_intern_string(exporter.c_str())), nullptr);
	return exporter;
}

} /* namespace */

namespace heapflow::gst
{

Result<MeantHeaps> meantHeaps(const std::string &expression)
{
	const auto choice = chooseHeap(expression);
	if (!choice)
		return std::unexpected(choice.error());
	MeantHeaps meant{choice->taken().heap.name.text, choice->taken().heap.name.isProtected, {}};
	/* The other name of a region is no other memory. */
	std::set<std::string> regions;
	for (const HeapCandidate &candidate : choice->candidates)
		if (candidate.matches)
			regions.insert(candidate.heap.region.id);
	for (const HeapCandidate &candidate : choice->candidates)
		if (candidate.matches || regions.contains(candidate.heap.region.id))
			meant.names.insert(candidate.heap.name.text);
	return meant;
}

std::string heapOfMemory(GstMemory *memory)
{
	if (GST_IS_HEAP_ALLOCATOR(memory->allocator)) {
		std::string heap =
			gst_heap_allocator_get_heap(GST_HEAP_ALLOCATOR(memory->allocator));
		if (!heap.empty())
			return heap;
	}
	/*
	 * From another process, through an element that wraps descriptors itself, or wrapped by an
	 * allocator of ours that has allocated nothing: that of heapcamerasrc.
	 */
	return gst_is_dmabuf_memory(memory) ? exporterOf(memory) : std::string();
}

} /* namespace heapflow::gst */

/* All memories of a frame must be of the heap; `strange` is what the first that is not is in. */
static Origin originOf(Injector &injector, GstBuffer *buffer, Strange &strange)
{
	bool earlier = false;
	std::lock_guard lock(injector.mutex);

	for (guint i = 0; i < gst_buffer_n_memory(buffer); i++) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		const std::string heap = heapflow::gst::heapOfMemory(memory);
		if (!heap.empty() && injector.meant.names.contains(heap))
			continue;
		earlier = injector.earlierLeft > 0 && injector.earlier.contains(heap);
		if (earlier)
			continue;
		strange = {heap, bool(gst_is_dmabuf_memory(memory))};
		return Origin::Foreign;
	}
	return earlier ? Origin::EarlierHeap : Origin::Heap;
}

/* Why it is not in the heap, and what to do about it. */
static Error explainForeign(GstHeapAlloc *self, const Strange &strange)
{
	GstPad *pad = GST_BASE_TRANSFORM_SINK_PAD(self);
	const std::string name = heapflow::gst::peerName(pad);
	Injector &injector = *self->injector;
	std::string heap, whyNot;
	bool asked, kept;
	{
		std::lock_guard lock(injector.mutex);
		heap = injector.meant.first;
		whyNot = injector.whyNot;
		asked = injector.asked;
		kept = injector.earlier.contains(strange.heap);
	}
	const std::string memory = strange.text();
	if (!whyNot.empty())
		return {ENOTSUP,
			formatted(_("%s sends frames in %s, not in heap %s: there was no pool to "
				    "offer, because %s"),
				  name.c_str(), memory.c_str(), heap.c_str(), whyNot.c_str()),
			""};
	if (heapflow::gst::peerFactory(pad) == "tee")
		return {ENOTSUP,
			formatted(
				_("%s sends frames in %s, not in heap %s: a tee passes on no pool"),
				name.c_str(), memory.c_str(), heap.c_str()),
			_("put heapalloc before the tee")};
	if (!asked)
		return {ENOTSUP,
			formatted(_("%s sends frames in %s, not in heap %s: no element before it "
				    "asked for memory"),
				  name.c_str(), memory.c_str(), heap.c_str()),
			_("put heapalloc directly after the element that allocates")};
	if (kept)
		return {ENOTSUP,
			formatted(_("%s sends frames in %s, not in heap %s: it keeps the pool that "
				    "it got before the heap was changed"),
				  name.c_str(), memory.c_str(), heap.c_str()),
			formatted(_("change the caps as well, or restart %s"), name.c_str())};
	const std::string property = heapflow::gst::importProperty(pad);
	return {ENOTSUP,
		formatted(_("%s sends frames in %s, not in heap %s: it did not use the pool that "
			    "it was offered"),
			  name.c_str(), memory.c_str(), heap.c_str()),
		property.empty() ? _("see GST_DEBUG=heapalloc:5 for the pool")
				 : formatted(_("set %s=dmabuf-import of %s"), property.c_str(),
					     name.c_str())};
}

/* Once for each stream; every frame is counted. */
static void announceForeign(GstHeapAlloc *self, const Error &error)
{
	if (self->injector->foreignSaid)
		return;
	self->injector->foreignSaid = true;
	GstStructure *said = gst_structure_new("heapflow-foreign", "reason", G_TYPE_STRING,
					       error.message.c_str(), "hint", G_TYPE_STRING,
					       error.hint.c_str(), nullptr);
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), said));
	HEAPFLOW_ELEMENT_WARNING(self, error);
}

static void announceOwnCopy(GstHeapAlloc *self, const Error &why, GstBuffer *copy)
{
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(self));
	const std::string heap = heapflow::gst::heapOfMemory(gst_buffer_peek_memory(copy, 0));
	heapflow::gst::announceCopy(GST_ELEMENT_CAST(self),
				    {.reason = formatted(_("Frames are copied into heap %s: %s"),
							 heap.c_str(), why.message.c_str()),
				     .hint = why.hint,
				     .element = name,
				     .bytes = gst_buffer_get_size(copy)});
}

/* What downstream needs of a copy, asked as the elements before heapalloc ask. */
static DownstreamWishes askDownstream(GstHeapAlloc *self, GstCaps *caps)
{
	GstQuery *query = gst_query_new_allocation(caps, TRUE);

	gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(self), query);
	const DownstreamWishes wishes = heapflow::gst::readWishes(query);
	gst_query_unref(query);
	return wishes;
}

static Result<GstBuffer *> copyFrame(GstHeapAlloc *self, GstBuffer *frame)
{
	Injector &injector = *self->injector;
	std::string heap;
	bool stale;

	if (!injector.format)
		return heapflow::fail(ENOTSUP, _("frames of these caps cannot be copied into a "
						 "heap: their layout is not known"));
	{
		std::lock_guard lock(injector.mutex);
		heap = injector.heap;
		stale = std::exchange(injector.copierStale, false);
		if (injector.meant.isProtected)
			return heapflow::fail(EACCES, formatted(_("frames cannot be copied into "
								  "heap %s: no CPU may touch it"),
								injector.meant.first.c_str()));
	}
	if (stale || !injector.copier.ready(injector.caps)) {
		const DownstreamWishes wishes = askDownstream(self, injector.caps);
		auto prepared = injector.copier.prepare(
			GST_ELEMENT_CAST(self), heap, injector.caps, *injector.format,
			{wishes.buffers, wishes.alignment ? &*wishes.alignment : nullptr});
		if (!prepared)
			return std::unexpected(prepared.error());
	}
	return injector.copier.copy(*injector.format, frame);
}

static GstFlowReturn handleForeign(GstHeapAlloc *self, ForeignMode mode, const Strange &strange,
				   GstBuffer **frame)
{
	Injector &injector = *self->injector;
	const auto count = [&](uint64_t heapflow::gst::AllocCounts::*which, uint64_t bytes = 0) {
		std::lock_guard lock(injector.mutex);
		injector.counts.foreign++;
		(injector.counts.*which)++;
		injector.counts.copiedBytes += bytes;
	};

	if (mode == ForeignMode::Pass) {
		count(&heapflow::gst::AllocCounts::passed);
		if (!injector.foreignSaid)
			announceForeign(self, explainForeign(self, strange));
		return GST_FLOW_OK;
	}
	if (mode == ForeignMode::Refuse) {
		count(&heapflow::gst::AllocCounts::refused);
		const Error error = explainForeign(self, strange);
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("%s", error.message.c_str()),
				  ("mode=refuse; %s", error.text().c_str()));
		return GST_FLOW_NOT_NEGOTIATED;
	}
	auto copy = copyFrame(self, *frame);
	if (!copy) {
		count(&heapflow::gst::AllocCounts::refused);
		HEAPFLOW_ELEMENT_ERROR(self, copy.error());
		return GST_FLOW_ERROR;
	}
	count(&heapflow::gst::AllocCounts::copied, gst_buffer_get_size(*copy));
	if (!std::exchange(injector.foreignSaid, true))
		announceOwnCopy(self, explainForeign(self, strange), *copy);
	*frame = *copy;
	return GST_FLOW_OK;
}

/* GstBaseTransform unreferences the input when the output is another buffer. */
GstFlowReturn gst_heap_alloc_prepare_output_buffer(GstBaseTransform *base, GstBuffer *input,
						   GstBuffer **output)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(base);
	Injector &injector = *self->injector;
	Strange strange;

	*output = input;
	if (injector.contract.isBroken())
		return GST_FLOW_ERROR;
	/* Nothing is in it, so it is nowhere: what muxers send to mark a gap. */
	if (gst_buffer_n_memory(input) == 0)
		return GST_FLOW_OK;
	const Origin origin = originOf(injector, input, strange);
	const bool copied = heapflow::gst::noticeEarlierCopy(GST_ELEMENT_CAST(self),
							     GST_BASE_TRANSFORM_SINK_PAD(self),
							     input, injector.earlierCopySaid);
	ForeignMode mode;
	{
		std::lock_guard lock(injector.mutex);
		injector.counts.copiedUpstream += copied;
		mode = injector.mode;
		injector.counts.fromHeap += origin == Origin::Heap;
		if (origin == Origin::EarlierHeap) {
			injector.counts.earlierHeap++;
			injector.earlierLeft--;
		}
	}
	if (origin != Origin::Foreign)
		return GST_FLOW_OK;
	return handleForeign(self, mode, strange, output);
}
