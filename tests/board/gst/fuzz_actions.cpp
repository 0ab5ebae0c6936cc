/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz_actions.h"

#include <array>

#include <gst/video/video.h>

namespace heapflow::test
{

namespace
{

GstStaticPadTemplate anySource =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate anySink =
	GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* Frames of more bytes are asked for, but not allocated: the board has 64 MiB regions. */
constexpr guint largestFrame = 16 << 20;

bool hasPad(GstElement *element, const char *name)
{
	GstPad *pad = gst_element_get_static_pad(element, name);
	const bool has = pad != nullptr;
	gst_clear_object(&pad);
	return has;
}

} /* namespace */

FuzzSubject::FuzzSubject(const char *factory, Random &random)
	: random_(random),
	  element_(gst_element_factory_make(factory, nullptr)),
	  harness_(gst_harness_new_empty()),
	  bus_(gst_bus_new())
{
	if (!element_) {
		fprintf(stderr, "there is no element %s\n", factory);
		exit(1);
	}
	gst_object_ref_sink(element_);
	hasSink_ = hasPad(element_, "sink");
	hasSrc_ = hasPad(element_, "src");
	/* A clock that nobody advances would stop a sink for ever. */
	if (!hasSrc_)
		g_object_set(element_, "sync", FALSE, nullptr);
	gst_harness_add_element_full(harness_, element_, hasSink_ ? &anySource : nullptr, "sink",
				     hasSrc_ ? &anySink : nullptr, "src");
	if (hasSrc_)
		answers_.emplace(harness_->sinkpad, random_());
	gst_harness_use_systemclock(harness_);
	gst_element_set_bus(element_, bus_);
	caps_ = gst_caps_from_string("video/x-raw,format=NV12,width=320,height=240,framerate=30/1");
	begin();
}

FuzzSubject::~FuzzSubject()
{
	gst_element_set_state(element_, GST_STATE_NULL);
	settle();
	gst_element_set_bus(element_, nullptr);
	answers_.reset();
	gst_harness_teardown(harness_);
	gst_object_unref(element_);
	gst_object_unref(bus_);
	gst_clear_caps(&caps_);
}

std::map<std::string, unsigned> FuzzSubject::done() const
{
	auto all = done_;
	if (answers_)
		all["random answers"] = answers_->given();
	return all;
}

/* A new stream; elements that were in READY have forgotten the one before. */
void FuzzSubject::begin()
{
	if (!hasSink_)
		return;
	GstSegment segment;
	gst_segment_init(&segment, GST_FORMAT_TIME);
	gst_harness_push_event(harness_, gst_event_new_stream_start("fuzz"));
	gst_harness_push_event(harness_, gst_event_new_caps(caps_));
	gst_harness_push_event(harness_, gst_event_new_segment(&segment));
}

/* Whoever waits for preroll is let go, and all that came out is thrown away. */
void FuzzSubject::settle()
{
	if (pusher_.joinable())
		pusher_.join();
	if (hasSrc_)
		while (GstBuffer *buffer = gst_harness_try_pull(harness_))
			gst_buffer_unref(buffer);
	for (GstEvent *event; hasSrc_ && (event = gst_harness_try_pull_event(harness_));)
		gst_event_unref(event);
	for (GstEvent *event; hasSink_ && (event = gst_harness_try_pull_upstream_event(harness_));)
		gst_event_unref(event);
	while (GstMessage *message = gst_bus_pop(bus_))
		gst_message_unref(message);
}

void FuzzSubject::changeState()
{
	static constexpr std::array states = {GST_STATE_PLAYING, GST_STATE_PLAYING,
					      GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL};
	GstState state = states[pick(random_, states.size())];
	/* Only one that plays asks for memory. */
	if (!hasSink_ && pick(random_, 2))
		state = GST_STATE_PLAYING;
	const GstState before = GST_STATE(element_);

	gst_element_set_state(element_, state);
	settle();
	if (before <= GST_STATE_READY && state > GST_STATE_READY && pick(random_, 8))
		begin();
}

void FuzzSubject::setProperty()
{
	static constexpr std::array heaps = {
		"system",       "video@*",   "video@*:default:system",
		"default",      "auto",      "is=contiguous",
		"no-such-heap", "linux,cma", "memory@48000000-contiguous",
		"video@*::",    ""};
	static constexpr std::array modes = {"pass", "copy", "refuse"};
	static constexpr std::array copies = {"never", "allow"};
	GObjectClass *klass = G_OBJECT_GET_CLASS(element_);

	if (g_object_class_find_property(klass, "mode") && hasSink_ && hasSrc_ && pick(random_, 2))
		gst_util_set_object_arg(G_OBJECT(element_), "mode",
					modes[pick(random_, modes.size())]);
	else if (g_object_class_find_property(klass, "copy") && pick(random_, 2))
		gst_util_set_object_arg(G_OBJECT(element_), "copy",
					copies[pick(random_, copies.size())]);
	else
		g_object_set(element_, "heap", heaps[pick(random_, heaps.size())], nullptr);
}

void FuzzSubject::sendCaps()
{
	GstCaps *caps = randomCaps(random_);

	gst_caps_replace(&caps_, caps);
	if (hasSink_)
		gst_harness_push_event(harness_, gst_event_new_caps(caps));
	else
		gst_harness_set_sink_caps(harness_, pick(random_, 3) ? cameraFilter(random_)
								     : randomFilter(random_));
	gst_caps_unref(caps);
}

void FuzzSubject::askCaps()
{
	GstPad *pad = hasSink_ ? harness_->srcpad : harness_->sinkpad;
	GstCaps *filter = pick(random_, 3) ? randomFilter(random_) : nullptr;
	GstCaps *answer = gst_pad_peer_query_caps(pad, filter);
	GstCaps *fixed = randomCaps(random_);

	gst_pad_peer_query_accept_caps(pad, fixed);
	gst_caps_unref(fixed);
	gst_clear_caps(&answer);
	gst_clear_caps(&filter);
}

/* What upstream does with a pool: configure, start, fill, send. */
void FuzzSubject::useOffer(GstQuery *query, GstCaps *caps)
{
	GstBufferPool *pool = nullptr;
	guint size = 0, minimum = 0, maximum = 0;

	if (gst_query_get_n_allocation_pools(query) == 0)
		return;
	gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &minimum, &maximum);
	if (!pool || size > largestFrame) {
		gst_clear_object(&pool);
		return;
	}
	GstStructure *config = gst_buffer_pool_get_config(pool);
	gst_buffer_pool_config_set_params(config, caps, size + pick(random_, 3) * 4096,
					  pick(random_, minimum + 1), 0);
	if (pick(random_, 2))
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	if (pick(random_, 4) == 0) {
		GstVideoAlignment alignment;
		gst_video_alignment_reset(&alignment);
		alignment.padding_bottom = pick(random_, 32);
		alignment.padding_left = pick(random_, 32);
		for (guint &plane : alignment.stride_align)
			plane = (1U << pick(random_, 10)) - 1;
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
		gst_buffer_pool_config_set_video_alignment(config, &alignment);
	}
	if (!gst_buffer_pool_set_config(pool, config) || !gst_buffer_pool_set_active(pool, TRUE)) {
		gst_object_unref(pool);
		return;
	}
	for (unsigned i = pick(random_, 4); i > 0; i--) {
		GstBufferPoolAcquireParams now = {};
		now.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
		GstBuffer *buffer = nullptr;
		if (gst_buffer_pool_acquire_buffer(pool, &buffer, &now) != GST_FLOW_OK)
			break;
		GstMapInfo map;
		if (pick(random_, 3) == 0 && gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
			/* A pool of others may have been told that frames have no bytes. */
			if (map.size > 0)
				map.data[pick(random_, guint(map.size))] = 1;
			gst_buffer_unmap(buffer, &map);
		}
		if (pick(random_, 4))
			push(buffer);
		else
			gst_buffer_unref(buffer);
	}
	gst_buffer_pool_set_active(pool, FALSE);
	gst_object_unref(pool);
}

