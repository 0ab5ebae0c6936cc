/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vivid test camera and its controls. */
#pragma once

#include "color_bars.h"

#include "heapflow/camera/camera.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace heapflow::test
{

/** \brief The node of vivid's capture device, such as /dev/video7; empty when there is none */
std::string vividNode();

/** \brief Set a control by the name v4l2-ctl shows in quotes; a test failure if there is none */
void setControl(const std::string &node, const std::string &name, int32_t value);

/** \brief Entries of vivid's menus of the signal (v4l2-ctl -L), and its inputs */
inline constexpr int32_t currentSignal = 0, noSignal = 1, selectedSignal = 4;
inline constexpr int32_t timings720p50 = 8, timings720p60 = 9, timings1080p60 = 16;
inline constexpr int webcamInput = 0, hdmiInput = 3;

void selectInput(const std::string &node, int input);

/** \brief The source at the HDMI input sends these timings from now on */
void sendSignal(const std::string &node, int32_t timings);

/** \brief VIDIOC_QUERYCAP's device_caps */
uint32_t deviceCapabilities(const std::string &node);

/**
 * \brief vivid paints 100 % bars without text while a test runs
 *
 * \param allocators What /sys/module/vivid/parameters/allocators must start with: "0" is vmalloc,
 * "1" is memory that must be contiguous.
 */
class Vivid
{
public:
	explicit Vivid(const std::string &allocators);
	~Vivid();

	const std::string &node() const { return node_; }

	/** \brief 720p at 60 frames per second, the fastest that vivid's web camera does */
	static CaptureRequest request720p(uint32_t fourcc);
	static BarsExpectation bars(const FrameLayout &layout);

private:
	std::string node_;
};

/** \brief Frames are `rate` apart: the times of vivid are computed, so they fit the numbers */
void expectRate(const std::vector<CapturedFrame> &frames, const FrameRate &rate);

} /* namespace heapflow::test */
