/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_watch.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include <sys/inotify.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

constexpr uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
			     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/* Of the heap directory while it is looked at; a driver that is loaded makes it once. */
constexpr int kMostMoves = 100;

/* The directory, or the nearest one above it that exists: there the missing one will appear. */
fs::path nearestDirectory(fs::path directory)
{
	std::error_code ignored;
	while (!fs::is_directory(directory, ignored) && directory.has_relative_path())
		directory = directory.parent_path();
	return directory.empty() ? fs::path("/") : directory;
}

Error inotifyError(int code, const std::string &what)
{
	std::string hint;
	if (code == EMFILE || code == ENOSPC)
		hint = "Raise fs.inotify.max_user_instances or fs.inotify.max_user_watches "
		       "(sysctl)";
	return {code, "cannot watch " + what, hint};
}

bool isSameNode(const Heap &one, const Heap &other)
{
	return one.device == other.device && one.linkTarget == other.linkTarget;
}

bool isSameAccess(const Heap &one, const Heap &other)
{
	return one.mode == other.mode && one.owner == other.owner && one.group == other.group &&
	       one.accessible == other.accessible;
}

} /* namespace */

std::string_view HeapChange::name() const
{
	switch (kind) {
	case Kind::Appeared:
		return "appeared";
	case Kind::Vanished:
		return "vanished";
	case Kind::AccessChanged:
		break;
	}
	return "access changed";
}

std::vector<HeapChange> compareHeaps(const std::vector<Heap> &before,
				     const std::vector<Heap> &after)
{
	struct Pair {
		const Heap *before = nullptr;
		const Heap *after = nullptr;
	};
	std::map<std::string, Pair> pairs;
	for (const Heap &heap : before)
		pairs[heap.name.text].before = &heap;
	for (const Heap &heap : after)
		pairs[heap.name.text].after = &heap;

	using enum HeapChange::Kind;
	std::vector<HeapChange> changes;
	for (const auto &[name, pair] : pairs) {
		const bool stayed =
			pair.before && pair.after && isSameNode(*pair.before, *pair.after);
		if (stayed) {
			if (!isSameAccess(*pair.before, *pair.after))
				changes.push_back({AccessChanged, *pair.after});
			continue;
		}
		if (pair.before)
			changes.push_back({Vanished, *pair.before});
		if (pair.after)
			changes.push_back({Appeared, *pair.after});
	}
	return changes;
}

HeapWatch::HeapWatch(SystemPaths paths, UniqueFd inotify)
	: paths_(std::move(paths)), inotify_(std::move(inotify))
{
}

Result<HeapWatch> HeapWatch::create(const SystemPaths &paths)
{
	UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	if (!inotify.valid())
		return std::unexpected(inotifyError(errno, "for heaps"));
	HeapWatch watch(paths, std::move(inotify));
	if (auto watching = watch.watch(); !watching)
		return std::unexpected(watching.error());
	if (auto looked = watch.look(); !looked)
		return std::unexpected(looked.error());
	return watch;
}

/* Moves the watch when the heap directory came or went; again if it does so meanwhile. */
Result<void> HeapWatch::watch()
{
	for (int tries = 1;; tries++) {
		fs::path nearest = nearestDirectory(paths_.heapDirectory);
		if (watched_ >= 0 && nearest == watchedDirectory_)
			return {};
		const int watched = inotify_add_watch(inotify_.get(), nearest.c_str(), kEvents);
		if (watched < 0) {
			if ((errno == ENOENT || errno == ENOTDIR) && tries < kMostMoves)
				continue;
			return std::unexpected(inotifyError(errno, nearest.string()));
		}
		if (watched_ >= 0 && watched_ != watched)
			inotify_rm_watch(inotify_.get(), watched_);
		watched_ = watched;
		watchedDirectory_ = std::move(nearest);
	}
}

Result<void> HeapWatch::look()
{
	auto heaps = listHeaps(paths_);
	if (!heaps && heaps.error().code != ENOENT)
		return std::unexpected(heaps.error());
	heaps_ = heaps ? std::move(*heaps) : std::vector<Heap>{};
	return {};
}

/* inotify(7): a watch whose directory is gone is removed by the kernel, with IN_IGNORED. */
void HeapWatch::drain()
{
	alignas(inotify_event) char events[4096];
	for (;;) {
		const ssize_t count = ::read(inotify_.get(), events, sizeof(events));
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return;
		for (ssize_t at = 0; at < count;) {
			const auto *event = reinterpret_cast<const inotify_event *>(events + at);
			const bool moved = event->mask & (IN_IGNORED | IN_MOVE_SELF);
			if (moved && event->wd == watched_) {
				/* A directory that was moved away is watched still, in its new
				 * place. */
				if (!(event->mask & IN_IGNORED))
					inotify_rm_watch(inotify_.get(), watched_);
				watched_ = -1;
			}
			at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
		}
	}
}

Result<std::vector<HeapChange>> HeapWatch::read()
{
	drain();
	/* Watch before looking, so that what changes in between is an event of the next call. */
	if (auto watching = watch(); !watching)
		return std::unexpected(watching.error());

	const std::vector<Heap> before = std::move(heaps_);
	if (auto looked = look(); !looked) {
		heaps_ = before;
		return std::unexpected(looked.error());
	}
	return compareHeaps(before, heaps_);
}

} /* namespace heapflow */