void FuzzSubject::askAllocation()
{
	/* Mostly for what flows; a reply for other caps is asked for before they are sent. */
	GstCaps *caps = pick(random_, 3) ? gst_caps_ref(caps_) : randomCaps(random_);
	GstQuery *query =
		gst_query_new_allocation(pick(random_, 50) ? caps : nullptr, pick(random_, 4) != 0);

	if (gst_pad_peer_query(harness_->srcpad, query) && gst_caps_is_equal(caps, caps_))
		useOffer(query, caps);
	gst_query_unref(query);
	gst_caps_unref(caps);
}

void FuzzSubject::push(GstBuffer *buffer)
{
	if (wouldBlock()) {
		if (pusher_.joinable()) {
			gst_buffer_unref(buffer);
			return;
		}
		pusher_ = std::thread([this, buffer] { gst_harness_push(harness_, buffer); });
		static constexpr std::array ways = {GST_STATE_PLAYING, GST_STATE_READY,
						    GST_STATE_NULL};
		/* A state that cannot be reached leaves the one before, which must not be paused.
		 */
		if (gst_element_set_state(element_, ways[pick(random_, ways.size())]) ==
		    GST_STATE_CHANGE_FAILURE)
			gst_element_set_state(element_, GST_STATE_NULL);
		settle();
		return;
	}
	if (gst_harness_push(harness_, buffer) == GST_FLOW_OK)
		done_["buffers accepted"]++;
	settle();
}

