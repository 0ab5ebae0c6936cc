/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture of what a screen shows, whoever shows it. */
#pragma once

#include "heapflow/display/screen.h"

#include <string>

namespace heapflow
{

/** \brief What a screen showed, and how that was found out */
struct ScreenCapture {
	Image image;
	std::string device;    /**< "/dev/dri/card1 (vkms)" */
	std::string connector; /**< "Virtual-1" */
	/** "writeback": by the display itself; "mapping": composed by the CPU from the planes */
	std::string method;
};

/**
 * \brief Take a picture of a screen that another program, or nobody, is showing something on
 *
 * Through writeback when there is a connector for it and no other program is master; otherwise by
 * mapping the framebuffers of all planes, which the kernel allows to root (CAP_SYS_ADMIN) alone.
 * Nothing on the screen changes. Of `options` device, driver, busId and connector are used.
 *
 * Errors: as Screen::open(), ENODATA the screen is dark, EACCES neither master nor root, ENOTSUP a
 * framebuffer cannot be mapped or has a format that cannot be read.
 */
Result<ScreenCapture> captureScreen(const ScreenOptions &options);

} /* namespace heapflow */
