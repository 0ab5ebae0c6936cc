/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof that a device accepts the memory of a heap: it has accepted a buffer of it. */
#pragma once

#include "heapflow/heap/heap.h"
#include "heapflow/heap/memory_needs.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace heapflow
{

/** \brief What a device said to a buffer; Unknown when it could not be asked, being busy for
 * instance */
struct ProbeAnswer {
	Demand accepted = Demand::Unknown;
	std::string reason; /**< "QBUF refused it (EFAULT: Bad address)" */

	bool operator==(const ProbeAnswer &) const = default;
};

/**
 * \brief A device that can be asked whether it takes a buffer
 *
 * Implemented by camera (an import into its V4L2 queue) and display (an import and a framebuffer).
 * Called by one thread at a time for each object, from the thread that chooses.
 */
class MemoryProbe
{
public:
	virtual ~MemoryProbe() = default;

	/** \brief The device, the same for as long as the process runs: "/dev/video7" */
	virtual std::string device() const = 0;
	/** \brief Bytes of the smallest buffer that it can be asked with */
	virtual uint64_t smallestBuffer() const = 0;
	/** \brief Imports `buffer`, and lets go of it before it returns */
	virtual ProbeAnswer tryBuffer(const Buffer &buffer) = 0;
};

/** \brief One answer, as a value that decisions are made of */
struct HeapProof {
	std::string device;
	std::string heap; /**< its name */
	ProbeAnswer answer;
};

/**
 * \brief The answers that were given, kept
 *
 * Yes and No are kept until clear(); Unknown is asked again. The key is the device and the heap's
 * node (its device number), so that a heap that was replaced is asked anew.
 *
 * Every function may be called from any thread. Two threads that ask the same at the same time both
 * ask the device: the lock is not held while a device thinks.
 */
class HeapProofs
{
public:
	/**
	 * \brief The kept answer, or that of a buffer allocated for it
	 *
	 * The buffer has kScatteredSize bytes at least. That it cannot be allocated gives Unknown.
	 */
	ProbeAnswer ask(MemoryProbe &probe, const Heap &heap, const SystemPaths &paths = {});

	/** \brief Only what is kept; Unknown when nothing is */
	ProbeAnswer known(const std::string &device, const Heap &heap) const;

	void clear();

	/** \brief Those of this process */
	static HeapProofs &ofProcess();

	/**
	 * \brief Bytes that the system heap cannot give in one piece
	 *
	 * Its largest piece is of order 8 (1 MiB with pages of 4 KiB: system_heap.c). Four of these
	 * and one page are contiguous only if five allocations happened to follow each other
	 * upwards.
	 */
	static constexpr uint64_t kScatteredSize = (4 << 20) + 1;

private:
	using Key = std::pair<std::string, std::pair<std::string, dev_t>>;
	static Key keyOf(const std::string &device, const Heap &heap);

	mutable std::mutex mutex_;
	std::map<Key, ProbeAnswer> answers_;
};

} /* namespace heapflow */
