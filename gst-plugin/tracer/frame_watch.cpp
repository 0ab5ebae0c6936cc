/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is entered into the ledger when frame_hooks.cpp is called. */
#include "frame_watch_private.h"

#include <algorithm>
#include <format>
#include <optional>
#include <utility>

namespace heapflow::gst
{

namespace
{

GQuark factsQuark()
{
	static const GQuark quark = g_quark_from_static_string("heapflow-pad-facts");
	return quark;
}

GQuark numberQuark()
{
	static const GQuark quark = g_quark_from_static_string("heapflow-element-number");
	return quark;
}

int64_t now()
{
	return g_get_monotonic_time() * 1000;
}

ElementKind kindOf(GstElement *element)
{
	GST_OBJECT_LOCK(element);
	const bool sinks = element->numsinkpads > 0;
	const bool sources = element->numsrcpads > 0;
	GST_OBJECT_UNLOCK(element);
	return !sinks ? ElementKind::Source : !sources ? ElementKind::Sink : ElementKind::Filter;
}

std::string nameOf(GstElement *element)
{
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(element));
	return name ? name : "";
}

std::string factoryOf(GstElement *element)
{
	GstElementFactory *factory = gst_element_get_factory(element);
	return factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element);
}

std::string valueText(const GstStructure *structure, const char *field)
{
	const GValue *value = gst_structure_get_value(structure, field);
	g_autofree char *text = value ? G_VALUE_HOLDS_STRING(value) ? g_value_dup_string(value)
								    : gst_value_serialize(value)
				      : nullptr;
	return text ? text : "";
}

/* "NV12 1280x720 60/1 memory:DMABuf" */
std::string capsText(const GstCaps *caps)
{
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	if (!gst_structure_has_name(structure, "video/x-raw"))
		return gst_structure_get_name(structure);
	std::string text = valueText(structure, "drm-format");
	if (text.empty())
		text = valueText(structure, "format");
	text += " " + valueText(structure, "width") + "x" + valueText(structure, "height");
	if (const std::string rate = valueText(structure, "framerate"); !rate.empty())
		text += " " + rate;
	const GstCapsFeatures *features = gst_caps_get_features(caps, 0);
	if (features &&
	    !gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)) {
		g_autofree char *names = gst_caps_features_to_string(features);
		text += std::string(" ") + names;
	}
	return text;
}

bool isRawVideo(const GstCaps *caps)
{
	return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
}

/* A memory dies: in any thread, with any lock held. */
void memoryDied(gpointer, GstMiniObject *memory)
{
	FrameWatch::instance().ledger().forgetMemory(memory);
}

} /* namespace */

FrameWatch &FrameWatch::instance()
{
	/* Never destroyed: allocators and memories outlive everything. */
	static auto *watch = new FrameWatch;
	return *watch;
}

FrameWatch::FrameWatch()
{
	ledger_.setObserver([this](const Touch &touch) { queueTouch(touch); });
}

FrameWatch::Thread &FrameWatch::thread()
{
	static thread_local Thread own;
	return own;
}

GstElement *FrameWatch::elementFor(ElementId id)
{
	std::lock_guard lock(mutex_);
	if (id == 0 || id > elements_.size())
		return nullptr;
	return static_cast<GstElement *>(g_weak_ref_get(elements_[id - 1].get()));
}

ElementId FrameWatch::elementIdOf(GstElement *element)
{
	if (gpointer number = g_object_get_qdata(G_OBJECT(element), numberQuark()))
		return GPOINTER_TO_UINT(number);
	/* The pipeline first: it gets a number of its own. */
	const ElementId pipeline = pipelineAround(element);

	std::lock_guard lock(mutex_);
	if (gpointer number = g_object_get_qdata(G_OBJECT(element), numberQuark()))
		return GPOINTER_TO_UINT(number);
	const ElementId id =
		ledger_.addElement(pipeline, nameOf(element), factoryOf(element), kindOf(element));
	auto &weak = elements_.emplace_back(std::make_unique<GWeakRef>());
	g_weak_ref_init(weak.get(), element);
	g_object_set_qdata(G_OBJECT(element), numberQuark(), GUINT_TO_POINTER(id));
	return id;
}

ElementId FrameWatch::pipelineOf(GstElement *element)
{
	GstObject *top = GST_OBJECT_CAST(gst_object_ref(element));
	while (GstObject *parent = gst_object_get_parent(top)) {
		gst_object_unref(top);
		top = parent;
	}
	const ElementId id = GST_IS_ELEMENT(top) ? elementIdOf(GST_ELEMENT_CAST(top)) : 0;
	gst_object_unref(top);
	return id;
}

/* 0 for an element that is in nothing. */
ElementId FrameWatch::pipelineAround(GstElement *element)
{
	GstObject *parent = gst_object_get_parent(GST_OBJECT_CAST(element));
	const ElementId pipeline =
		parent && GST_IS_ELEMENT(parent) ? pipelineOf(GST_ELEMENT_CAST(parent)) : 0;
	gst_clear_object(&parent);
	return pipeline;
}

