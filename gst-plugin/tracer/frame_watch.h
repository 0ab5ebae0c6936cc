/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Follows every buffer of the process through its elements, and enters it into the copy ledger. */
#pragma once

#include "copy_ledger.h"
#include "memory_watch.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief A touch and who it was; the element is borrowed, and nullptr when it is gone */
struct ElementTouch {
	Touch touch;
	GstElement *element;
};

/** \brief Told of touches, in a streaming thread where messages may be posted */
class TouchListener
{
public:
	/** \param[in] touches In order; what belongs to one frame comes together */
	virtual void touched(std::span<const ElementTouch> touches) = 0;

	virtual ~TouchListener() = default;
};

/** \brief A pipeline has gone from PAUSED to READY, or its camera has no buffer left */
enum class ReportReason { Ended, Starved };

/**
 * \brief One for the process: GStreamer's hooks are for all pipelines, and there to stay
 *
 * Until start() nothing is hooked and nothing costs. After the last stop() the hooks remain, as
 * GStreamer cannot take one out, and return at once.
 *
 * Which element runs is known from the pads: gst_pad_chain() and gst_pad_get_range() enter an
 * element in their thread, the owner of a pad's task runs in the task's thread. A map in a thread
 * of no pad is of the element that received the frame last.
 */
class FrameWatch final : public MemoryListener
{
public:
	static FrameWatch &instance();

	/**
	 * \brief Watch until stop(); hooks on, if it is the first time
	 *
	 * GStreamer's table of hooks has no lock: in a process that plays a pipeline already and
	 * has no tracer, the first call races with that pipeline's threads for some microseconds.
	 *
	 * \param[in] tracer Is kept with a hook, until gst_deinit(); nullptr: one of our own
	 */
	void start(GstTracer *tracer);
	void stop();
	bool isActive() const { return users_.load(std::memory_order_relaxed) > 0; }

	CopyLedger &ledger() { return ledger_; }
	/** \brief The ledger's number of the pipeline that an element is in */
	ElementId pipelineOf(GstElement *element);
	/** \brief What elements tell of themselves: counts of heapkmssink's stats */
	void addNotes(FlowReport &report);

	void addListener(std::shared_ptr<TouchListener> listener);
	/** \brief It may be called once more, by a thread that is at it */
	void removeListener(const TouchListener *listener);

	/** \brief Called when there is something to say of a pipeline, in any thread */
	void setReportHandler(std::function<void(ElementId pipeline, ReportReason)> handler);

	void memoryMapped(GstMemory *memory, GstMapFlags flags) override;
	void memoryCopied(GstMemory *from, GstMemory *to) override;

private:
	FrameWatch();

	struct Hooks;
	struct PadFacts;
	struct Activation;
	struct Thread;

	static Thread &thread();
	void registerHooks(GstTracer *tracer);
	PadFacts *factsOf(GstPad *pad);
	ElementId elementIdOf(GstElement *element);
	ElementId pipelineAround(GstElement *element);
	GstElement *elementFor(ElementId id);
	void followCaps(GstPad *pad, PadFacts &facts);
	void look(GstMemory *memory);
	std::vector<FrameMemory> memoriesOf(GstBuffer *buffer);
	void pushBegins(GstPad *pad);
	void push(GstPad *pad, GstBuffer *buffer);
	void pushEnds();
	void enter(GstPad *pad);
	void receive(GstPad *pad, GstBuffer *buffer);
	void leave(GstPad *pad);
	void followTask(GstMessage *message);
	void report(GstElement *element, ReportReason reason);
	void queueTouch(const Touch &touch);
	void deliver();

	CopyLedger ledger_;
	std::atomic<unsigned> users_ = 0;
	std::mutex factsMutex_; /* held while a pad gets its facts */
	std::mutex mutex_;      /* guards what follows */
	bool hooked_ = false;
	std::vector<std::unique_ptr<GWeakRef>> elements_; /* by number */
	std::function<void(ElementId, ReportReason)> reportHandler_;
	std::vector<Touch> touches_; /* of threads of nobody */
	std::atomic<bool> touchesWait_ = false;
	std::vector<std::shared_ptr<TouchListener>> listeners_;
};

} /* namespace heapflow::gst */
