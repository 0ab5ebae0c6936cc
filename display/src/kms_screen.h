/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Screen over atomic KMS. */
#pragma once

#include "atomic_request.h"
#include "flip_thread.h"
#include "flip_tracker.h"
#include "framebuffer_cache.h"
#include "heapflow/display/screen.h"
#include "kms_device.h"
#include "mode_choice.h"
#include "plane_colour.h"
#include "property_blob.h"
#include "saved_state.h"

#include <atomic>
#include <mutex>
#include <optional>

namespace heapflow
{

/** \brief A device with a connector and a CRTC chosen: what a KmsScreen is made of */
struct KmsOutput {
	KmsDevice device;
	ConnectorInfo connector;
	CrtcInfo crtc;
	uint32_t planeId = 0; /**< asked for; 0 is any */
};

class KmsScreen : public Screen
{
public:
	static Result<std::unique_ptr<Screen>> create(KmsOutput output);
	~KmsScreen() override;

	std::vector<ScanoutFormat> formats() const override;
	DisplayMode mode() const override;
	std::vector<DisplayMode> modes() const override;
	Result<ScanoutPlan> configure(const FrameLayout &layout, int sample) override;
	void setFlipHandler(FlipHandler handler) override;
	Result<void> show(int dmabuf, const FrameLayout &layout, uint64_t cookie) override;
	Result<void> drain(std::chrono::milliseconds timeout) override;
	Result<void> hide() override;
	void forget(int dmabuf) override;
	Result<Image> screenshot() override;
	ScreenCounts counts() const override;

private:
	/* What configure() settled. */
	struct Configuration {
		ModeCandidate mode;
		uint32_t plane = 0;
		uint32_t framebufferProperty = 0; /* FB_ID: all that changes from frame to frame */
		FrameLayout layout;
		PropertyBlob modeBlob;
	};
	/* How the CRTC and the connector are now. */
	struct OutputState {
		bool routed = false;
		bool active = false;
		std::optional<drmModeModeInfo> mode;
	};

	explicit KmsScreen(KmsOutput output);

	int drm() const { return output_.device.fd.get(); }
	Result<OutputState> readOutput() const;
	Result<Configuration> tryPlanes(const FrameLayout &layout, uint32_t framebuffer,
					const ModeCandidate &mode,
					const std::vector<const PlaneInfo *> &planes,
					std::vector<std::string> &reasons);
	Result<void> buildModeset(AtomicRequest &request, const Configuration &configuration,
				  const FrameLayout &layout, uint32_t framebuffer,
				  bool &needsModeset) const;
	void addPlane(AtomicRequest &request, const PlaneInfo &plane, const PlaneColour &colour,
		      const ModeCandidate &mode, const FrameLayout &layout,
		      uint32_t framebuffer) const;
	void addOtherPlanesOff(AtomicRequest &request, const PlaneInfo &plane) const;
	ScanoutPlan describePlan(std::vector<std::string> reasons) const;
	Result<void> waitForFlip(std::chrono::milliseconds timeout);
	Result<void> commitFrame(uint64_t cookie, uint32_t framebuffer, bool modeset);
	Error commitError(int code) const;
	void flipped(const RawFlip &flip);
	Result<void> leave();
	FramebufferCache::InUse inUse() const;

	KmsOutput output_;
	SavedState saved_;
	FramebufferCache cache_;
	FlipTracker tracker_;
	FlipHandler handler_;

	mutable std::mutex
		calls_; /* serialises the public functions; never taken by the flip thread */
	std::optional<Configuration> configuration_;
	std::vector<uint32_t> touched_;      /* planes that are or were ours */
	std::optional<FrameLayout> onPlane_; /* layout of the last commit; none: all must be set */
	AtomicRequest request_;
	std::atomic<uint64_t> commits_ = 0;
	std::atomic<uint64_t> testCommits_ = 0;

	/* Last: its thread uses the members above, and ends first. */
	std::unique_ptr<FlipThread> thread_;
};

} /* namespace heapflow */
