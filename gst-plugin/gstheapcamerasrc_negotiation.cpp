/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc: which format each pad gets, and where its buffers come from. */
#include "gstheapcamerasrc_private.h"

#include "gstheapcameracaps.h"
#include "gstheapcameraplan.h"
#include "gstheaperror.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::CaptureConfiguration;
using heapflow::CaptureRequest;
using heapflow::Error;
using heapflow::Result;
using heapflow::gst::CameraPad;
using heapflow::gst::CameraSession;
using heapflow::gst::CameraSource;
using heapflow::gst::Caps;
using heapflow::gst::DisplayTerms;
using heapflow::gst::FramePlan;
using heapflow::gst::StreamMemory;

namespace
{

/* One being filled and one to be filled next, besides those that downstream holds. */
constexpr unsigned cameraBuffers = 2;

/* A pad that takes part, with what it can and what it gets. */
struct Candidate {
	GstHeapCameraPad *pad = nullptr;
	Caps allowed;
	Caps chosen;
	Caps settled;
	FramePlan plan;
};

struct QueryUnref {
	void operator()(GstQuery *query) const { gst_query_unref(query); }
};
using Query = std::unique_ptr<GstQuery, QueryUnref>;

/* What one pad's downstream wants of buffers. */
struct Demand {
	unsigned held = 0; /* buffers that it keeps at a time */
	bool videoMeta = false;
	heapflow::gst::PeerOffer peer;
	DisplayTerms display; /* that scans the buffers out, if one says so */
};

} /* namespace */

GstCaps *gst_heap_camera_src_get_caps(GstBaseSrc *base, GstCaps *filter)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	const auto session = gst_heap_camera_src_session(self);
	GstCaps *caps = nullptr;
	if (session) {
		const CameraPad &state =
			gst_heap_camera_pad_state(GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(base)));
		const auto formats = filter ? heapflow::gst::formatsIn(filter) : std::nullopt;
		const auto modes = session->modes(state.role, formats);
		if (modes)
			caps = heapflow::gst::capsFromModes(*modes);
		else
			GST_WARNING_OBJECT(self, "%s", modes.error().text().c_str());
	}
	/* Also of a camera that cannot be asked now: it says so when it is to play. */
	if (!caps)
		caps = gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
	if (!filter)
		return caps;

	GstCaps *both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
	gst_caps_unref(caps);
	return both;
}

/* What the displays behind a pad say of a format. */
static std::vector<DisplayTerms> gst_heap_camera_src_ask_displays(GstHeapCameraPad *pad,
								  const CaptureRequest &request)
{
	const Query query(heapflow::gst::newPlanQuery(
		{request.fourcc, request.modifier, request.width, request.height}));

	gst_pad_peer_query(GST_PAD_CAST(pad), query.get());
	return heapflow::gst::displayTerms(query.get());
}

/* A V4L2 camera can be asked what memory it takes only while it has no buffers. */
static void gst_heap_camera_src_ask_for_memory(GstHeapCameraSrc *self, CameraSession &session,
					       const std::vector<DisplayTerms> &displays)
{
	std::vector<std::string> nodes;
	for (const DisplayTerms &display : displays)
		nodes.push_back(display.device);
	std::string heap;
	{
		std::lock_guard lock(self->source->mutex);
		heap = self->source->heap;
	}
	/* An expression that cannot be met is an error later, when the heap is needed. */
	(void)heapflow::gst::chooseCameraHeap(heap, session.info(), {}, nodes);
}

/*
 * The first of the formats that the displays can show as they come. When there is none it is still
 * the first that is taken: an element in between may make other frames of them. Where none does,
 * decide_allocation() has the clash in numbers.
 */
