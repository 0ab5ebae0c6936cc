/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "optional_calls.h"

#include "heapflow/heap/error.h"

#include <algorithm>
#include <format>
#include <string>

namespace heapflow::torture
{

namespace
{

struct OptionalCall {
	std::string_view call;      /**< as in --list; empty: any */
	std::string_view scenarios; /**< empty: all */
	std::string_view codes;     /**< names of errnos; empty: all */
	const char *reason;
};

constexpr const char *hint = "what the system tells of heaps and regions is a hint; "
			     "the allocation is the proof (docs/heap-expressions.md)";
constexpr const char *forReports = "the list of holders is for reports, and says that it is "
				   "incomplete; the device tree is a hint";
/* drm_file_free() */
constexpr const char *freed = "what is left, the kernel frees when the device is closed";
constexpr const char *hotplug = "frames are shown; without udev's monitor a screen that is plugged "
				"in later is not noticed (hotplug_monitor.cpp)";
/* v4l2_ioctl() asks video_is_registered() in each call, so that this is never the only one. */
constexpr const char *unplugged =
	"a camera that is gone says ENODEV to each call; the next is an error";
constexpr const char *unwatched = "nobody waits for the flip of its one frame";

constexpr OptionalCall calls[] = {
	/* Heaps (heap_list.cpp, region.cpp, buffer_holders.cpp) */
	{"access /dev/dma_heap", "", "", "whether a heap can be opened, open() says"},
	{"stat /dev/dma_heap", "", "", "number, owner and mode of a node are for reports"},
	{"open /sys", "", "", hint},
	{"opendir /sys", "", "", hint},
	{"read /sys", "", "", hint},
	{"readdir /sys", "", "", hint},
	{"readlink /sys", "", "", hint},
	{"stat /sys", "", "", hint},
	{"open /proc", "", "", forReports},
	{"opendir /proc", "", "", forReports},
	{"read /proc", "", "", forReports},
	{"readdir /proc", "", "", forReports},
	{"readlink /proc", "", "", forReports},
	{"stat /proc", "", "", forReports},
	{"lseek /proc", "", "", forReports},
	{"ioctl DMA_BUF_SET_NAME", "", "", "a name is for people (heap_device.cpp)"},

	/* Cameras */
	{"ioctl VIDIOC_DQEVENT", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_ENUMINPUT", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_ENUM_FRAMEINTERVALS", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_ENUM_FRAMESIZES", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_G_INPUT", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_G_STD", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_QUERYMENU", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_QUERY_EXT_CTRL", "", "ENODEV", unplugged},
	{"ioctl VIDIOC_G_CTRL", "", "",
	 "a control that cannot be read is told as unknown (v4l2_controls.cpp, v4l2_node.cpp)"},
	{"ioctl VIDIOC_G_PARM", "", "", "a rate that is not known is told as none"},
	{"ioctl VIDIOC_S_PARM", "", "", "the rate is what G_PARM says afterwards"},
	{"ioctl VIDIOC_SUBSCRIBE_EVENT", "", "",
	 "without the event a change of the signal is noticed by the frames' errors"},
	{"ioctl VIDIOC_STREAMOFF", "", "ENODEV", "a camera that is gone has stopped"},
	/* vb2_fop_release() */
	{"ioctl VIDIOC_STREAMOFF", "pipeline", "", "closing its node stops a camera as well"},
	{"access /sys", "cameras", "",
	 "one of libcamera's is there unless its node does not exist (libcamera_session.cpp)"},

	{"poll eventfd", "cameras", "",
	 "the list is there, and the monitor waits again (camera_monitor.cpp)"},

	/* heapctl doctor gives a report in any case. */
	{"", "doctor", "", "what does not work is a finding of its report"},

	/* Displays */
	{"ioctl DRM_IOCTL_CRTC_GET_SEQUENCE", "", "",
	 "the next vblank is reckoned from the last flip (vblank_clock.h)"},
	{"ioctl DRM_IOCTL_AUTH_MAGIC", "", "",
	 "asks who is master, to spare SET_MASTER; a commit says EACCES by itself"},
	{"ioctl DRM_IOCTL_GET_CAP", "", "",
	 "without the answer no modifier and no tearing flip is asked for (kms_device.cpp)"},
	{"ioctl DRM_IOCTL_GEM_CLOSE", "", "", freed},
	{"ioctl DRM_IOCTL_MODE_RMFB", "", "", freed},
	{"ioctl DRM_IOCTL_MODE_DESTROYPROPBLOB", "", "", freed},
	{"ioctl DRM_IOCTL_MODE_DESTROY_DUMB", "", "", freed},
	{"access socket", "", "", hotplug},
	{"socket", "", "", hotplug},
	{"bind", "", "", hotplug},
	{"setsockopt", "", "", hotplug},
	{"getsockopt", "", "", hotplug},
	{"poll dma-buf", "", "", "the fence of the writes is exported all the same"},
	{"poll /dev/dri", "screenshot", "", unwatched},
	{"poll /dev/dri", "pipeline", "", "the flip is read when the next frame comes"},
	/* Of the display's thread while it leaves flips to others: descriptor -1. */
	{"poll", "pipeline", "", "half a second of it is borne, and it plays for less"},
	{"read /dev/dri", "screenshot", "", unwatched},
	{"timerfd_settime", "", "",
	 "show() and drain() have time-outs of their own for a flip that does not come"},
};

bool isOf(std::string_view list, std::string_view name)
{
	return list.empty() || (std::format(" {} ", list).contains(std::format(" {} ", name)));
}

} /* namespace */

const char *whyOptional(std::string_view scenario, const CallKind &kind, int code)
{
	const std::string name = nameOf(kind);
	const auto *found = std::ranges::find_if(calls, [&](const OptionalCall &call) {
		return (call.call.empty() || name == call.call) && isOf(call.scenarios, scenario) &&
		       isOf(call.codes, errnoName(code));
	});
	return found == std::end(calls) ? nullptr : found->reason;
}

} /* namespace heapflow::torture */
