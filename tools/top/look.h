/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look of `heapctl top` at the system, and what flowed between two of them. Pure but
 * takeLook(). */
#pragma once

#include "../system_view.h"
#include "heapflow/heap/region_activity.h"

#include <chrono>
#include <map>
#include <string>

namespace heapflow::tool
{

struct Look {
	std::chrono::steady_clock::time_point time;
	std::string utc;
	SystemView view;
	std::map<std::string, RegionActivity> activity; /**< by Region::id */
};

/** \brief The errors are those of listHeaps() */
Result<Look> takeLook(const SystemPaths &paths);

/** \brief What a region gave and took back between two looks */
struct Flow {
	std::optional<double> allocated; /**< bytes a second */
	std::optional<double> released;
	std::optional<uint64_t> refused; /**< bytes asked for in vain; nothing when nobody counts */
	/** From the kernel's counters; else from the buffers seen, and one that came and went
	 * between two looks is missed */
	bool exact = false;
};

/** \brief By Region::id; empty for a region that only one look has, or when no time went by */
std::map<std::string, Flow> flowsBetween(const Look &before, const Look &after);

/** \brief One process, with what it holds of all regions or of one */
struct ProcessRow {
	ProcessName process;
	uint64_t bytes = 0; /**< each buffer once */
	size_t buffers = 0;
	std::optional<int64_t> change; /**< bytes, since the look before */
	std::string regions;           /**< "video@42000000 24 MiB, system 4 KiB" */
};

struct BufferRow {
	uint64_t inode = 0;
	std::string name;
	std::string heap;   /**< who made it: a heap, or a driver that exports memory of its own */
	std::string region; /**< Region::id; empty when it is of no heap */
	uint64_t size = 0;
	std::optional<uint64_t> references;
	std::string holders; /**< "cam[77], sink[80]" */
};

/** \brief What is shown of processes and buffers; empty and nothing mean all */
struct TopFilter {
	std::string region;
	std::optional<pid_t> process;

	bool operator==(const TopFilter &) const = default;
};

/** \brief The rows of `look`, unsorted; `before` may be null */
std::vector<ProcessRow> processRows(const Look &look, const Look *before, const TopFilter &filter);
std::vector<BufferRow> bufferRows(const Look &look, const TopFilter &filter);

} /* namespace heapflow::tool */