static void gst_heap_camera_src_plan(GstHeapCameraSrc *self, CameraSession &session,
				     Candidate &candidate)
{
	GstCaps *allowed = candidate.allowed.get();
	bool asked = false;

	for (const guint number : heapflow::gst::rankCameraCaps(allowed)) {
		Caps one(heapflow::gst::fixateCameraStructure(allowed, number));
		const auto request = heapflow::gst::requestFromCaps(one.get(), 0);
		/* Whoever cannot read it says so when it is chosen. */
		if (!request)
			continue;
		const auto displays = gst_heap_camera_src_ask_displays(candidate.pad, *request);
		if (!std::exchange(asked, true))
			gst_heap_camera_src_ask_for_memory(self, session, displays);
		const auto plan = heapflow::gst::planFrames(session.info().id, *request, displays);
		if (plan) {
			candidate.plan = *plan;
			candidate.chosen = std::move(one);
			return;
		}
		GST_INFO_OBJECT(candidate.pad, "not %" GST_PTR_FORMAT ": %s",
				static_cast<void *>(one.get()), plan.error().message.c_str());
	}
	candidate.chosen.reset(heapflow::gst::fixateCameraCaps(gst_caps_ref(allowed)));
}

static void gst_heap_camera_src_post_no_format(GstHeapCameraSrc *self, CameraSession &session,
					       GstHeapCameraPad *pad)
{
	const auto modes = session.modes(gst_heap_camera_pad_state(pad).role);
	if (modes && modes->empty()) {
		const Error none{EINVAL,
				 heapflow::gst::formatted(_("%s has no format that heapflow knows"),
							  session.info().id.c_str())};
		HEAPFLOW_ELEMENT_ERROR(self, none);
		return;
	}
	if (!modes) {
		if (!gst_heap_camera_src_put_away(self, modes.error()))
			HEAPFLOW_ELEMENT_ERROR(self, modes.error());
		return;
	}
	const std::string offered = heapflow::gst::summaryOfModes(*modes);
	GST_ELEMENT_ERROR(
		self, CORE, NEGOTIATION,
		(_("The camera %s has no format that the downstream of its pad %s takes."),
		 session.info().id.c_str(), GST_OBJECT_NAME(pad)),
		("the camera has %s", offered.c_str()));
}

static bool gst_heap_camera_src_choose(GstHeapCameraSrc *self, CameraSession &session,
				       Candidate &candidate)
{
	const CameraPad &state = gst_heap_camera_pad_state(candidate.pad);
	/* What nobody takes need not be asked for: of all, a grabber has thousands. */
	const Caps taken(gst_pad_peer_query_caps(GST_PAD_CAST(candidate.pad), nullptr));
	const auto modes = session.modes(state.role, heapflow::gst::formatsIn(taken.get()));
	if (!modes) {
		if (!gst_heap_camera_src_put_away(self, modes.error()))
			HEAPFLOW_ELEMENT_ERROR(self, modes.error());
		return false;
	}
	const Caps own(heapflow::gst::capsFromModes(*modes));
	candidate.allowed.reset(gst_pad_peer_query_caps(GST_PAD_CAST(candidate.pad), own.get()));

	if (gst_caps_is_empty(candidate.allowed.get())) {
		gst_heap_camera_src_post_no_format(self, session, candidate.pad);
		return false;
	}
	gst_heap_camera_src_plan(self, session, candidate);
	GST_DEBUG_OBJECT(candidate.pad, "chose %" GST_PTR_FORMAT,
			 static_cast<void *>(candidate.chosen.get()));
	return true;
}

/* The caps that the pipeline gets, from what the camera made of what was chosen. */
static bool gst_heap_camera_src_settle(GstHeapCameraSrc *self, const CaptureConfiguration &got,
				       Candidate &candidate)
{
	candidate.settled.reset(heapflow::gst::capsFromConfiguration(candidate.chosen.get(), got));
	if (gst_caps_can_intersect(candidate.settled.get(), candidate.allowed.get()))
		return true;
	g_autofree char *caps = gst_caps_to_string(candidate.settled.get());
	g_autofree char *wanted = gst_caps_to_string(candidate.chosen.get());
	GST_ELEMENT_ERROR(
		self, CORE, NEGOTIATION,
		(_("The camera changes the format to %s, which downstream does not take."),
		 heapflow::describe(got.layout).c_str()),
		("asked for %s, got %s", wanted, caps));
	return false;
}

