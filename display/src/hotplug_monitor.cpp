/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hotplug_monitor.h"

#include <cstring>

#include <libudev.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

struct Unref {
	void operator()(udev *context) const { udev_unref(context); }
	void operator()(udev_device *device) const { udev_device_unref(device); }
};

} /* namespace */

void HotplugMonitor::Deleter::operator()(udev_monitor *monitor) const
{
	udev_monitor_unref(monitor);
}

std::unique_ptr<HotplugMonitor> HotplugMonitor::create()
{
	const std::unique_ptr<udev, Unref> context(udev_new());
	if (!context)
		return nullptr;
	/* The control socket is there while udevd runs; without it nobody passes events on. */
	const bool udevd = access("/run/udev/control", F_OK) == 0;
	auto self = std::make_unique<HotplugMonitor>();
	self->monitor_.reset(
		udev_monitor_new_from_netlink(context.get(), udevd ? "udev" : "kernel"));
	if (!self->monitor_ ||
	    udev_monitor_filter_add_match_subsystem_devtype(self->monitor_.get(), "drm", nullptr) <
		    0 ||
	    udev_monitor_enable_receiving(self->monitor_.get()) < 0)
		return nullptr;
	return self;
}

int HotplugMonitor::fd() const
{
	return udev_monitor_get_fd(monitor_.get());
}

bool HotplugMonitor::changed()
{
	bool any = false;
	while (const std::unique_ptr<udev_device, Unref> device{
		udev_monitor_receive_device(monitor_.get())}) {
		const char *action = udev_device_get_action(device.get());
		any |= action && (!std::strcmp(action, "change") || !std::strcmp(action, "remove"));
	}
	return any;
}

} /* namespace heapflow */
