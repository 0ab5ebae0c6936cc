/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heaps that appear, vanish or change permission while a program runs. */
#pragma once

#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/unique_fd.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief One difference between two moments */
struct HeapChange {
	enum class Kind {
		Appeared, /**< also a node that was replaced: Vanished comes just before */
		Vanished,
		AccessChanged, /**< owner, group, mode, or whether this process may open it */
	};

	Kind kind = Kind::Appeared;
	Heap heap; /**< as it is now; as it was, when it vanished */

	/** \brief "appeared", "vanished", "access changed" */
	std::string_view name() const;
};

/** \brief What changed, sorted by name; pure */
std::vector<HeapChange> compareHeaps(const std::vector<Heap> &before,
				     const std::vector<Heap> &after);

/**
 * \brief Notices changes of the heap directory
 *
 * Heap drivers are modules (DMABUF_HEAPS_SYSTEM, DMABUF_HEAPS_CMA are tristate since Linux 7.2),
 * and udev sets permissions after a node was made, so that a heap can come late. The directory is
 * watched by inotify and not by udev: that also sees what is done by hand and works without udevd,
 * in a container for instance. What inotify says is only taken as "look again", and so a queue that
 * overflowed loses nothing.
 *
 * Move-only, one thread: create, poll fd(), call read() from the same thread.
 */
class HeapWatch
{
public:
	/**
	 * \brief Watches, then looks: nothing falls between
	 *
	 * A heap directory that does not exist yet is waited for. Errors: EMFILE, ENOSPC inotify
	 * has no more instances or watches (fs.inotify.max_user_instances, .max_user_watches).
	 */
	static Result<HeapWatch> create(const SystemPaths &paths = {});

	/** \brief Readable (POLLIN) when read() may have something to say */
	int fd() const { return inotify_.get(); }

	/** \brief What changed since the last call; never blocks, and may be empty */
	Result<std::vector<HeapChange>> read();

	/** \brief The heaps as read() or create() saw them, sorted by name */
	const std::vector<Heap> &heaps() const { return heaps_; }

private:
	HeapWatch(SystemPaths paths, UniqueFd inotify);
	Result<void> watch();
	Result<void> look();
	void drain();

	SystemPaths paths_;
	UniqueFd inotify_;
	int watched_ = -1; /* inotify's number */
	std::filesystem::path
		watchedDirectory_; /* the heap directory, or the nearest that exists */
	std::vector<Heap> heaps_;
};

/**
 * \brief Waits until the expression can be chosen
 *
 * \param[in] timeout None waits for ever.
 * \param[in] cancelFd When it becomes readable the wait ends with ECANCELED; -1 for none. An
 * eventfd, or a signalfd: signal handlers need do nothing.
 *
 * Blocks the calling thread without polling; only for a `min-free=` condition it looks five times a
 * second, since the kernel tells nobody when memory becomes free.
 *
 * Errors: ETIMEDOUT with what is missing still (the name, the permission, the memory), ECANCELED,
 * and those of HeapWatch::create().
 */
Result<HeapChoice> waitForHeap(const HeapExpression &expression,
			       std::optional<std::chrono::milliseconds> timeout, int cancelFd = -1,
			       const SystemPaths &paths = {});

} /* namespace heapflow */
