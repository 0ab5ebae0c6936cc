/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_watch.h"

#include "heap_access.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>

namespace heapflow
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/* How often free memory is looked at, which no event announces. */
constexpr milliseconds kMemoryPeriod{200};

bool dependsOnFreeMemory(const HeapExpression &expression)
{
	for (const HeapAlternative &alternative : expression.alternatives) {
		for (const HeapCondition &condition : alternative.conditions) {
			if (condition.key == HeapCondition::Key::MinFree)
				return true;
		}
	}
	return false;
}

std::string secondsText(milliseconds time)
{
	std::string text = std::to_string(time.count() / 1000);
	if (const auto rest = time.count() % 1000)
		text += "." + std::to_string(1000 + rest).substr(1);
	return text + " s";
}

/* Milliseconds for poll(): -1 for ever, rounded up so that it does not wake just before the end. */
int pollTime(std::optional<Clock::time_point> end, bool looksAtMemory)
{
	milliseconds time = looksAtMemory ? kMemoryPeriod : milliseconds(-1);
	if (end) {
		const auto left = std::max(milliseconds(0),
					   std::chrono::ceil<milliseconds>(*end - Clock::now()));
		time = looksAtMemory ? std::min(time, left) : left;
	}
	return static_cast<int>(std::min<milliseconds::rep>(time.count(), 1 << 30));
}

} /* namespace */

Result<HeapChoice> waitForHeap(const HeapExpression &expression,
			       std::optional<milliseconds> timeout, int cancelFd,
			       const SystemPaths &paths)
{
	std::optional<Clock::time_point> end;
	if (timeout)
		end = Clock::now() + *timeout;
	auto watch = HeapWatch::create(paths);
	if (!watch)
		return std::unexpected(watch.error());

	const bool looksAtMemory = dependsOnFreeMemory(expression);
	for (;;) {
		auto choice = chooseHeap(expression, watch->heaps());
		if (choice)
			return choice;
		if (end && Clock::now() >= *end)
			return fail(ETIMEDOUT,
				    "waited " + secondsText(*timeout) + " for '" +
					    printable(expression.text) +
					    "': " + choice.error().message,
				    choice.error().hint);

		/* poll(2) ignores entries with a negative descriptor. */
		pollfd files[] = {{watch->fd(), POLLIN, 0}, {cancelFd, POLLIN, 0}};
		if (poll(files, 2, pollTime(end, looksAtMemory)) < 0 && errno != EINTR)
			return fail(errno, "cannot wait for a heap");
		if (files[1].revents)
			return fail(ECANCELED,
				    "the wait for '" + printable(expression.text) +
					    "' was cancelled: " + choice.error().message);
		if (auto changes = watch->read(); !changes)
			return std::unexpected(changes.error());
	}
}

} /* namespace heapflow */
