/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/fence.h"

#include "heap_access.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

namespace heapflow
{

namespace
{

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/* The same flags as for brackets: include/uapi/linux/dma-buf.h, struct dma_buf_export_sync_file. */
uint32_t directionFlags(Access access)
{
	switch (access) {
	case Access::Read:
		return DMA_BUF_SYNC_READ;
	case Access::Write:
		return DMA_BUF_SYNC_WRITE;
	case Access::ReadWrite:
		break;
	}
	return DMA_BUF_SYNC_RW;
}

int retried(int fd, unsigned long request, void *argument)
{
	int result;
	do {
		result = ioctl(fd, request, argument);
	} while (result != 0 && (errno == EINTR || errno == EAGAIN));
	return result;
}

std::unexpected<Error> dmabufError(int code, const std::string &what, int dmabuf)
{
	return fail(code, what + " the dma-buf on file descriptor " + std::to_string(dmabuf),
		    code == ENOTTY ? "It is no dma-buf, or the kernel is older than 6.0 or built "
				     "without CONFIG_SYNC_FILE"
				   : "");
}

std::unexpected<Error> fenceError(int code, const std::string &what, int fd)
{
	return fail(code, what + " the fence on file descriptor " + std::to_string(fd),
		    code == ENOTTY ? "It is no sync file, or the kernel is built without "
				     "CONFIG_SYNC_FILE"
				   : "");
}

/* sync_fence_info.status: 1 signalled, 0 active, less an errno (sync_file.h). */
FenceStatus statusOf(int32_t status)
{
	if (status < 0)
		return FenceStatus::Failed;
	return status == 0 ? FenceStatus::Active : FenceStatus::Signalled;
}

template<size_t N>
std::string textOf(const char (&field)[N])
{
	return std::string(field, strnlen(field, N));
}

const char *statusText(FenceStatus status)
{
	switch (status) {
	case FenceStatus::Active:
		return "active";
	case FenceStatus::Signalled:
		return "signalled";
	case FenceStatus::Failed:
		break;
	}
	return "failed";
}

std::string millisecondsText(nanoseconds time)
{
	return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
	       " ms";
}

timespec toTimespec(nanoseconds time)
{
	const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
	return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

/* 1 signalled, 0 the time is over, -1 with errno. */
int pollFor(int fd, nanoseconds timeout)
{
	/* Longer than anybody waits: the sum with the present time must not overflow. */
	constexpr nanoseconds kForever = std::chrono::hours(24 * 365);
	const bool endless = timeout > kForever;
	const auto until = steady_clock::now() + std::clamp<nanoseconds>(timeout, 0ns, kForever);

	for (nanoseconds left = std::max<nanoseconds>(timeout, 0ns);;) {
		pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
		const timespec limit = toTimespec(endless ? kForever : left);
		const int count = ppoll(&waited, 1, &limit, nullptr);
		if (count > 0 && (waited.revents & (POLLNVAL | POLLERR)) != 0) {
			errno = (waited.revents & POLLNVAL) ? EBADF : EINVAL;
			return -1;
		}
		if (count >= 0 && !(count == 0 && endless))
			return count;
		if (count < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		left = std::max<nanoseconds>(until - steady_clock::now(), 0ns);
	}
}

} /* namespace */

Result<Fence> Fence::exportFrom(int dmabuf, Access access)
{
	dma_buf_export_sync_file request{directionFlags(access), -1};
	if (retried(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) != 0)
		return dmabufError(errno, "cannot export a fence of", dmabuf);
	return Fence(UniqueFd(request.fd));
}

Result<void> Fence::importInto(int dmabuf, Access access) const
{
	dma_buf_import_sync_file request{directionFlags(access), fd_.get()};
	if (retried(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request) == 0)
		return {};
	/* The kernel says EINVAL for a descriptor that is no sync file. */
	if (errno == EINVAL)
		return fail(
			EINVAL,
			"cannot import the fence on file descriptor " + std::to_string(fd_.get()) +
				" into the dma-buf on file descriptor " + std::to_string(dmabuf),
			"It may be no sync file");
	return dmabufError(errno, "cannot import a fence into", dmabuf);
}

Result<Fence> Fence::merge(const Fence &one, const Fence &other, std::string_view name)
{
	sync_merge_data request{};
	name.substr(0, sizeof(request.name) - 1).copy(request.name, sizeof(request.name) - 1);
	request.fd2 = other.fd();
	request.fence = -1;
	if (retried(one.fd(), SYNC_IOC_MERGE, &request) != 0) {
		/* ENOENT is about the second descriptor: sync_file_ioctl_merge(). */
		if (errno == ENOENT)
			return fail(ENOENT,
				    "cannot merge: file descriptor " + std::to_string(other.fd()) +
					    " is no fence",
				    "");
		return fenceError(errno, "cannot merge", one.fd());
	}
	return Fence(UniqueFd(request.fence));
}

Result<void> Fence::wait(nanoseconds timeout) const
{
	const int signalled = pollFor(fd(), timeout);
	if (signalled < 0)
		return fenceError(errno, "cannot wait for", fd());

	const auto now = info();
	if (!now)
		return std::unexpected(now.error());
	if (now->status == FenceStatus::Failed)
		return fail(now->error, "what the fence stood for has failed: " + describe(*now),
			    "What is in the buffer may be incomplete");
	if (signalled == 0 && now->status == FenceStatus::Active)
		return fail(ETIMEDOUT,
			    "the fence is still active after " + millisecondsText(timeout) + ": " +
				    describe(*now),
			    "The device behind it is stuck, slow, or was never started");
	return {};
}

Result<FenceStatus> Fence::status() const
{
	/* Without the points, the kernel fills in what is common to them. */
	sync_file_info request{};
	if (retried(fd(), SYNC_IOC_FILE_INFO, &request) != 0)
		return fenceError(errno, "cannot look at", fd());
	return statusOf(request.status);
}

Result<FenceInfo> Fence::info() const
{
	sync_file_info request{};
	if (retried(fd(), SYNC_IOC_FILE_INFO, &request) != 0)
		return fenceError(errno, "cannot look at", fd());

	/* The number of fences in a sync file never changes. */
	std::vector<sync_fence_info> points(request.num_fences);
	request = {};
	request.num_fences = static_cast<uint32_t>(points.size());
	request.sync_fence_info = reinterpret_cast<uintptr_t>(points.data());
	if (retried(fd(), SYNC_IOC_FILE_INFO, &request) != 0)
		return fenceError(errno, "cannot look at", fd());

	FenceInfo info{.name = textOf(request.name), .status = statusOf(request.status)};
	for (const sync_fence_info &one : points) {
		const FenceStatus status = statusOf(one.status);
		const int error = status == FenceStatus::Failed ? -one.status : 0;
		if (info.error == 0)
			info.error = error;
		info.points.push_back(
			{.driver = textOf(one.driver_name),
			 .timeline = textOf(one.obj_name),
			 .status = status,
			 .error = error,
			 .time = nanoseconds(status == FenceStatus::Active ? 0
									   : one.timestamp_ns)});
	}
	if (info.status == FenceStatus::Failed && info.error == 0)
		info.error = -request.status;
	return info;
}

std::string describe(const FenceInfo &info)
{
	std::string text;
	for (const FencePoint &point : info.points) {
		if (!text.empty())
			text += ", ";
		text += printable(point.driver) + " " + printable(point.timeline) + ": " +
			statusText(point.status);
		if (point.error != 0)
			text += " (" + errnoName(point.error) + ")";
	}
	return text.empty() ? "no fences" : text;
}

} /* namespace heapflow */