static bool gst_heap_camera_src_configure(GstHeapCameraSrc *self, CameraSession &session,
					  std::vector<Candidate> &candidates)
{
	unsigned bufferCount;
	heapflow::Result<heapflow::SensorRequest> sensor;
	{
		std::lock_guard lock(self->source->mutex);
		bufferCount = self->source->bufferCount;
		sensor = self->source->sensor;
	}
	if (!sensor) {
		HEAPFLOW_ELEMENT_ERROR(self, sensor.error());
		return false;
	}
	std::vector<CaptureRequest> requests;
	for (const Candidate &candidate : candidates) {
		auto request = heapflow::gst::requestFromCaps(candidate.chosen.get(), bufferCount);
		if (!request) {
			GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
					  ("%s", request.error().message.c_str()),
					  ("%s", request.error().text().c_str()));
			return false;
		}
		request->role = gst_heap_camera_pad_state(candidate.pad).role;
		request->stride = candidate.plan.stride;
		if (!bufferCount)
			request->bufferCount = candidate.plan.buffers;
		requests.push_back(*request);
	}
	if (auto configured = session.configure(requests, *sensor); !configured) {
		if (!gst_heap_camera_src_put_away(self, configured.error()))
			HEAPFLOW_ELEMENT_ERROR(self, configured.error());
		return false;
	}
	if (auto applied = gst_heap_camera_src_apply_controls(self); !applied) {
		HEAPFLOW_ELEMENT_ERROR(self, applied.error());
		return false;
	}
	for (unsigned i = 0; i < candidates.size(); i++)
		if (!gst_heap_camera_src_settle(self, session.configuration(i), candidates[i]))
			return false;
	return true;
}

/* The events that GstBaseSrc sends for the leading pad. */
static void gst_heap_camera_src_begin_pad(GstHeapCameraSrc *self, const Candidate &candidate)
{
	GstPad *pad = GST_PAD_CAST(candidate.pad);
	GstPad *leader = GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self));

	if (GstEvent *known = gst_pad_get_sticky_event(pad, GST_EVENT_STREAM_START, 0)) {
		gst_event_unref(known);
	} else {
		g_autofree char *id =
			gst_pad_create_stream_id(pad, GST_ELEMENT_CAST(self), GST_OBJECT_NAME(pad));
		GstEvent *start = gst_event_new_stream_start(id);
		guint group = 0;
		if (GstEvent *first = gst_pad_get_sticky_event(leader, GST_EVENT_STREAM_START, 0)) {
			if (gst_event_parse_group_id(first, &group))
				gst_event_set_group_id(start, group);
			gst_event_unref(first);
		}
		gst_pad_push_event(pad, start);
	}
	gst_pad_push_event(pad, gst_event_new_caps(candidate.settled.get()));
	GstSegment segment;
	gst_segment_init(&segment, GST_FORMAT_TIME);
	gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

/*
 * Not the default: the camera is asked before the caps are settled, because colorimetry and rate
 * are known only afterwards.
 */
gboolean gst_heap_camera_src_negotiate(GstBaseSrc *base)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	CameraSource &source = *self->source;

	gst_heap_camera_src_begin_stream(self, false);
	gst_heap_camera_src_stop_others(self);
	const auto session = gst_heap_camera_src_session(self);
	/* Waited for by create(), which may be interrupted; it negotiates then. */
	if (!session)
		return TRUE;

	session->refreshModes();
	std::vector<Candidate> candidates(1);
	candidates[0].pad = GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(base));
	source.others = gst_heap_camera_src_linked_pads(self);
	for (GstHeapCameraPad *pad : source.others)
		candidates.emplace_back().pad = pad;
	unsigned number = 0;
	for (Candidate &candidate : candidates) {
		CameraPad &state = gst_heap_camera_pad_state(candidate.pad);
		state.stream = number++;
		state.configured = false;
		if (!gst_heap_camera_src_choose(self, *session, candidate))
			return !gst_heap_camera_src_session(self);
	}
	if (!gst_heap_camera_src_configure(self, *session, candidates))
		return !gst_heap_camera_src_session(self);
	for (Candidate &candidate : candidates) {
		CameraPad &state = gst_heap_camera_pad_state(candidate.pad);
		state.configured = true;
		state.caps.reset(gst_caps_ref(candidate.settled.get()));
		if (candidate.pad != candidates.front().pad)
			gst_heap_camera_src_begin_pad(self, candidate);
	}
	return gst_base_src_set_caps(base, candidates.front().settled.get());
}

