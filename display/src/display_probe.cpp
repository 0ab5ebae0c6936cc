/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/display_probe.h"

#include "drm_ptr.h"
#include "framebuffer_cache.h"

#include "heapflow/heap/unique_fd.h"

#include <algorithm>
#include <cerrno>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

/* 4 MiB, below the limits of any display that scans out video. */
constexpr uint32_t kSide = 1024;

class DisplayProbe : public MemoryProbe
{
public:
	DisplayProbe(UniqueFd fd, std::string path, FrameLayout layout)
		: fd_(std::move(fd)), path_(std::move(path)), layout_(std::move(layout))
	{
	}

	std::string device() const override { return path_; }
	uint64_t smallestBuffer() const override { return layout_.size(); }
	ProbeAnswer tryBuffer(const Buffer &buffer) override;

private:
	UniqueFd fd_;
	std::string path_;
	FrameLayout layout_;
};

ProbeAnswer DisplayProbe::tryBuffer(const Buffer &buffer)
{
	if (buffer.size() < layout_.size())
		return {Demand::Unknown, "the buffer is too small to ask with"};
	FramebufferCache framebuffers(fd_.get(), false);
	const auto made = framebuffers.get(buffer.fd(), layout_);
	if (made)
		return {Demand::Yes, "made a framebuffer of it"};
	/* What importers give for memory that is not contiguous (drm_gem_dma_helper.c), or that
	 * their IOMMU does not map; any other error says nothing of the memory. */
	const int code = made.error().code;
	const bool refused = code == EINVAL || code == EFAULT || code == ENXIO;
	return {refused ? Demand::No : Demand::Unknown,
		made.error().message + " (" + errnoName(code) + ")"};
}

} /* namespace */

Result<std::unique_ptr<MemoryProbe>> openDisplayProbe(const std::string &path)
{
	UniqueFd fd = openRetried(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (!fd.valid())
		return fail(errno, "cannot open the display " + path);
	/* The first to open a card is its master (drm_master_open()). */
	if (drmIsMaster(fd.get()))
		drmDropMaster(fd.get());
	const DrmPtr<drmModeRes, drmModeFreeResources> found(drmModeGetResources(fd.get()));
	if (!found && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOTTY)
		return fail(errno, path + " does not tell its connectors");
	if (!found)
		return fail(ENODEV, path + " is not a display");
	const uint32_t width = std::min(kSide, found->max_width);
	const uint32_t height = std::min(kSide, found->max_height);
	auto layout = makeFrameLayout(DRM_FORMAT_XRGB8888, width, height, width * 4);
	if (!layout)
		return std::unexpected(layout.error());
	return std::make_unique<DisplayProbe>(std::move(fd), path, std::move(*layout));
}

} /* namespace heapflow */
