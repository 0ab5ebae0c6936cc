/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checking mode while it is on: books of brackets, reports, guarded mappings. */
#pragma once

#include "heapflow/heap/access_check.h"
#include "heapflow/heap/cpu_access.h"

#include "bracket_ledger.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace heapflow
{

/** \brief Every function may be called from any thread */
class AccessCheck
{
public:
	/** \brief nullptr when HEAPFLOW_CHECK does not ask for it, which costs one load */
	static AccessCheck *get();

	const AccessCheckSettings &settings() const { return settings_; }

	/* To be called after a begin that succeeded, and before an end. */
	void began(int dmabuf, Access access);
	void ending(int dmabuf, Access access);

	/* From the pool. */
	void handedOut(int dmabuf, std::string_view holder);
	void givenBack(int dmabuf);
	void leftPool(int dmabuf);

	/* From the windows, so that givenBack() can shut those of its buffer. */
	void opened(CpuWindow &window);
	void closed(CpuWindow &window);

	/** \brief To stderr, in one write; ends the program when that was asked for */
	void report(std::string_view sentence, std::string_view buffer) const;

private:
	explicit AccessCheck(AccessCheckSettings settings) : settings_(std::move(settings)) {}
	static AccessCheck *fromEnvironment();
	void reportOpen();

	const AccessCheckSettings settings_;
	std::mutex mutex_;
	BracketLedger ledger_;
	std::multimap<BracketLedger::Key, CpuWindow *> windows_;
};

/** \brief The dma-buf behind a descriptor, the same for all its descriptors */
BracketLedger::Key bufferKey(int dmabuf);

/** \brief "buffer 'camera' of heap video@42000000, inode 17", from fdinfo: for reports */
std::string bufferText(int dmabuf);

} /* namespace heapflow */