static Demand gst_heap_camera_src_read_demand(GstQuery *query)
{
	Demand demand;
	const guint pools = gst_query_get_n_allocation_pools(query);

	for (guint i = 0; i < pools; i++) {
		GstBufferPool *pool = nullptr;
		guint minimum = 0;
		gst_query_parse_nth_allocation_pool(query, i, &pool, nullptr, &minimum, nullptr);
		demand.held = std::max(demand.held, minimum);
		if (!demand.peer.pool)
			demand.peer.pool = pool;
		/* The query keeps it alive. */
		if (pool)
			gst_object_unref(pool);
	}
	if (gst_query_get_n_allocation_params(query) > 0) {
		gst_query_parse_nth_allocation_param(query, 0, &demand.peer.allocator,
						     &demand.peer.parameters);
		if (demand.peer.allocator)
			gst_object_unref(demand.peer.allocator);
	}
	demand.videoMeta = gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
	demand.display = heapflow::gst::scanoutOf(query);
	return demand;
}

/*
 * Unless the user said how many: what downstream holds at a time and what the camera works on.
 * Fewer and the camera starves. libcamera's pipeline handlers may insist on a number of their own.
 */
static bool gst_heap_camera_src_ask_for_buffers(GstHeapCameraSrc *self, CameraSession &session,
						const std::vector<Demand> &demands)
{
	unsigned asked;
	{
		std::lock_guard lock(self->source->mutex);
		asked = self->source->bufferCount;
	}
	std::vector<CaptureRequest> requests = session.requests();
	bool more = false;
	for (unsigned i = 0; i < requests.size(); i++) {
		const unsigned has = session.configuration(i).bufferCount;
		if (asked && asked != has)
			GST_ELEMENT_INFO(
				self, RESOURCE, SETTINGS,
				(_("The camera takes %u buffers, not %u as asked."), has, asked),
				(nullptr));
		const unsigned wanted = demands[i].held + cameraBuffers;
		if (asked || has >= wanted)
			continue;
		requests[i].bufferCount = wanted;
		more = true;
	}
	if (!more)
		return true;

	std::vector<heapflow::FrameLayout> before;
	for (unsigned i = 0; i < requests.size(); i++)
		before.push_back(session.configuration(i).layout);
	if (auto configured = session.configure(requests, session.sensor()); !configured) {
		HEAPFLOW_ELEMENT_ERROR(self, configured.error());
		return false;
	}
	for (unsigned i = 0; i < requests.size(); i++) {
		if (session.configuration(i).layout == before[i])
			continue;
		GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
				  (_("The camera changes its format with the number of buffers.")),
				  ("set the property buffers"));
		return false;
	}
	return true;
}

static bool gst_heap_camera_src_check_padding(GstHeapCameraSrc *self, GstCaps *caps,
					      const heapflow::FrameLayout &layout,
					      const Demand &demand)
{
	if (!heapflow::isPicture(layout.fourcc, layout.modifier) ||
	    gst_video_is_dma_drm_caps(caps) || heapflow::gst::isDefaultLayout(layout) ||
	    demand.videoMeta)
		return true;
	GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
			  (_("The camera's lines are padded (%s) and downstream does not support "
			     "GstVideoMeta, which would tell it."),
			   heapflow::describe(layout).c_str()),
			  ("a copy would be needed, and heapcamerasrc makes none"));
	return false;
}

/* What the display cannot show is better said now than with the first frame. */
static bool gst_heap_camera_src_check_display(GstHeapCameraSrc *self, CameraSession &session,
					      unsigned stream, const DisplayTerms &display)
{
	if (display.name.empty())
		return true;
	const auto shown = heapflow::gst::checkScanout(
		session.info().id, session.configuration(stream).layout, display);
	if (shown)
		return true;
	GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("%s", shown.error().message.c_str()),
			  ("%s", shown.error().text().c_str()));
	return false;
}

