/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of the application in a process of its own, with one allocation that fails. */
#pragma once

#include "camera_to_screen.h"

#include <string>
#include <vector>

namespace heapflow::torture
{

enum class Phase { None, Start, Play, Stop, Close };

const char *phaseName(Phase phase);

/** \brief Where the fault is put */
struct Fault {
	Phase phase = Phase::None;
	unsigned thread = 0; /**< of the process: 0 the one that calls, then the others as made */
	unsigned nth = 0;    /**< allocation of that thread in that phase, from 1 */
};

/** \brief What came of it */
struct Outcome {
	bool injected = false; /**< there was an nth allocation */
	std::string error;     /**< what the application was told; empty: it never noticed */
	std::string where;     /**< functions of the kernel that wanted the allocation */
	std::string broken;    /**< why this is not surviving; empty: it survived */
	std::string kept;      /**< why the kernel itself keeps memory after this fault */
	unsigned threads = 0;  /**< of the process while it played */
};

/**
 * \brief Start, play, stop and close in a child process, and look at what is left of it
 *
 * Broken is: a crash, no end, an error in a part without the fault, an error without errno or
 * text, descriptors that stay open, memory of heaps that does not come back. Where nothing but the
 * last is amiss, and the kernel is known to keep a dma-buf when the allocation of these functions
 * fails (keptByTheKernel()), one dma-buf less is `kept` and not broken.
 */
Outcome attempt(const CameraToScreenOptions &options, const Fault &fault);

} /* namespace heapflow::torture */