/* A source has a thread of its own, which is to get as far as its first frames now and then. */
void FuzzSubject::waitForBuffer()
{
	if (GST_STATE(element_) != GST_STATE_PLAYING || pick(random_, 4))
		return;
	g_usleep(G_USEC_PER_SEC / 10);
	while (GstBuffer *buffer = gst_harness_try_pull(harness_)) {
		gst_buffer_unref(buffer);
		done_["buffers received"]++;
	}
}

/* A sink that does not play keeps whoever sends it a buffer, the end, or a gap: that is preroll. */
bool FuzzSubject::wouldBlock() const
{
	return !hasSrc_ && GST_STATE(element_) != GST_STATE_PLAYING;
}

void FuzzSubject::sendEvent()
{
	GstSegment segment;
	unsigned which = pick(random_, 8);

	if ((which == 1 || which == 3) && wouldBlock())
		which = 0;
	switch (which) {
	case 0:
		gst_harness_push_event(harness_, gst_event_new_flush_start());
		settle();
		gst_harness_push_event(harness_, gst_event_new_flush_stop(pick(random_, 2)));
		begin();
		break;
	case 1:
		gst_harness_push_event(harness_, gst_event_new_eos());
		gst_harness_push_event(harness_, gst_event_new_flush_start());
		gst_harness_push_event(harness_, gst_event_new_flush_stop(TRUE));
		begin();
		break;
	case 2:
		gst_segment_init(&segment, pick(random_, 4) ? GST_FORMAT_TIME : GST_FORMAT_BYTES);
		segment.rate = pick(random_, 4) ? 1.0 : -2.0;
		segment.start = pick(random_, 1000);
		gst_harness_push_event(harness_, gst_event_new_segment(&segment));
		break;
	case 3:
		gst_harness_push_event(harness_,
				       gst_event_new_gap(random_() % GST_SECOND, GST_SECOND / 30));
		break;
	case 4: {
		static constexpr std::array turns = {"rotate-0", "rotate-90", "flip-rotate-180",
						     "nonsense"};
		gst_harness_push_event(harness_,
				       gst_event_new_tag(gst_tag_list_new(
					       GST_TAG_IMAGE_ORIENTATION,
					       turns[pick(random_, turns.size())], nullptr)));
		break;
	}
	case 5:
		gst_harness_push_event(harness_,
				       gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
							    gst_structure_new_empty("fuzz")));
		break;
	case 6:
		gst_harness_push_event(harness_, gst_event_new_stream_start("another"));
		break;
	default:
		begin();
	}
}

