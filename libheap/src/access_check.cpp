/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "access_check.h"

#include "cpu_window.h"
#include "heap_access.h"
#include "small_file.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

constexpr const char *kVariable = "HEAPFLOW_CHECK";

/* "name:\tcamera 3\n" of /proc/PID/fdinfo/FD: the text after the colon. */
std::string fdinfoField(std::string_view text, std::string_view field)
{
	const std::string start = std::string(field) + ":\t";
	for (size_t at = 0; at < text.size();) {
		const size_t end = std::min(text.find('\n', at), text.size());
		const std::string_view line = text.substr(at, end - at);
		if (line.starts_with(start))
			return printable(line.substr(start.size()));
		at = end + 1;
	}
	return {};
}

} /* namespace */

AccessCheckSettings readAccessCheckSettings(std::string_view value)
{
	AccessCheckSettings settings;
	if (value.empty() || value == "0")
		return settings;

	settings.on = true;
	settings.guards = true;
	std::string_view rest = value;
	if (const size_t comma = value.find(','); comma != std::string_view::npos) {
		rest = value.substr(0, comma);
		if (value.substr(comma + 1) == "no-guard")
			settings.guards = false;
		else
			rest = {}; /* not understood */
	}
	if (rest == "abort")
		settings.endsProgram = true;
	else if (rest != "1")
		settings.complaint = std::string(kVariable) + "='" + printable(value) +
				     "' is not understood and taken for 1: it may be 0, 1, abort, "
				     "1,no-guard or abort,no-guard";
	return settings;
}

AccessCheck *AccessCheck::fromEnvironment()
{
	const char *value = std::getenv(kVariable);
	AccessCheckSettings settings = readAccessCheckSettings(value ? value : "");
	if (!settings.on)
		return nullptr;
	/* Never destroyed: brackets may be ended by destructors that run after ours would. */
	auto *check = new AccessCheck(std::move(settings));
	if (!check->settings_.complaint.empty())
		std::fprintf(stderr, "heapflow check: %s\n", check->settings_.complaint.c_str());
	return check;
}

AccessCheck *AccessCheck::get()
{
	static AccessCheck *const check = [] {
		AccessCheck *made = fromEnvironment();
		if (made)
			std::atexit([] { get()->reportOpen(); });
		return made;
	}();
	return check;
}

void AccessCheck::began(int dmabuf, Access access)
{
	const BracketLedger::Key key = bufferKey(dmabuf);
	const std::string name = bufferText(dmabuf);
	BracketLedger::Finding finding;
	{
		const std::lock_guard lock(mutex_);
		finding = ledger_.begin(key, access, gettid(), name);
	}
	if (finding)
		report(*finding, name);
}

void AccessCheck::ending(int dmabuf, Access access)
{
	const BracketLedger::Key key = bufferKey(dmabuf);
	BracketLedger::Finding finding;
	{
		const std::lock_guard lock(mutex_);
		finding = ledger_.end(key, access, gettid());
	}
	if (finding)
		report(*finding, bufferText(dmabuf));
}

void AccessCheck::handedOut(int dmabuf, std::string_view holder)
{
	const std::lock_guard lock(mutex_);
	ledger_.handOut(bufferKey(dmabuf), printable(holder));
}

void AccessCheck::givenBack(int dmabuf)
{
	const BracketLedger::Key key = bufferKey(dmabuf);
	BracketLedger::Finding finding;
	std::string holder;
	{
		const std::lock_guard lock(mutex_);
		finding = ledger_.giveBack(key);
		holder = ledger_.holder(key);
		const auto [first, last] = windows_.equal_range(key);
		for (auto it = first; it != last; ++it)
			it->second->shut(holder);
	}
	if (finding)
		report(*finding, bufferText(dmabuf) + ", held by '" + holder + "'");
}

void AccessCheck::leftPool(int dmabuf)
{
	const std::lock_guard lock(mutex_);
	ledger_.forget(bufferKey(dmabuf));
}

void AccessCheck::opened(CpuWindow &window)
{
	const std::lock_guard lock(mutex_);
	windows_.emplace(bufferKey(window.fd()), &window);
}

void AccessCheck::closed(CpuWindow &window)
{
	const std::lock_guard lock(mutex_);
	std::erase_if(windows_, [&](const auto &entry) { return entry.second == &window; });
}

void AccessCheck::report(std::string_view sentence, std::string_view buffer) const
{
	std::string line = "heapflow check: " + std::string(sentence);
	if (!buffer.empty())
		line += ": " + std::string(buffer);
	line += " (thread " + std::to_string(gettid()) + ")\n";
	/* One write, so that the reports of several threads do not mix. */
	if (write(STDERR_FILENO, line.data(), line.size()) < 0)
		return;
	if (settings_.endsProgram)
		std::abort();
}

void AccessCheck::reportOpen()
{
	std::vector<std::string> sentences;
	{
		const std::lock_guard lock(mutex_);
		sentences = ledger_.open();
	}
	for (const std::string &sentence : sentences)
		report(sentence, {});
}

BracketLedger::Key bufferKey(int dmabuf)
{
	struct stat status{};
	/* What is no file is told apart by its number: it is only about to fail. */
	if (fstat(dmabuf, &status) != 0)
		return {0, static_cast<ino_t>(dmabuf)};
	return {status.st_dev, status.st_ino};
}

std::string bufferText(int dmabuf)
{
	const std::string text =
		readSmallFile("/proc/self/fdinfo/" + std::to_string(dmabuf)).value_or("");
	const std::string name = fdinfoField(text, "name");
	const std::string heap = fdinfoField(text, "exp_name");
	return "buffer " + (name.empty() ? "without a name" : "'" + name + "'") +
	       (heap.empty() ? "" : " of heap " + heap) + ", inode " +
	       std::to_string(bufferKey(dmabuf).inode);
}

} /* namespace heapflow */
