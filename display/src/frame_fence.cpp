/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_fence.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace heapflow
{

UniqueFd fenceOfFrame(const Frame &frame)
{
	if (frame.fence >= 0)
		return UniqueFd(fcntl(frame.fence, F_DUPFD_CLOEXEC, 3));

	/* Readable: no write is pending (dma_buf_poll()). */
	pollfd pixels = {frame.dmabuf, POLLIN, 0};
	if (poll(&pixels, 1, 0) != 0)
		return UniqueFd();
	dma_buf_export_sync_file request = {.flags = DMA_BUF_SYNC_READ, .fd = -1};
	if (ioctl(frame.dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request))
		return UniqueFd(); /* Linux before 6.0: left to the driver */
	return UniqueFd(request.fd);
}

} /* namespace heapflow */
