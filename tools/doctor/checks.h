/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the facts mean: pure, so that every judgement is tested with made-up systems. */
#pragma once

#include "facts.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow::tool::doctor
{

/** \brief Fail: a pipeline is stopped. Warn: something is worse than need be. Unknown: nobody can
 * say */
enum class Status { Ok, Warn, Fail, Unknown };

struct Finding {
	std::string id; /**< "heaps.permission": AREA.WHAT, fixed for scripts */
	Status status = Status::Ok;
	std::string seen;                 /**< one sentence, with the numbers */
	std::vector<std::string> advice;  /**< lines to follow or to copy; empty when all is well */
	std::vector<std::string> sources; /**< files and calls it rests on */
};

/** \brief The checks that need SystemFacts::devices, and the one that needs gstreamer */
inline constexpr std::array kDeviceChecks{"cameras.capture", "cameras.media", "displays.kms",
					  "displays.master", "displays.connected"};
inline constexpr const char *kGstreamerCheck = "gstreamer.plugin";

/** \brief Every check, in a fixed order: kernel, heaps, regions, limits, service, camera,
 * display... */
std::vector<Finding> judge(const SystemFacts &facts);

std::vector<Finding> judgeKernel(const SystemFacts &facts);
std::vector<Finding> judgeHeaps(const SystemFacts &facts);
std::vector<Finding> judgeLimits(const SystemFacts &facts);
std::vector<Finding> judgeDevices(const SystemFacts &facts);
std::vector<Finding> judgeGstreamer(const GstreamerFacts &facts);

/** \brief Something stops a pipeline */
bool anyFailed(const std::vector<Finding> &findings);

/** \brief "ok", "warn", "fail", "unknown" */
std::string_view nameOf(Status status);

/** \brief The udev rule that lets the group `video` open every heap */
std::string udevRule();

/** \brief The lines of a systemd unit that confines its devices, with the groups this kernel has */
std::vector<std::string> serviceLines(const SystemFacts &facts);

} /* namespace heapflow::tool::doctor */
