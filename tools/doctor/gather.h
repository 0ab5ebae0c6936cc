/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the facts out. Reads; changes nothing; waits for no device. */
#pragma once

#include "facts.h"

#include <filesystem>

namespace heapflow::tool::doctor
{

/** \brief What is looked at beside files: it takes time, and touches devices */
struct Extent {
	bool devices = true;
	bool gstreamer = true;
};

/** \brief Of a running system: `root` is "/"; of a copy: only what stands in files */
SystemFacts gatherFacts(const std::filesystem::path &root, const Extent &extent = {});

/** \brief Release, configuration and modules, from the files below `root` */
KernelFacts gatherKernel(const std::filesystem::path &root);

/** \brief The limits of this process; of a copy only what the kernel was told */
LimitFacts gatherLimits(const std::filesystem::path &root);

/**
 * \brief Cameras and displays of this machine, each opened without waiting and closed at once
 *
 * The kernel makes the first one to open a display's primary node its master (drm_master_open());
 * that is given back before anything else is done.
 */
DeviceFacts gatherDevices();

/** \brief What gst-inspect-1.0 knows of heapflow's elements; it gets ten seconds */
GstreamerFacts gatherGstreamer();

/** \brief "CONFIG_X=y" lines; an option that is not set is not in the map */
std::map<std::string, std::string> parseKernelConfig(std::string_view text);

} /* namespace heapflow::tool::doctor */
