/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `auto` takes, and why: the order of the design, as pure logic. */
#pragma once

#include "heapflow/heap/heap_choice.h"

#include <vector>

namespace heapflow
{

/** \brief A heap as `auto` sees it */
struct AutoVerdict {
	bool named = false; /**< it may be tried */
	unsigned rank = 0;  /**< the smallest first; equal ranks keep their order */
	std::string reason;
};

/** \brief One heap against the demands of all devices */
AutoVerdict judgeForAuto(const Heap &heap, const DeviceDemands &demands);

/** \brief The first proof that a device refused this heap; nullptr when none did */
const HeapProof *findRefusal(const Heap &heap, const DeviceDemands &demands);

/** \brief Would `system` be taken before this heap, if all devices took scattered memory? */
bool comesAfterProvenSystem(const Heap &heap, const DeviceDemands &demands);

/** \brief Does some device leave open whether its memory must be contiguous? */
bool contiguityIsOpen(const DeviceDemands &demands);

} /* namespace heapflow */