/* Timing that follows from the format: durations, and the latency until one is measured. */
static void gst_heap_camera_src_settle_timing(GstHeapCameraSrc *self, CameraSession &session,
					      const std::vector<GstHeapCameraPad *> &pads)
{
	CameraSource &source = *self->source;

	for (GstHeapCameraPad *pad : pads) {
		CameraPad &state = gst_heap_camera_pad_state(pad);
		state.stamper.restart(session.configuration(state.stream).rate);
		state.tagPending = true;
		state.starving = false;
	}
	const GstClockTime duration = gst_heap_camera_pad_state(pads.front()).stamper.duration();
	std::lock_guard lock(source.mutex);
	source.latency.restart(GST_CLOCK_TIME_IS_VALID(duration) ? duration : GST_SECOND / 30,
			       session.configuration().bufferCount);
}

static void gst_heap_camera_src_give_plan(GstHeapCameraSrc *self, unsigned stream,
					  const GstStructure *plan)
{
	if (stream == 0) {
		gst_heap_camera_pad_set_plan(
			GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self))), plan);
		g_object_notify(G_OBJECT(self), "plan");
	}
	for (GstHeapCameraPad *pad : self->source->others)
		if (gst_heap_camera_pad_state(pad).stream == stream)
			gst_heap_camera_pad_set_plan(pad, plan);
}

void gst_heap_camera_src_publish_plan(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	const auto session = gst_heap_camera_src_session(self);
	{
		std::lock_guard lock(source.mutex);
		source.heapBytes = session->heapBytes();
	}
	for (unsigned stream = 0; stream < session->streams(); stream++) {
		GstStructure *plan = session->plan(stream);
		GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<void *>(plan));
		gst_heap_camera_src_give_plan(self, stream, plan);
		gst_element_post_message(GST_ELEMENT_CAST(self),
					 gst_message_new_element(GST_OBJECT_CAST(self), plan));
	}
}

/*
 * For all pads at once, as a camera is configured as a whole. Returning no pool tells GstBaseSrc
 * that there is none for it to run.
 */
gboolean gst_heap_camera_src_decide_allocation(GstBaseSrc *base, GstQuery *query)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	CameraSource &source = *self->source;
	const auto session = gst_heap_camera_src_session(self);
	if (!session)
		return TRUE;

	std::vector<GstHeapCameraPad *> pads = {GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(base))};
	pads.insert(pads.end(), source.others.begin(), source.others.end());
	std::vector<Query> queries;
	std::vector<Demand> demands;
	std::vector<GstCaps *> caps;
	for (GstHeapCameraPad *pad : pads) {
		if (pad == pads.front()) {
			GstCaps *asked = nullptr;
			gst_query_parse_allocation(query, &asked, nullptr);
			caps.push_back(asked);
			demands.push_back(gst_heap_camera_src_read_demand(query));
			continue;
		}
		/* Not the pad's own: it may have been released meanwhile, and have none. */
		caps.push_back(gst_heap_camera_pad_state(pad).caps.get());
		queries.emplace_back(gst_query_new_allocation(caps.back(), TRUE));
		gst_pad_peer_query(GST_PAD_CAST(pad), queries.back().get());
		demands.push_back(gst_heap_camera_src_read_demand(queries.back().get()));
	}
	if (!gst_heap_camera_src_ask_for_buffers(self, *session, demands))
		return FALSE;

	std::vector<StreamMemory> memory(pads.size());
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(self));
	for (unsigned i = 0; i < pads.size(); i++) {
		if (!gst_heap_camera_src_check_padding(
			    self, caps[i], session->configuration(i).layout, demands[i]) ||
		    !gst_heap_camera_src_check_display(self, *session, i, demands[i].display))
			return FALSE;
		std::lock_guard lock(source.mutex);
		memory[i] = {source.bufferMode,  source.heap,    source.heapGiven, name,
			     demands[i].display, demands[i].peer};
	}
	auto notes = session->prepare(memory, caps);
	while (gst_query_get_n_allocation_pools(query) > 0)
		gst_query_remove_nth_allocation_pool(query, 0);
	if (!notes) {
		if (gst_heap_camera_src_put_away(self, notes.error()))
			return TRUE;
		HEAPFLOW_ELEMENT_ERROR(self, notes.error());
		return FALSE;
	}
	gst_heap_camera_src_warn(self, *notes);
	gst_heap_camera_src_settle_timing(self, *session, pads);
	gst_heap_camera_src_publish_plan(self);
	return TRUE;
}