FrameWatch::PadFacts *FrameWatch::factsOf(GstPad *pad)
{
	auto *facts = static_cast<PadFacts *>(g_object_get_qdata(G_OBJECT(pad), factsQuark()));
	if (facts)
		return facts;
	GstElement *element = gst_pad_get_parent_element(pad);
	std::lock_guard lock(factsMutex_);
	facts = static_cast<PadFacts *>(g_object_get_qdata(G_OBJECT(pad), factsQuark()));
	if (facts) {
		gst_clear_object(&element);
		return facts;
	}
	facts = new PadFacts;
	/* The two halves of a ghost pad only pass on. */
	if (element && !GST_IS_PROXY_PAD(pad)) {
		g_autofree char *name = gst_pad_get_name(pad);
		facts->element = elementIdOf(element);
		facts->id = ledger_.addPad(facts->element, name);
	}
	gst_clear_object(&element);
	g_object_set_qdata_full(G_OBJECT(pad), factsQuark(), facts,
				[](gpointer data) { delete static_cast<PadFacts *>(data); });
	return facts;
}

void FrameWatch::followCaps(GstPad *pad, PadFacts &facts)
{
	GstCaps *caps = gst_pad_get_current_caps(pad);
	if (caps == facts.caps) {
		gst_clear_caps(&caps);
		return;
	}
	gst_clear_caps(&facts.caps);
	facts.caps = caps;
	const bool some = caps && !gst_caps_is_any(caps) && !gst_caps_is_empty(caps);
	ledger_.setCaps(facts.id, some ? capsText(caps) : "", some && isRawVideo(caps));
	/*
	 * playsink and its like link elements first and put them into the pipeline later, but
	 * before any caps come.
	 */
	GstElement *element = gst_pad_get_parent_element(pad);
	if (element && facts.element)
		ledger_.moveElement(facts.element, pipelineAround(element));
	gst_clear_object(&element);
}

void FrameWatch::look(GstMemory *memory)
{
	watchAllocator(memory->allocator, *this);
	GstMemory *root = rootMemory(memory);
	if (ledger_.knows(root))
		return;
	ledger_.addMemory(root, memoryKind(root));
	gst_mini_object_weak_ref(GST_MINI_OBJECT_CAST(root), memoryDied, nullptr);
}

std::vector<FrameMemory> FrameWatch::memoriesOf(GstBuffer *buffer)
{
	std::vector<FrameMemory> memories;
	for (guint i = 0; i < gst_buffer_n_memory(buffer); i++) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		look(memory);
		const MemoryKey root = rootMemory(memory);
		const auto known = std::ranges::find(memories, root, &FrameMemory::key);
		if (known == memories.end())
			memories.push_back({root, memory->size});
		else
			known->size += memory->size;
	}
	return memories;
}

void FrameWatch::memoryMapped(GstMemory *memory, GstMapFlags flags)
{
	if (!isActive())
		return;
	look(memory);
	const bool reads = flags & GST_MAP_READ, writes = flags & GST_MAP_WRITE;
	const MapAccess access = reads && writes ? MapAccess::ReadWrite
				 : writes        ? MapAccess::Write
						 : MapAccess::Read;
	ledger_.mapped(thread().runs(), {rootMemory(memory), memory->size}, access);
}

void FrameWatch::memoryCopied(GstMemory *from, GstMemory *to)
{
	if (!isActive())
		return;
	look(from);
	look(to);
	ledger_.copied(thread().runs(), {rootMemory(from), from->size}, {rootMemory(to), to->size});
}

void FrameWatch::pushBegins(GstPad *pad)
{
	PadFacts &facts = *factsOf(pad);
	Thread &own = thread();

	own.depths.push_back(own.stack.size());
	if (!own.stack.empty() && !own.stack.back().pushed)
		own.stack.back().pushed = now();
	if (!facts.id)
		return;
	if (own.stack.empty())
		own.home = facts.element;
	followCaps(pad, facts);
	own.source = facts.id;
}

void FrameWatch::push(GstPad *pad, GstBuffer *buffer)
{
	const PadFacts &facts = *factsOf(pad);
	if (!facts.id)
		return;
	const std::vector<FrameMemory> memories = memoriesOf(buffer);
	ledger_.pushed(facts.id, memories, now());
}

void FrameWatch::pushEnds()
{
	Thread &own = thread();
	own.source = 0;
	/* A chain function that a flush kept from being called is entered and never left. */
	if (!own.depths.empty()) {
		while (own.stack.size() > own.depths.back())
			own.stack.pop_back();
		own.depths.pop_back();
	}
	if (own.stack.empty() || !own.stack.back().pushed)
		return;
	Activation &runs = own.stack.back();
	runs.elsewhere += now() - std::exchange(runs.pushed, 0);
}

