/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done again and again, each time with another call failing. */
#pragma once

#include "heapflow/heap/error.h"

#include <span>
#include <string>

namespace heapflow::torture
{

/** \brief One use of the libraries from its beginning to its end */
struct Scenario {
	const char *name;
	const char *summary;
	/** Once, in the process that is then forked for each run */
	void (*prepare)();
	/**
	 * All objects of the libraries are destroyed when it returns. Success means that what was
	 * asked for was done, which the scenario has looked at; the error is what a user saw. One
	 * that begins with "WRONG" is the scenario's own: something is not as it must be. After
	 * "INCOMPLETE" something is missing that is there, after "LEFT OUT" from a list of what can
	 * be used.
	 */
	Result<void> (*run)();
	/** Programs with heapctl's calls in them: the plan is passed on by the environment */
	bool executes = false;
};

Result<void> useHeaps();
Result<void> useHeapctl();
Result<void> useDoctor();
Result<void> useCamera();
Result<void> useCameraMonitor();
Result<void> useDisplay();
Result<void> useScreenshot();
Result<void> usePipeline();
void preparePipeline();

std::span<const Scenario> scenarios();

} /* namespace heapflow::torture */
