/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bracket_ledger.h"

#include <algorithm>
#include <cstddef>
#include <ranges>

namespace heapflow
{

namespace
{

/* Buffers without an open bracket are remembered only to tell "ended twice" from "never begun". */
constexpr size_t kRemembered = 4096;

std::string byThread(pid_t thread)
{
	return " by thread " + std::to_string(thread);
}

} /* namespace */

const char *accessText(Access access)
{
	switch (access) {
	case Access::Read:
		return "reading";
	case Access::Write:
		return "writing";
	case Access::ReadWrite:
		break;
	}
	return "reading and writing";
}

BracketLedger::Finding BracketLedger::begin(const Key &key, Access access, pid_t thread,
					    std::string_view name)
{
	if (records_.size() > kRemembered)
		prune();
	Record &record = records_[key];
	if (!name.empty())
		record.name = name;

	Finding finding;
	const auto own = std::ranges::find(record.open, thread, &Bracket::thread);
	if (record.inPool)
		finding = std::string("a bracket for ") + accessText(access) +
			  " begins on a buffer that has been given back by '" + record.holder + "'";
	else if (own != record.open.end() && !own->reported)
		finding = std::string("a bracket for ") + accessText(access) +
			  " begins inside one for " + accessText(own->access) +
			  " of the same thread (nested)";
	/* Reported once, here: what is begun in the pool must not be reported as open again. */
	record.open.push_back({access, thread, record.inPool});
	return finding;
}

BracketLedger::Finding BracketLedger::end(const Key &key, Access access, pid_t thread)
{
	Record &record = records_[key];
	/* The newest of the same direction, of this thread rather than of another. */
	auto reversed = record.open | std::views::reverse;
	auto found = std::ranges::find_if(reversed, [&](const Bracket &one) {
		return one.access == access && one.thread == thread;
	});
	if (found == reversed.end())
		found = std::ranges::find(reversed, access, &Bracket::access);
	if (found != reversed.end()) {
		record.open.erase(std::prev(found.base()));
		record.ended = access;
		return {};
	}

	if (!record.open.empty()) {
		auto other = std::ranges::find(reversed, thread, &Bracket::thread);
		if (other == reversed.end())
			other = reversed.begin();
		const Access begun = other->access;
		record.open.erase(std::prev(other.base()));
		record.ended = begun;
		return std::string("a bracket that was begun for ") + accessText(begun) +
		       " is ended for " + accessText(access);
	}
	if (record.ended)
		return std::string("a bracket for ") + accessText(access) +
		       " is ended twice: none is open any more";
	return std::string("a bracket for ") + accessText(access) +
	       " is ended that was never begun";
}

void BracketLedger::handOut(const Key &key, std::string_view holder)
{
	Record &record = records_[key];
	record.pooled = true;
	record.inPool = false;
	record.holder = holder;
}

BracketLedger::Finding BracketLedger::giveBack(const Key &key)
{
	Record &record = records_[key];
	record.inPool = true;

	Finding finding;
	for (Bracket &one : record.open) {
		if (one.reported)
			continue;
		one.reported = true;
		if (!finding)
			finding = std::string("the buffer is given back inside a bracket for ") +
				  accessText(one.access) + ", begun" + byThread(one.thread);
	}
	return finding;
}

void BracketLedger::forget(const Key &key)
{
	const auto found = records_.find(key);
	if (found == records_.end())
		return;
	found->second.pooled = false;
	found->second.inPool = false;
}

std::string BracketLedger::holder(const Key &key) const
{
	const auto found = records_.find(key);
	return found == records_.end() ? "" : found->second.holder;
}

std::vector<std::string> BracketLedger::open() const
{
	std::vector<std::string> sentences;
	for (const auto &[key, record] : records_) {
		for (const Bracket &one : record.open) {
			if (!one.reported)
				sentences.push_back(std::string("a bracket for ") +
						    accessText(one.access) +
						    " was never ended, begun" +
						    byThread(one.thread) + ": " + record.name);
		}
	}
	return sentences;
}

void BracketLedger::prune()
{
	std::erase_if(records_, [](const auto &entry) {
		return entry.second.open.empty() && !entry.second.pooled;
	});
}

} /* namespace heapflow */