void FrameWatch::enter(GstPad *pad)
{
	const PadFacts &facts = *factsOf(pad);
	Thread &own = thread();
	if (facts.id)
		own.stack.push_back({pad, facts.element, facts.id, now(), own.source});
}

void FrameWatch::receive(GstPad *pad, GstBuffer *buffer)
{
	PadFacts &facts = *factsOf(pad);
	Thread &own = thread();

	if (!facts.id || own.stack.empty() || own.stack.back().pad != pad)
		return;
	/* An element without a function for lists gets each buffer of one by itself. */
	if (own.stack.size() > 1 && own.stack[own.stack.size() - 2].pad == pad)
		return;
	if (!own.source)
		followCaps(pad, facts);
	const std::vector<FrameMemory> memories = memoriesOf(buffer);
	own.stack.back().born =
		ledger_.received(facts.id, own.source, buffer, memories, own.stack.back().began);
}

void FrameWatch::leave(GstPad *pad)
{
	Thread &own = thread();
	/* Tracing may have begun inside of the call. */
	if (own.stack.empty() || own.stack.back().pad != pad)
		return;
	const Activation done = own.stack.back();
	own.stack.pop_back();
	own.source = done.sourceBefore;
	if (!done.born)
		return;
	const int64_t end = now();
	ledger_.returned(done.sink, end - done.began - done.elsewhere, *done.born, end);
}

/* A pad's task says in its own thread that it begins (pad_enter_thread() of gstpad.c). */
void FrameWatch::followTask(GstMessage *message)
{
	GstStreamStatusType type;
	GstElement *owner = nullptr;

	gst_message_parse_stream_status(message, &type, &owner);
	if (type == GST_STREAM_STATUS_TYPE_LEAVE)
		thread().home = 0;
	else if (type == GST_STREAM_STATUS_TYPE_ENTER && owner && !GST_IS_BIN(owner))
		thread().home = elementIdOf(owner);
}

void FrameWatch::report(GstElement *element, ReportReason reason)
{
	std::function<void(ElementId, ReportReason)> handler;
	{
		std::lock_guard lock(mutex_);
		handler = reportHandler_;
	}
	if (handler)
		handler(pipelineOf(element), reason);
}

void FrameWatch::addListener(std::shared_ptr<TouchListener> listener)
{
	std::lock_guard lock(mutex_);
	listeners_.push_back(std::move(listener));
}

void FrameWatch::removeListener(const TouchListener *listener)
{
	std::lock_guard lock(mutex_);
	std::erase_if(listeners_, [listener](const auto &one) { return one.get() == listener; });
}

void FrameWatch::setReportHandler(std::function<void(ElementId, ReportReason)> handler)
{
	std::lock_guard lock(mutex_);
	reportHandler_ = std::move(handler);
}

/*
 * A map is no place to post a message from: the caller may hold any lock. What a thread does to a
 * frame stays together until the thread pushes it on; what threads without hooks do, others tell.
 */
void FrameWatch::queueTouch(const Touch &touch)
{
	constexpr size_t most = 1024; /* nobody may come to fetch them */
	if (Thread &own = thread(); own.runs()) {
		if (own.touches.size() < most)
			own.touches.push_back(touch);
		return;
	}
	std::lock_guard lock(mutex_);
	if (touches_.size() < most)
		touches_.push_back(touch);
	touchesWait_ = true;
}

void FrameWatch::deliver()
{
	std::vector<Touch> touches = std::exchange(thread().touches, {});
	if (touches.empty() && !touchesWait_.load(std::memory_order_relaxed))
		return;
	std::vector<std::shared_ptr<TouchListener>> listeners;
	{
		std::lock_guard lock(mutex_);
		touches.insert(touches.end(), touches_.begin(), touches_.end());
		touches_.clear();
		touchesWait_ = false;
		listeners = listeners_;
	}
	if (listeners.empty())
		return;
	std::vector<ElementTouch> told;
	for (const Touch &touch : touches)
		told.push_back({touch, elementFor(touch.element)});
	for (const auto &listener : listeners)
		listener->touched(told);
	for (ElementTouch &one : told)
		gst_clear_object(&one.element);
}

void FrameWatch::addNotes(FlowReport &report)
{
	for (ElementReport &facts : report.elements) {
		GstElement *element = elementFor(facts.id);
		if (!element || facts.factory != "heapkmssink") {
			gst_clear_object(&element);
			continue;
		}
		GstStructure *stats = nullptr;
		g_object_get(element, "stats", &stats, nullptr);
		for (const char *field : {"imports", "framebuffers", "shown", "late"})
			if (gst_structure_has_field(stats, field))
				facts.notes.push_back(
					std::format("{} {}", field, valueText(stats, field)));
		gint64 latency = -1;
		if (gst_structure_get_int64(stats, "latency-median", &latency) && latency >= 0)
			facts.notes.push_back("from capture to scan-out " + timeText(latency) +
					      " (median)");
		gst_structure_free(stats);
		gst_object_unref(element);
	}
}

} /* namespace heapflow::gst */
