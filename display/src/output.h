/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connector with its CRTC, and the layers that this process shows on it. */
#pragma once

#include "atomic_request.h"
#include "display_device.h"
#include "framebuffer_cache.h"
#include "mode_choice.h"
#include "output_layer.h"
#include "property_blob.h"
#include "saved_state.h"
#include "vblank_clock.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace heapflow
{

/**
 * \brief A CRTC: mode, layers, one commit for each vblank
 *
 * While no flip is pending a frame is committed by the thread that brings it. While one is, the
 * frame waits in its layer, and who reads of the flip commits what waits: all layers together. That
 * is the device's thread, or a thread that brings frames (FlipDelivery::OnRequest). Where all
 * layers deliver flips so, a frame waits for those of the other layers, too, as long as no vblank
 * is missed: who brings the last one commits them all. The device's thread has a timer for frames
 * whose time has not come, for commits that were refused with EBUSY, for flips that do not come,
 * and for the return of the display.
 *
 * Threads: any; one mutex. Handlers are called without it, by one thread at a time: the device's,
 * or one that calls deliverFlips().
 * What is said below to need the lock is called with it held.
 *
 * Where what is: output.cpp frames, output_plan.cpp the choice of mode and planes,
 * output_gathering.cpp when commits wait for other layers, output_catching_up.cpp when they wait
 * for a newer frame, output_commit.cpp commits, output_waiting.cpp who waits for them,
 * output_events.cpp flips, timer, hotplug, masters.
 */
class Output
{
public:
	Output(std::shared_ptr<DisplayDevice> device, const Topology &topology,
	       const ConnectorInfo &connector, const CrtcInfo &crtc, SavedState saved);
	~Output();

	/** \brief 0 while there is no such connector */
	uint32_t connectorId() const { return connectorId_; }
	/** \brief What the connector is called that it waits for */
	const std::string &wantedConnector() const { return wantedConnector_; }
	const std::string &device() const { return device_->kms().path; }
	bool hasPlane(uint32_t id) const;
	std::string listPlanes() const;

	/** \brief The layer belongs to the output, which forgets it in removeLayer() */
	OutputLayer *addLayer(const ScreenOptions &options);
	void removeLayer(OutputLayer *layer);

	std::vector<ScanoutFormat> formats(const OutputLayer *layer) const;
	DisplayMode mode() const;
	std::vector<DisplayMode> modes() const;
	SizeLimits limits() const { return device_->kms().limits; }
	std::optional<ScanoutPlan> plan(const OutputLayer *layer) const;
	ScreenCounts counts() const;
	ScreenStatistics statistics(const OutputLayer *layer) const;

	void setOptions(OutputLayer *layer, const LayerOptions &options);
	void setFlipHandler(OutputLayer *layer, Screen::FlipHandler handler);
	void setFlipDelivery(OutputLayer *layer, FlipDelivery delivery);
	void deliverFlips(OutputLayer *layer, std::chrono::milliseconds patience,
			  std::optional<int64_t> now);
	void setNoticeHandler(OutputLayer *layer, Screen::NoticeHandler handler);
	void setFenceHandler(OutputLayer *layer, Screen::FenceHandler handler);

	Result<ScanoutPlan> configure(OutputLayer *layer, const FrameLayout &layout,
				      std::span<const int> sample);
	Result<void> show(OutputLayer *layer, const Frame &frame);
	Result<void> drain(OutputLayer *layer, std::chrono::milliseconds timeout);
	Result<void> hide(OutputLayer *layer);
	void forget(const BufferIdentity &buffer);
	Result<Image> screenshot();
	Result<uint32_t> pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
					const std::function<Result<Buffer>(uint64_t)> &allocate);

	/* By the thread that reads events. */
	void flipped(const RawFlip &flip);

	/* By the device's thread. */
	void timer();
	void deliver();
	void hotplug();
	void seatChanged(bool active);
	void loopFailed(const Error &error);

private:
	using Lock = std::unique_lock<std::mutex>;

	/* A vblank is 8 to 42 ms; a flip that is not there after this is lost. */
	static constexpr std::chrono::milliseconds flipTimeout{1000};

	/* How the CRTC, the connector and the planes are now, whoever set them. */
	struct Current {
		bool routed = false;
		bool active = false;
		std::optional<drmModeModeInfo> mode;
		std::vector<std::pair<uint32_t, uint32_t>> lit; /* plane, framebuffer */
	};
	/* What is tried: a mode for all and a setting for each layer that has one. */
	struct Proposal {
		drmModeModeInfo mode = {};
		std::vector<std::pair<OutputLayer *, LayerSetting>> layers;
	};
	/* A frame of a layer that has none yet, to test with. */
	struct Sample {
		const OutputLayer *layer = nullptr;
		uint32_t framebuffer = 0;
		int64_t now = 0; /* frames that wait and are due by then are shown, ns */
	};
	struct Delivery {
		OutputLayer *layer;
		FlipEvent event;
	};
	struct Message {
		OutputLayer *layer;
		ScreenNotice notice;
	};

	/*
	 * No commit is made while there is one: for what needs the CRTC to stand still although
	 * other layers bring frames. Made and ended with the lock held.
	 */
	class Hold
	{
	public:
		explicit Hold(Output &output) : output_(output) { output_.holds_++; }
		~Hold() { output_.endHold(); }
		Hold(const Hold &) = delete;
		Hold &operator=(const Hold &) = delete;

	private:
		Output &output_;
	};

	int drm() const { return device_->fd(); }

	/* output_plan.cpp; need the lock */
	Result<Current> readCurrent() const;
	Result<void> checkFormat(const OutputLayer &layer) const;
	Result<void> settle(OutputLayer *layer, uint32_t framebuffer, const Rectangle &crop);
	Result<void> settleIn(OutputLayer *layer, uint32_t framebuffer, const ModeCandidate &mode,
			      const Current &now, std::vector<std::string> &reasons);
	Result<void> tryProposal(const Proposal &proposal, OutputLayer *layer, uint32_t framebuffer,
				 const Current &now);
	std::vector<std::vector<uint32_t>> planeOrders(const OutputLayer *layer) const;
	bool keepsOrder(const std::vector<const OutputLayer *> &stack,
			const std::vector<uint32_t> &planes) const;
	Result<LayerSetting> makeSetting(const OutputLayer &layer, uint32_t plane,
					 const Arrangement &arrangement) const;
	Result<Proposal> propose(OutputLayer *layer, const drmModeModeInfo &mode,
				 const Arrangement &arrangement,
				 const std::vector<uint32_t> &planes) const;
	std::string keyOf(const Proposal &proposal) const;
	void adopt(const Proposal &proposal, OutputLayer *layer, std::vector<std::string> reasons);
	ScanoutPlan describePlan(const OutputLayer &layer, std::vector<std::string> reasons) const;
	std::string blame(const AtomicRequest &request, uint32_t flags);
	std::string propertyText(const AtomicRequest::Entry &entry) const;
	Transform panel() const;

	/* output_commit.cpp; need the lock */
	Result<bool> buildAll(AtomicRequest &request, const Proposal &proposal, const Current &now,
			      uint32_t modeBlob, const Sample &sample,
			      std::vector<PropertyBlob> &blobs) const;
	Result<void> addPlane(AtomicRequest &request, const OutputLayer &layer,
			      const LayerSetting &setting, const LayerFrame &frame) const;
	Result<void> addConnector(AtomicRequest &request, const Proposal &proposal,
				  std::vector<PropertyBlob> &blobs) const;
	void addVariableRefresh(AtomicRequest &request, const Proposal &proposal) const;
	bool mayTear(int64_t now) const;
	void addOtherPlanesOff(AtomicRequest &request, const Proposal &proposal,
			       const Current &now) const;
	Result<bool> buildFrames(int64_t now);
	void addFences(int64_t now, int32_t *outFence);
	void commitWaiting(int64_t now, bool justLooked = false);
	void committed(int32_t fence, int64_t now, int64_t took);
	void commitFailed(int code, int64_t now);
	bool settleAgain(const Error &error);
	void refuseReady(const Error &error, int64_t now);
	bool isReady(const OutputLayer &layer, int64_t now) const;
	Proposal currentProposal() const;
	Error commitError(int code) const;
	void remember(const AtomicRequest &request);

	/* output_gathering.cpp; need the lock */
	bool mayGather() const;
	void beginGathering(int64_t now);
	bool gathers(int64_t now);

	/* output_catching_up.cpp; need the lock */
	bool mayCatchUp() const;
	void beginCatchingUp(const RawFlip &flip);
	bool catchesUp(int64_t now);

	/* output_waiting.cpp; need the lock, and let go of it meanwhile */
	bool waitFor(Lock &lock, std::condition_variable &changed,
		     std::chrono::milliseconds timeout, const std::function<bool()> &condition);
	Result<void> waitIdle(Lock &lock, std::chrono::milliseconds timeout);
	Result<void> waitForTurn(Lock &lock, OutputLayer &layer);
	Result<void> waitForCommit(Lock &lock, OutputLayer &layer, const LayerFrame &frame,
				   int64_t now);
	Error overdueError() const;

	/* output_events.cpp; need the lock */
	void finishFlip(const RawFlip &flip);
	void countFlip(OutputLayer &layer, const LayerFrame &frame, const RawFlip &flip);
	bool flipsAreUrgent() const;
	bool flipIsAsked() const;
	bool waitsForFlip(const OutputLayer &layer) const;
	void updateWakeUps(int64_t now);
	void masterLost(const Error &error = {});
	void regainMaster(int64_t now);
	void unplug();
	void lookForConnector();
	void pluggedIn();
	void deviceGone(const Error &error);
	void syncClock();
	void tell(ScreenNotice::Kind kind, std::string text, Error error = {});

	/* need the lock */
	bool dark() const { return unplugged_ || !master_ || gone_ || failure_; }
	void dropWaiting(OutputLayer &layer, uint64_t ScreenStatistics::*reason);
	void dropAllFrames();
	void released(OutputLayer *layer, uint64_t cookie);
	void endHold();
	Result<void> leave(Lock &lock, OutputLayer *layer);
	FramebufferCache::InUse inUse() const;

	std::shared_ptr<DisplayDevice> device_;
	mutable std::mutex mutex_;
	std::condition_variable changed_; /* but for frames that wait: OutputLayer::turn */

	std::atomic<uint32_t> connectorId_;
	const std::string wantedConnector_;
	Topology topology_;
	ConnectorInfo connector_;
	CrtcInfo crtc_;
	SavedState saved_;
	FramebufferCache cache_;

	std::vector<std::unique_ptr<OutputLayer>> layers_;
	std::optional<drmModeModeInfo> mode_; /* settled */
	PropertyBlob modeBlob_;
	std::vector<PropertyBlob> blobs_;                 /* of the last whole commit */
	std::set<std::pair<uint32_t, uint32_t>> written_; /* object and property */
	std::map<std::string, Error> refusals_;           /* proposals, and why not */
	std::vector<std::string> commitRefusals_;         /* of these, by the commit being made */

	AtomicRequest request_; /* reused: a steady state allocates nothing */
	bool refusesTearing_ = false;
	bool whole_ = true; /* the next commit sets everything */
	uint64_t serial_ = 0;
	unsigned holds_ = 0;
	unsigned waiters_ = 0; /* threads in waitFor() */
	bool pending_ = false;
	int64_t pendingSince_ = 0;
	int64_t flipArrival_ = 0; /* ns: when the last flip was heard of */
	bool overdue_ = false;
	int64_t gatherUntil_ = 0;  /* what waits, waits for other layers' frames; 0: it does not */
	int64_t catchUpUntil_ = 0; /* what waits, waits for a newer one; 0: it does not */
	int64_t retryAt_ = 0;      /* after EBUSY */
	int64_t busySince_ = 0;    /* of the EBUSYs in a row, the first */
	VblankClock clock_;

	bool unplugged_ = false;
	bool master_ = true;
	bool gone_ = false;
	std::optional<Error> failure_; /* of the device's thread, which has ended */
	int64_t masterRetryAt_ = 0;

	std::vector<Delivery> outbox_;
	std::vector<Delivery> delivering_;
	std::vector<Message> messages_;
	bool dispatching_ = false;

	ScreenStatistics statistics_; /* of the CRTC */
	uint64_t plans_ = 0;
};

} /* namespace heapflow */
