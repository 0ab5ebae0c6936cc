/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks of GstTracer. They run in streaming threads, with locks of the callers held. */
#include "frame_watch_private.h"

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
