/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several streams of one camera: libcamera's virtual one has three. */
#include "capture.h"
#include "color_bars.h"
#include "result.h"

#include <cerrno>
#include <set>
#include <thread>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class VirtualStreams : public testing::Test
{
protected:
	void open(const std::vector<CaptureRequest> &requests)
	{
		auto camera = openCamera("Virtual0");
		ASSERT_TRUE(camera) << textOf(camera);
		camera_ = std::move(*camera);
		auto configurations = camera_->configureStreams(requests);
		ASSERT_TRUE(configurations) << textOf(configurations);
		configurations_ = std::move(*configurations);
		for (unsigned stream = 0; stream < requests.size(); ++stream) {
			buffers_.push_back(allocate(stream ? "video@42000000" : "system",
						    configurations_[stream].bufferCount,
						    configurations_[stream].layout.size()));
			const auto imported = camera_->importBuffers(buffers_.back(), stream);
			ASSERT_TRUE(imported) << textOf(imported);
		}
	}

	std::unique_ptr<Camera> camera_;
	std::vector<CaptureConfiguration> configurations_;
	std::vector<std::vector<Buffer>> buffers_;
};

TEST_F(VirtualStreams, EachHasItsSizeAndItsFrames)
{
	open({request(DRM_FORMAT_NV12, 640, 480), request(DRM_FORMAT_NV12, 1280, 720)});
	EXPECT_EQ(configurations_[0].layout.width, 640u);
	EXPECT_EQ(configurations_[1].layout.width, 1280u);
	ASSERT_TRUE(camera_->start());
	for (int i = 0; i < 12; ++i) {
		for (unsigned stream = 0; stream < 2; ++stream) {
			const auto frame = camera_->waitFrame(patience, stream);
			ASSERT_TRUE(frame) << "stream " << stream << ": " << textOf(frame);
			EXPECT_EQ(frame->bytesUsed, configurations_[stream].layout.size());
			EXPECT_FALSE(camera_->metadata(frame->index, stream).empty());
			ASSERT_TRUE(camera_->queue(frame->index, stream));
		}
	}
	EXPECT_EQ(codeOf(camera_->waitFrame(patience, 2)), EINVAL);
	EXPECT_EQ(codeOf(camera_->queue(0, 2)), EINVAL);
}

TEST_F(VirtualStreams, OneThatKeepsItsBuffersDoesNotStopTheOther)
{
	open({request(DRM_FORMAT_NV12, 640, 480), request(DRM_FORMAT_NV12, 640, 480)});
	ASSERT_TRUE(camera_->start());
	std::vector<unsigned> kept;
	for (unsigned i = 0; i < configurations_[1].bufferCount; ++i) {
		for (unsigned stream = 0; stream < 2; ++stream) {
			const auto frame = camera_->waitFrame(patience, stream);
			ASSERT_TRUE(frame) << textOf(frame);
			if (stream)
				kept.push_back(frame->index);
			else
				ASSERT_TRUE(camera_->queue(frame->index));
		}
	}
	/* The second stream has nothing left; the first goes on. */
	for (int i = 0; i < 40; ++i) {
		const auto frame = camera_->waitFrame(patience);
		ASSERT_TRUE(frame) << "frame " << i << ": " << textOf(frame);
		ASSERT_TRUE(camera_->queue(frame->index));
	}
	EXPECT_EQ(codeOf(camera_->waitFrame(std::chrono::milliseconds(50), 1)), ETIMEDOUT);
	/* And the second with it, when it gives them back. */
	for (const unsigned index : kept)
		ASSERT_TRUE(camera_->queue(index, 1));
	std::set<unsigned> seen;
	for (int i = 0; i < 40 && seen.size() < kept.size(); ++i) {
		const auto one = camera_->waitFrame(patience);
		ASSERT_TRUE(one) << textOf(one);
		ASSERT_TRUE(camera_->queue(one->index));
		const auto other = camera_->waitFrame(std::chrono::milliseconds(200), 1);
		if (!other)
			continue;
		seen.insert(other->index);
		ASSERT_TRUE(camera_->queue(other->index, 1));
	}
	EXPECT_EQ(seen.size(), kept.size());
}

TEST_F(VirtualStreams, EachFromAThreadOfItsOwn)
{
	open({request(DRM_FORMAT_NV12, 640, 480), request(DRM_FORMAT_NV12, 640, 480),
	      request(DRM_FORMAT_NV12, 640, 480)});
	ASSERT_TRUE(camera_->start());
	std::vector<std::thread> threads;
	std::array<std::atomic<int>, 3> counts{};
	for (unsigned stream = 0; stream < 3; ++stream)
		threads.emplace_back([this, stream, &counts] {
			for (int i = 0; i < 30; ++i) {
				const auto frame = camera_->waitFrame(patience, stream);
				if (!frame || !camera_->queue(frame->index, stream))
					return;
				++counts[stream];
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	for (const auto &count : counts)
		EXPECT_EQ(count, 30);
}

TEST_F(VirtualStreams, MoreThanTheCameraHasAreAnError)
{
	auto camera = openCamera("Virtual0");
	ASSERT_TRUE(camera);
	const std::vector<CaptureRequest> four(4, request(DRM_FORMAT_NV12, 640, 480));
	const auto refused = (*camera)->configureStreams(four);
	ASSERT_FALSE(refused);
	EXPECT_EQ(codeOf(refused), ENOTSUP) << textOf(refused);
	const auto vimc = openCamera("platform/vimc.0 Sensor B");
	ASSERT_TRUE(vimc);
	const std::vector<CaptureRequest> two(2, request(DRM_FORMAT_BGR888, 640, 480));
	EXPECT_EQ(codeOf((*vimc)->configureStreams(two)), ENOTSUP);
	EXPECT_EQ(codeOf((*camera)->modes(StreamRole::Raw)), ENOTSUP);
}

TEST_F(VirtualStreams, AStreamWithoutBuffersDoesNotStart)
{
	auto camera = openCamera("Virtual0");
	ASSERT_TRUE(camera);
	const std::vector<CaptureRequest> two(2, request(DRM_FORMAT_NV12, 640, 480));
	const auto configurations = (*camera)->configureStreams(two);
	ASSERT_TRUE(configurations);
	const auto buffers = allocate("system", (*configurations)[0].bufferCount,
				      (*configurations)[0].layout.size());
	ASSERT_TRUE((*camera)->importBuffers(buffers));
	EXPECT_EQ(codeOf((*camera)->start()), EINVAL);
}

} /* namespace */