void FuzzSubject::ask()
{
	const std::array queries = {
		gst_query_new_latency(),
		gst_query_new_position(GST_FORMAT_TIME),
		gst_query_new_duration(GST_FORMAT_BYTES),
		gst_query_new_seeking(GST_FORMAT_TIME),
		gst_query_new_segment(GST_FORMAT_TIME),
		gst_query_new_drain(),
		gst_query_new_uri(),
		gst_query_new_formats(),
		gst_query_new_context("gst.gl.GLDisplay"),
		gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("fuzz"))};
	const unsigned which = pick(random_, queries.size());

	const bool downstream = GST_QUERY_TYPE(queries[which]) == GST_QUERY_DRAIN;
	if (downstream && (!hasSink_ || wouldBlock()))
		; /* it goes with the stream */
	else if (!downstream && pick(random_, 2))
		gst_element_query(element_, queries[which]);
	else
		gst_pad_peer_query(hasSink_ ? harness_->srcpad : harness_->sinkpad, queries[which]);
	for (GstQuery *query : queries)
		gst_query_unref(query);
	/* Anybody may read properties at any time. */
	for (const char *name : {"stats", "plan"}) {
		GstStructure *structure = nullptr;
		if (g_object_class_find_property(G_OBJECT_GET_CLASS(element_), name))
			g_object_get(element_, name, &structure, nullptr);
		g_clear_pointer(&structure, gst_structure_free);
	}
}

/* From behind the element. */
void FuzzSubject::goUpstream()
{
	switch (hasSrc_ ? pick(random_, 4) : 4) {
	case 0:
		gst_harness_push_upstream_event(harness_, gst_event_new_reconfigure());
		break;
	case 1:
		gst_harness_push_upstream_event(harness_,
						gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.1, 1000,
								  random_() % GST_SECOND));
		break;
	case 2:
		gst_harness_push_upstream_event(harness_, gst_event_new_latency(GST_SECOND / 60));
		break;
	case 3:
		gst_harness_push_upstream_event(
			harness_, gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
						     GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0));
		break;
	default:
		gst_element_send_event(element_, gst_event_new_latency(GST_SECOND / 60));
	}
}

void FuzzSubject::step(const std::function<void(const char *)> &before)
{
	using Action = void (FuzzSubject::*)();
	struct Choice {
		const char *name;
		Action action;
		unsigned weight;
		bool needsSink;
	};
	static constexpr std::array choices = {
		Choice{"state", &FuzzSubject::changeState, 8, false},
		Choice{"property", &FuzzSubject::setProperty, 4, false},
		Choice{"caps", &FuzzSubject::sendCaps, 14, false},
		Choice{"caps query", &FuzzSubject::askCaps, 10, false},
		Choice{"allocation query", &FuzzSubject::askAllocation, 24, true},
		Choice{"event", &FuzzSubject::sendEvent, 8, true},
		Choice{"query", &FuzzSubject::ask, 8, false},
		Choice{"upstream event", &FuzzSubject::goUpstream, 5, false},
	};
	unsigned all = 20; /* a buffer */
	for (const Choice &choice : choices)
		all += choice.weight;
	unsigned left = pick(random_, all);

	for (const Choice &choice : choices) {
		if (left >= choice.weight) {
			left -= choice.weight;
			continue;
		}
		if (choice.needsSink && !hasSink_)
			break;
		before(choice.name);
		(this->*choice.action)();
		settle();
		done_[choice.name]++;
		return;
	}
	before("buffer");
	if (hasSink_)
		push(randomBuffer(random_, caps_));
	else
		waitForBuffer();
	settle();
	done_["buffer"]++;
}

} /* namespace heapflow::test */
