/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Showing frames. How the mode and the plane are settled is in screen_setup.cpp. */
#include "kms_screen.h"

#include "plane_choice.h"
#include "writeback.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <thread>

#include <xf86drm.h>

namespace heapflow
{

namespace
{

/* A vblank is 8 to 42 ms; a flip that is not there after this is lost. */
constexpr std::chrono::milliseconds flipTimeout{1000};

bool sameShape(const FrameLayout &a, const FrameLayout &b)
{
	return a.fourcc == b.fourcc && a.modifier == b.modifier && a.width == b.width &&
	       a.height == b.height;
}

} /* namespace */

Result<std::unique_ptr<Screen>> KmsScreen::create(KmsOutput output)
{
	std::unique_ptr<KmsScreen> screen(new KmsScreen(std::move(output)));
	auto thread = FlipThread::start(
		screen->drm(), [self = screen.get()](const RawFlip &flip) { self->flipped(flip); });
	if (!thread)
		return std::unexpected(thread.error());
	screen->thread_ = std::move(*thread);
	return screen;
}

KmsScreen::KmsScreen(KmsOutput output)
	: output_(std::move(output)),
	  saved_(SavedState::capture(drm(), output_.device.topology, output_.crtc)),
	  cache_(drm(), output_.device.modifiers)
{
}

KmsScreen::~KmsScreen()
{
	const std::lock_guard lock(calls_);
	/* Nobody is left to tell. What could not be restored, closing the device turns off. */
	(void)leave();
}

std::vector<ScanoutFormat> KmsScreen::formats() const
{
	return planeFormats(output_.device.topology, output_.crtc, output_.planeId);
}

DisplayMode KmsScreen::mode() const
{
	const std::lock_guard lock(calls_);
	if (configuration_)
		return describeMode(configuration_->mode.mode);
	if (output_.crtc.active && output_.crtc.mode)
		return describeMode(*output_.crtc.mode);
	return describeMode(*preferredMode(output_.connector.modes));
}

std::vector<DisplayMode> KmsScreen::modes() const
{
	std::vector<drmModeModeInfo> sorted = output_.connector.modes;
	std::ranges::stable_partition(sorted, [](const drmModeModeInfo &mode) {
		return mode.type & DRM_MODE_TYPE_PREFERRED;
	});
	std::vector<DisplayMode> list;
	std::ranges::transform(sorted, std::back_inserter(list), describeMode);
	return list;
}

void KmsScreen::setFlipHandler(FlipHandler handler)
{
	const std::lock_guard lock(calls_);
	/* The flip thread reads handler_ only between a commit and its event. */
	tracker_.waitIdle(flipTimeout);
	handler_ = std::move(handler);
}

void KmsScreen::flipped(const RawFlip &flip)
{
	const auto event = tracker_.complete(flip);
	if (!event)
		return;
	cache_.collect(inUse());
	if (handler_)
		handler_(*event);
	tracker_.dispatched();
}

FramebufferCache::InUse KmsScreen::inUse() const
{
	return [this](uint32_t framebuffer) {
		return tracker_.uses(framebuffer);
	};
}

Result<void> KmsScreen::show(int dmabuf, const FrameLayout &layout, uint64_t cookie)
{
	const std::lock_guard lock(calls_);
	if (!configuration_)
		return fail(EINVAL, "show() before configure()");
	if (!cookie)
		return fail(EINVAL, "a frame's cookie may not be 0");
	if (!sameShape(layout, configuration_->layout))
		return fail(EINVAL,
			    std::format("the frame is {}, but the screen was configured for {}",
					describe(layout), describe(configuration_->layout)),
			    "Call configure() when the format changes");

	const auto framebuffer = cache_.get(dmabuf, layout);
	if (!framebuffer)
		return std::unexpected(framebuffer.error());
	if (auto idle = waitForFlip(flipTimeout); !idle)
		return idle;

	request_.clear();
	bool modeset = false;
	if (onPlane_ && onPlane_->colorimetry == layout.colorimetry) {
		request_.object(configuration_->plane);
		request_.set(configuration_->framebufferProperty, *framebuffer);
	} else if (auto built =
			   buildModeset(request_, *configuration_, layout, *framebuffer, modeset);
		   !built) {
		return built;
	}

	if (auto committed = commitFrame(cookie, *framebuffer, modeset); !committed)
		return committed;
	if (!onPlane_ || onPlane_->colorimetry != layout.colorimetry) {
		onPlane_ = layout;
		if (!std::ranges::contains(touched_, configuration_->plane))
			touched_.push_back(configuration_->plane);
	}
	return {};
}

Result<void> KmsScreen::commitFrame(uint64_t cookie, uint32_t framebuffer, bool modeset)
{
	const uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT |
			       (modeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0);
	const auto end = std::chrono::steady_clock::now() + flipTimeout;
	int code;
	while (true) {
		code = request_.commit(drm(), flags, tracker_.begin(cookie, framebuffer));
		if (!code) {
			commits_++;
			return {};
		}
		tracker_.cancel();
		/*
		 * Our own flip is over, so it is another commit that is not: of another CRTC
		 * that a modeset pulls in, or the tail of a blocking one.
		 */
		if (code != EBUSY || std::chrono::steady_clock::now() > end)
			break;
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
	}
	return std::unexpected(commitError(code));
}

Error KmsScreen::commitError(int code) const
{
	Error error{.code = code};
	error.message = std::format("{} refused {} on plane {} of {}", output_.device.path,
				    describe(configuration_->layout), configuration_->plane,
				    output_.connector.name);
	if (code == EACCES || code == EPERM)
		error.hint = "Another program became master of the display";
	else if (code == ENODEV || code == EINVAL)
		error.hint = "The device may be gone, or its driver cannot use this memory";
	else if (code == ENOMEM || code == ENOSPC)
		error.hint = "The display is out of memory or bandwidth for it";
	return error;
}

Result<void> KmsScreen::waitForFlip(std::chrono::milliseconds timeout)
{
	if (tracker_.waitIdle(timeout))
		return {};
	return fail(ETIMEDOUT,
		    std::format("no flip event from {} ({}) for CRTC {} in {} ms",
				output_.device.path, output_.device.driver, output_.crtc.id,
				timeout.count()),
		    "The display may be gone or asleep; the kernel log may say more");
}

Result<void> KmsScreen::drain(std::chrono::milliseconds timeout)
{
	const std::lock_guard lock(calls_);
	return waitForFlip(timeout);
}

Result<void> KmsScreen::hide()
{
	const std::lock_guard lock(calls_);
	return leave();
}

Result<void> KmsScreen::leave()
{
	Result<void> result;
	if (!touched_.empty()) {
		/* A restoring commit while a flip is pending would wait for it anyway. */
		tracker_.waitIdle(flipTimeout);
		result = saved_.restore(drm());
		commits_++;
	}
	/* Also when that failed: removing a framebuffer takes it off the screen. */
	cache_.clear();
	tracker_.clear();
	onPlane_.reset();
	touched_.clear();
	return result;
}

void KmsScreen::forget(int dmabuf)
{
	const std::lock_guard lock(calls_);
	cache_.forget(dmabuf, inUse());
}

Result<Image> KmsScreen::screenshot()
{
	const std::lock_guard lock(calls_);
	const ConnectorInfo *connector = writebackConnector(output_.device.topology, output_.crtc);
	if (!connector)
		return fail(ENOTSUP, std::format("{} ({}) has no writeback connector",
						 output_.device.path, output_.device.driver));
	if (auto idle = waitForFlip(flipTimeout); !idle)
		return std::unexpected(idle.error());
	const auto now = readOutput();
	if (!now)
		return std::unexpected(now.error());
	if (!now->active || !now->mode)
		return fail(ENODATA, std::format("{} is dark: there is nothing to read back",
						 output_.connector.name));

	auto image = readBack(drm(), *connector, output_.crtc, *now->mode);
	commits_ += 2;
	return image;
}

ScreenCounts KmsScreen::counts() const
{
	return {commits_, cache_.imports(), cache_.framebuffers(), testCommits_};
}

} /* namespace heapflow */
