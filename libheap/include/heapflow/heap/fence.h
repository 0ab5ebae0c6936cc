/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sync files: when a device is done with a buffer. */
#pragma once

#include "heapflow/heap/cpu_access.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief Not yet; done; or ended with an error, such as a GPU that was reset */
enum class FenceStatus { Active, Signalled, Failed };

/** \brief One of the fences in a sync file */
struct FencePoint {
	std::string driver;   /**< "vkms", "sw_sync"; only as true as the driver, for people */
	std::string timeline; /**< "vkms-crtc" */
	FenceStatus status = FenceStatus::Active;
	int error = 0; /**< positive errno when it failed */
	/** When it was signalled, CLOCK_MONOTONIC; 0 while it is active */
	std::chrono::nanoseconds time{};
};

struct FenceInfo {
	std::string name; /**< of the sync file, up to 31 bytes */
	FenceStatus status = FenceStatus::Active;
	int error = 0; /**< positive errno of the first fence that failed */
	std::vector<FencePoint> points;
};

/**
 * \brief Sole owner of a sync file
 *
 * A sync file is signalled when all fences in it are; that never goes back. The descriptor can be
 * given to KMS as IN_FENCE_FD, to libcamera as acquire fence, or come from OUT_FENCE_PTR.
 *
 * A fence of a driver is signalled in bounded time, whatever happens. One that a program signals
 * (sw_sync) may never be: do not importInto() such a fence, as everybody who touches the buffer,
 * the kernel included, then waits for that program.
 *
 * Move-only. The const functions may be called from any thread. Errors of all: ENOTTY a kernel
 * without CONFIG_SYNC_FILE, or a descriptor that is no dma-buf or no sync file; EBADF.
 */
class Fence
{
public:
	/** \brief Takes the descriptor as it is: from an ioctl, or another process */
	explicit Fence(UniqueFd fd) : fd_(std::move(fd)) {}

	/**
	 * \brief What must be over before the CPU or a device may do `access` with the dma-buf
	 *
	 * For reading: the writers now at work; for writing: the readers as well. A snapshot: work
	 * that begins later is not in it. A dma-buf that nobody works on gives a signalled fence.
	 * Needs Linux 6.0.
	 */
	static Result<Fence> exportFrom(int dmabuf, Access access);

	/**
	 * \brief Make others wait: who uses implicit sync on the dma-buf sees this as one more
	 * user, who reads it or who writes it (`access`)
	 */
	Result<void> importInto(int dmabuf, Access access) const;

	/** \brief Signalled when both are; takes a copy, they stay usable */
	static Result<Fence> merge(const Fence &one, const Fence &other,
				   std::string_view name = "heapflow");

	/**
	 * \brief Wait until it is signalled; nanoseconds::max() waits without limit
	 *
	 * Goes on waiting for the remaining time after EINTR. Errors: ETIMEDOUT still active; the
	 * errno of a fence that failed, with its timeline in the message: it will not get better.
	 */
	Result<void> wait(std::chrono::nanoseconds timeout) const;

	/** \brief Without waiting */
	Result<FenceStatus> status() const;
	Result<FenceInfo> info() const;

	int fd() const { return fd_.get(); }
	UniqueFd takeFd() { return std::move(fd_); }

private:
	UniqueFd fd_;
};

/** \brief "vkms vkms-crtc: signalled", one for each point, separated by commas */
std::string describe(const FenceInfo &info);

} /* namespace heapflow */
