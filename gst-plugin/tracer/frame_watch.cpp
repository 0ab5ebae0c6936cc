/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks of GstTracer. They run in streaming threads, with locks of the callers held. */
#include "frame_watch.h"

#include <algorithm>
#include <format>
#include <optional>
#include <utility>

/* The hooks need a tracer. When the user asked for none, it is one that does nothing else. */
struct GstHeapFrameHooks {
	GstTracer parent;
};
struct GstHeapFrameHooksClass {
	GstTracerClass parent;
};
static GType gst_heap_frame_hooks_get_type();
G_DEFINE_TYPE(GstHeapFrameHooks, gst_heap_frame_hooks, GST_TYPE_TRACER)
static void gst_heap_frame_hooks_class_init(GstHeapFrameHooksClass *) {}
static void gst_heap_frame_hooks_init(GstHeapFrameHooks *) {}

namespace heapflow::gst
{

/* What is kept with a pad, and dies with it. */
struct FrameWatch::PadFacts {
	PadId id = 0; /* 0: of a bin; frames only pass */
	ElementId element = 0;
	GstCaps *caps = nullptr;

	~PadFacts() { gst_clear_caps(&caps); }
};

/* A call of an element's chain function, or one of its pulling. */
struct FrameWatch::Activation {
	GstPad *pad;
	ElementId element;
	PadId sink;
	int64_t began;
	PadId sourceBefore;    /* of the frame that is on its way outside */
	int64_t elsewhere = 0; /* ns in elements after it */
	int64_t pushed = 0;
	std::optional<int64_t> born = {}; /* of the frame; none: it does not count */
};

struct FrameWatch::Thread {
	std::vector<Activation> stack;
	std::vector<size_t> depths; /* of the stack, at each push that is going on */
	ElementId home = 0;         /* the element whose task this is */
	PadId source = 0;           /* where the frame on its way was pushed */
	std::vector<Touch> touches; /* to be delivered at the next hook in this thread */

	ElementId runs() const { return stack.empty() ? home : stack.back().element; }
};

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
	GstObject *parent = gst_object_get_parent(GST_OBJECT_CAST(element));
	const ElementId pipeline =
		parent && GST_IS_ELEMENT(parent) ? pipelineOf(GST_ELEMENT_CAST(parent)) : 0;
	gst_clear_object(&parent);

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

/* What GStreamer calls. The tracer's pointer and the time stamp are of no use to us. */
struct FrameWatch::Hooks {
	static void nothing() {}
	static FrameWatch *active()
	{
		FrameWatch &watch = instance();
		return watch.isActive() ? &watch : nullptr;
	}

	static void pushPre(GObject *, GstClockTime, GstPad *pad, GstBuffer *buffer)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->pushBegins(pad);
		watch->push(pad, buffer);
		watch->deliver();
	}
	static void pushListPre(GObject *, GstClockTime, GstPad *pad, GstBufferList *list)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->pushBegins(pad);
		for (guint i = 0; i < gst_buffer_list_length(list); i++)
			watch->push(pad, gst_buffer_list_get(list, i));
		watch->deliver();
	}
	static void pushPost(GObject *, GstClockTime, GstPad *, GstFlowReturn)
	{
		if (FrameWatch *watch = active())
			watch->pushEnds();
	}
	static void chainPre(GObject *, GstClockTime, GstPad *pad, GstBuffer *buffer)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->enter(pad);
		watch->receive(pad, buffer);
	}
	static void chainListPre(GObject *, GstClockTime, GstPad *pad, GstBufferList *list)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->enter(pad);
		for (guint i = 0; i < gst_buffer_list_length(list); i++)
			watch->receive(pad, gst_buffer_list_get(list, i));
	}
	static void chainPost(GObject *, GstClockTime, GstPad *pad, GstFlowReturn)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->leave(pad);
		watch->deliver();
	}
	/* A file sink writes, and an encoder drains, when it is told of the end (since 1.26). */
	static void eventPre(GObject *, GstClockTime, GstPad *pad, GstEvent *)
	{
		if (FrameWatch *watch = active())
			watch->enter(pad);
	}
	static void eventPost(GObject *, GstClockTime, GstPad *pad, gboolean)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		watch->leave(pad);
		watch->deliver();
	}
	/* The peer of the pad that pulls runs in the puller's thread. */
	static void pullPre(GObject *, GstClockTime, GstPad *pad, guint64, guint)
	{
		FrameWatch *watch = active();
		GstPad *peer = watch ? gst_pad_get_peer(pad) : nullptr;
		if (!peer)
			return;
		watch->enter(peer);
		gst_object_unref(peer);
	}
	static void pullPost(GObject *, GstClockTime, GstPad *pad, GstBuffer *buffer, GstFlowReturn)
	{
		FrameWatch *watch = active();
		GstPad *peer = watch ? gst_pad_get_peer(pad) : nullptr;
		if (!peer)
			return;
		if (buffer) {
			watch->followCaps(peer, *watch->factsOf(peer));
			watch->push(peer, buffer);
		}
		watch->leave(peer);
		gst_object_unref(peer);
	}
	static void postMessagePre(GObject *, GstClockTime, GstElement *, GstMessage *message)
	{
		FrameWatch *watch = active();
		if (!watch)
			return;
		if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS)
			watch->followTask(message);
		else if (gst_message_has_name(message, "heapflow-starved") &&
			 GST_IS_ELEMENT(GST_MESSAGE_SRC(message)))
			watch->report(GST_ELEMENT_CAST(GST_MESSAGE_SRC(message)),
				      ReportReason::Starved);
	}
	static void changeStatePost(GObject *, GstClockTime, GstElement *element,
				    GstStateChange transition, GstStateChangeReturn)
	{
		FrameWatch *watch = active();
		if (!watch || transition != GST_STATE_CHANGE_PAUSED_TO_READY)
			return;
		if (!GST_OBJECT_PARENT(element))
			watch->report(element, ReportReason::Ended);
	}
	/* With the last reference a buffer is freed or goes back into its pool. */
	static void unreffed(GObject *, GstClockTime, GstMiniObject *object, gint references)
	{
		if (references != 0 || GST_MINI_OBJECT_TYPE(object) != GST_TYPE_BUFFER)
			return;
		if (FrameWatch *watch = active())
			watch->ledger_.forgetFrame(object);
	}
	/* The earliest moment to see an allocator, before its first memory is mapped. */
	static void memoryInit(GObject *, GstClockTime, GstMemory *memory)
	{
		if (FrameWatch *watch = active())
			watchAllocator(memory->allocator, *watch);
	}
};

