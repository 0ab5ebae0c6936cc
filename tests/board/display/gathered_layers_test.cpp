/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers of one screen whose frames come at times of their own: one commit for each vblank. */
#include "display_fixture.h"

#include <array>
#include <atomic>
#include <thread>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr size_t layerCount = 2;
constexpr uint64_t bufferCount = 4;
constexpr uint64_t periods = 60;

struct Layer {
	std::unique_ptr<Screen> screen;
	std::vector<Buffer> buffers;
	uint64_t cookie = 0;
	std::atomic<int64_t> vblank; /* of the last flip, ns */
	std::atomic<unsigned> woken; /* flips that another thread told */
};

/* In simulated time, where threads are on time. */
class DisplayGatheredLayers : public testing::Test
{
protected:
	void SetUp() override
	{
		for (size_t i = 0; i < layerCount; i++) {
			Layer &layer = layers_[i];
			for (size_t j = 0; j < bufferCount; j++)
				layer.buffers.push_back(allocate("video@42000000", layout_.size()));
			layer.screen = openVkms();
			ASSERT_TRUE(layer.screen);
			layer.screen->setLayer(
				{.rectangle = {int(i) * 320, 0, 320, 240}, .zpos = unsigned(i)});
			const auto self = std::this_thread::get_id();
			layer.screen->setFlipHandler([&layer, self](const FlipEvent &event) {
				if (event.timestamp)
					layer.vblank = event.timestamp;
				if (std::this_thread::get_id() != self)
					layer.woken++;
			});
			const auto plan = layer.screen->configure(layout_, layer.buffers[0].fd());
			ASSERT_TRUE(plan) << textOf(plan);
			show(layer);
			layer.screen->setFlipDelivery(FlipDelivery::OnRequest);
		}
		ASSERT_TRUE(layers_[0].screen->drain(std::chrono::seconds(1)));
		period_ = static_cast<int64_t>(1e12) / layers_[0].screen->mode().refreshMilliHz;
	}

	void show(Layer &layer)
	{
		layer.screen->deliverFlips();
		const Buffer &buffer = layer.buffers[++layer.cookie % bufferCount];
		const auto shown = layer.screen->show(buffer.fd(), layout_, layer.cookie);
		ASSERT_TRUE(shown) << textOf(shown);
	}

	/* Each layer's frames come so long after a vblank, and one in so many periods. */
	void play(const std::array<int64_t, layerCount> &after,
		  const std::array<uint64_t, layerCount> &every = {1, 1})
	{
		/* The second starts when the first is known: neither begins with a pause. */
		const int64_t begin = layers_[0].vblank + 4 * period_;
		for (uint64_t n = 0; n < periods; n++) {
			for (size_t i = 0; i < layerCount; i++) {
				if (n % every[i])
					continue;
				sleepUntil(begin + static_cast<int64_t>(n) * period_ + after[i]);
				show(layers_[i]);
			}
			if (n == settledAfter)
				remember();
		}
	}

	void remember()
	{
		for (size_t i = 0; i < layerCount; i++) {
			woken_[i] = layers_[i].woken;
			before_[i] = layers_[i].screen->statistics();
		}
	}

	/* Since the layers know of each other. */
	uint64_t commits() const
	{
		return layers_[0].screen->statistics().commits - before_[0].commits;
	}
	unsigned woken(size_t i) const { return layers_[i].woken - woken_[i]; }
	uint64_t repeated(size_t i) const
	{
		return layers_[i].screen->statistics().repeated - before_[i].repeated;
	}

	static constexpr uint64_t settledAfter = 9;
	static constexpr uint64_t counted = periods - 1 - settledAfter;
	const FrameLayout layout_ = makeFrameLayout(DRM_FORMAT_XRGB8888, 320, 240).value();
	std::array<Layer, layerCount> layers_;
	std::array<ScreenStatistics, layerCount> before_;
	std::array<unsigned, layerCount> woken_ = {};
	int64_t period_ = 0;
};

} /* namespace */

TEST_F(DisplayGatheredLayers, AreShownByOneCommitThatNobodyIsWokenFor)
{
	play({3 * ms, 6 * ms});
	EXPECT_EQ(commits(), counted);
	for (size_t i = 0; i < layerCount; i++) {
		EXPECT_EQ(repeated(i), 0u) << i;
		EXPECT_EQ(woken(i), 0u) << i;
		EXPECT_EQ(layers_[i].screen->statistics().dropped, 0u) << i;
	}
}

/* The first waits for the flip of the frame before, the second for the first. */
TEST_F(DisplayGatheredLayers, OnBothSidesOfTheVblankAreTheSame)
{
	play({-ms, ms});
	EXPECT_EQ(commits(), counted);
	for (size_t i = 0; i < layerCount; i++) {
		EXPECT_EQ(repeated(i), 0u) << i;
		EXPECT_EQ(woken(i), 0u) << i;
	}
}

TEST_F(DisplayGatheredLayers, OfHalfTheRateDelayNobody)
{
	play({3 * ms, 6 * ms}, {1, 2});
	EXPECT_EQ(commits(), counted);
	EXPECT_EQ(repeated(0), 0u);
	EXPECT_EQ(repeated(1), counted / 2) << "each is shown twice";
	EXPECT_EQ(woken(0), 0u);
}

/* One stops: the other is not kept waiting for it, nor its frames back. */
TEST_F(DisplayGatheredLayers, OneThatStopsHoldsUpNobody)
{
	play({3 * ms, 6 * ms});
	play({3 * ms, 0}, {1, periods + 1});
	EXPECT_EQ(commits(), counted);
	EXPECT_EQ(repeated(0), 0u);
	EXPECT_EQ(layers_[0].screen->statistics().dropped, 0u);
}
