/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which sync brackets are open on which buffer, and what is wrong with the next one. */
#pragma once

#include "heapflow/heap/cpu_access.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief "reading", "writing", "reading and writing" */
const char *accessText(Access access);

/**
 * \brief The books of the checking mode, pure: who calls says which buffer and thread it is
 *
 * Several threads may each have a bracket on one buffer, and one may end what another began; only
 * a thread that begins inside its own bracket is nested. Not thread-safe.
 */
class BracketLedger
{
public:
	/** \brief A dma-buf, whatever descriptors lead to it: device and inode */
	struct Key {
		dev_t device = 0;
		ino_t inode = 0;
		auto operator<=>(const Key &) const = default;
	};

	/** \brief What is wrong with it, in a sentence without the buffer's name; nothing when fine
	 */
	using Finding = std::optional<std::string>;

	Finding begin(const Key &key, Access access, pid_t thread, std::string_view name = {});
	Finding end(const Key &key, Access access, pid_t thread);

	/** \brief The buffer leaves its pool, into the hands of `holder` */
	void handOut(const Key &key, std::string_view holder);
	/** \brief It goes back; brackets that are still open are a mistake */
	Finding giveBack(const Key &key);
	/** \brief It left its pool for good */
	void forget(const Key &key);

	/** \brief Who has it or had it last, as its pool was told; empty for buffers of no pool */
	std::string holder(const Key &key) const;

	/** \brief One sentence for each bracket that nobody has ended, with the name of its buffer
	 */
	std::vector<std::string> open() const;

private:
	struct Bracket {
		Access access;
		pid_t thread;
		bool reported; /* as left open when its buffer was given back */
	};
	struct Record {
		std::string name;
		std::vector<Bracket> open;
		std::optional<Access> ended; /* the last one */
		std::string holder;
		bool pooled = false;
		bool inPool = false;
	};

	void prune();

	std::map<Key, Record> records_;
};

} /* namespace heapflow */
