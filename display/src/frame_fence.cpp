/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_fence.h"

#include "heapflow/heap/fence.h"

#include <fcntl.h>
#include <poll.h>

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
	/* Linux before 6.0 exports none: then it is left to the driver. */
	auto writes = Fence::exportFrom(frame.dmabuf, Access::Read);
	return writes ? writes->takeFd() : UniqueFd();
}

} /* namespace heapflow */