void FrameWatch::registerHooks(GstTracer *tracer)
{
	const auto hook = [tracer](const char *name, GCallback function) {
		/* A name that this GStreamer does not have would be a hook on everything. */
		if (g_quark_try_string(name))
			gst_tracing_register_hook(tracer, name, function);
	};
	hook("pad-push-pre", G_CALLBACK(Hooks::pushPre));
	hook("pad-push-post", G_CALLBACK(Hooks::pushPost));
	hook("pad-push-list-pre", G_CALLBACK(Hooks::pushListPre));
	hook("pad-push-list-post", G_CALLBACK(Hooks::pushPost));
	hook("pad-chain-pre", G_CALLBACK(Hooks::chainPre));
	hook("pad-chain-post", G_CALLBACK(Hooks::chainPost));
	hook("pad-chain-list-pre", G_CALLBACK(Hooks::chainListPre));
	hook("pad-chain-list-post", G_CALLBACK(Hooks::chainPost));
	hook("pad-pull-range-pre", G_CALLBACK(Hooks::pullPre));
	hook("pad-pull-range-post", G_CALLBACK(Hooks::pullPost));
	hook("pad-send-event-pre", G_CALLBACK(Hooks::eventPre)); /* 1.26 */
	hook("pad-send-event-post", G_CALLBACK(Hooks::eventPost));
	hook("element-post-message-pre", G_CALLBACK(Hooks::postMessagePre));
	hook("element-change-state-post", G_CALLBACK(Hooks::changeStatePost));
	hook("mini-object-unreffed", G_CALLBACK(Hooks::unreffed));
	hook("memory-init", G_CALLBACK(Hooks::memoryInit)); /* 1.26 */
}

void FrameWatch::start(GstTracer *tracer)
{
	users_++;
	std::unique_lock lock(mutex_);
	const bool first = !std::exchange(hooked_, true);
	lock.unlock();

	if (!first) {
		/* A tracer lives as long as it has a hook. */
		if (tracer)
			gst_tracing_register_hook(tracer, "element-new",
						  G_CALLBACK(Hooks::nothing));
		return;
	}
	/* The only allocator that may be mapped before any hook sees it. */
	GstAllocator *system = gst_allocator_find(nullptr);
	watchAllocator(system, *this);
	gst_object_unref(system);

	auto *own = tracer ? GST_TRACER_CAST(gst_object_ref(tracer))
			   : GST_TRACER_CAST(gst_object_ref_sink(
				     g_object_new(gst_heap_frame_hooks_get_type(), nullptr)));
	registerHooks(own);
	gst_object_unref(own);
}

void FrameWatch::stop()
{
	users_--;
}

} /* namespace heapflow::gst */
