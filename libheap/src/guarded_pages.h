/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mappings that fault when they are touched at the wrong time, and the handler that says so. */
#pragma once

#include <cstddef>
#include <string>

namespace heapflow
{

/**
 * \brief The guarded mappings of this process, in a table of fixed size that a signal handler reads
 *
 * A slot belongs to one caller between add() and retire(); callers of one slot exclude each other.
 */
class GuardedPages
{
public:
	enum class State : int {
		Outside,   /**< no bracket is open: no rights */
		Readable,  /**< inside a bracket for reading */
		Writable,  /**< inside a bracket for writing, or both */
		GivenBack, /**< the buffer went back to its pool: no rights */
		Unmapped,  /**< gone; the addresses are kept without memory, to catch stale pointers
			    */
	};

	/**
	 * \brief Guards a mapping; the first call installs the handler of SIGSEGV
	 *
	 * \return The slot, -1 when all are taken.
	 */
	static int add(void *base, size_t length, const std::string &buffer);

	/** \brief Sets the rights of the pages as well; the state they have now, none, is Outside
	 */
	static void set(int slot, State state);
	static void setHolder(int slot, const std::string &holder);

	/**
	 * \brief Unmaps, and keeps the addresses for a while so that a stale pointer faults
	 *
	 * The dma-buf is let go of at once. Only the newest of them are kept (kKept, kKeptBytes).
	 */
	static void retire(int slot);

	static constexpr size_t kSlots = 1024;
	static constexpr size_t kKept = 256;
	static constexpr size_t kKeptBytes = size_t{256} << 20;
};

} /* namespace heapflow */
