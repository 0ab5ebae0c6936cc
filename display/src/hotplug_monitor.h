/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells that a connector of some display changed. */
#pragma once

#include "heapflow/heap/unique_fd.h"

#include <memory>

struct udev_monitor;

namespace heapflow
{

/**
 * \brief Uevents of the subsystem drm
 *
 * From udevd where it runs, else from the kernel itself: a connector needs no rule to be set up.
 */
class HotplugMonitor
{
public:
	/** \return nullptr when there is no netlink, as in some containers */
	static std::unique_ptr<HotplugMonitor> create();

	/** \brief To be polled for reading */
	int fd() const;

	/** \brief Reads all that is there. \return true when a display changed or went */
	bool changed();

private:
	struct Deleter {
		void operator()(udev_monitor *monitor) const;
	};

	std::unique_ptr<udev_monitor, Deleter> monitor_;
};

} /* namespace heapflow */
