/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Screen: one layer of an Output. */
#pragma once

#include "output.h"

#include <memory>

namespace heapflow
{

/** \brief Passes everything on to its Output, and takes its layer away at the end */
class KmsScreen : public Screen
{
public:
	KmsScreen(std::shared_ptr<Output> output, const ScreenOptions &options)
		: output_(std::move(output)), layer_(output_->addLayer(options))
	{
	}
	~KmsScreen() override { output_->removeLayer(layer_); }

	std::string device() const override { return output_->device(); }
	std::vector<ScanoutFormat> formats() const override { return output_->formats(layer_); }
	DisplayMode mode() const override { return output_->mode(); }
	std::vector<DisplayMode> modes() const override { return output_->modes(); }
	SizeLimits limits() const override { return output_->limits(); }
	void setLayer(const LayerOptions &options) override
	{
		output_->setOptions(layer_, options);
	}
	Result<ScanoutPlan> configure(const FrameLayout &layout,
				      std::span<const int> sample) override
	{
		return output_->configure(layer_, layout, sample);
	}
	std::optional<ScanoutPlan> plan() const override { return output_->plan(layer_); }
	void setFlipHandler(FlipHandler handler) override
	{
		output_->setFlipHandler(layer_, std::move(handler));
	}
	void setFlipDelivery(FlipDelivery delivery) override
	{
		output_->setFlipDelivery(layer_, delivery);
	}
	void deliverFlips(std::chrono::milliseconds patience, std::optional<int64_t> now) override
	{
		output_->deliverFlips(layer_, patience, now);
	}
	void setNoticeHandler(NoticeHandler handler) override
	{
		output_->setNoticeHandler(layer_, std::move(handler));
	}
	void setFenceHandler(FenceHandler handler) override
	{
		output_->setFenceHandler(layer_, std::move(handler));
	}
	Result<void> show(const Frame &frame) override { return output_->show(layer_, frame); }
	Result<void> drain(std::chrono::milliseconds timeout) override
	{
		return output_->drain(layer_, timeout);
	}
	Result<void> hide() override { return output_->hide(layer_); }
	void forget(const BufferIdentity &buffer) override { output_->forget(buffer); }
	Result<Image> screenshot() override { return output_->screenshot(); }
	Result<uint32_t>
	pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
		       const std::function<Result<Buffer>(uint64_t)> &allocate) override
	{
		return output_->pitchAlignment(fourcc, width, height, allocate);
	}
	ScreenCounts counts() const override { return output_->counts(); }
	ScreenStatistics statistics() const override { return output_->statistics(layer_); }

	using Screen::deliverFlips;
	using Screen::forget;
	using Screen::show;

private:
	std::shared_ptr<Output> output_;
	OutputLayer *layer_;
};

} /* namespace heapflow */
