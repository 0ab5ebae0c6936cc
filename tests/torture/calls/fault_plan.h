/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which call is to fail, and what was seen of the calls: shared by torture-calls and its children.
 */
#pragma once

#include "call.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace heapflow::torture
{

/** \brief The file of the plan, for programs that are executed (tests of heapctl) */
inline constexpr const char *planVariable = "HEAPFLOW_TORTURE_PLAN";

/** \brief Calls of one kind from one place of the libraries */
struct CallSite {
	CallKind kind;
	uint64_t stack = 0; /**< hash of the frames in our libraries, innermost first */
	uint32_t count = 0;
	uint32_t offset = 0; /**< of the innermost frame in its library */
	std::array<char, 64> library{};
};

enum class PlanMode : uint32_t { Off, Record, Inject };

/** \brief The call that fails */
struct Target {
	CallKind kind;
	uint64_t stack = 0;      /**< 0: from anywhere in our libraries */
	uint32_t occurrence = 1; /**< the first that fails */
	uint32_t times = 1;      /**< how many in a row */
	int32_t code = 0;        /**< errno */
};

/** \brief More of the same in one run means that somebody repeats a call that fails, for ever */
inline constexpr uint32_t spinLimit = 20000;
inline constexpr int spinStatus = 97;

/**
 * \brief What a scenario's process and its parent share
 *
 * In a file that is mapped shared; all zero is a plan that does nothing.
 */
struct FaultPlan {
	std::atomic<PlanMode> mode;
	Target target;
	std::atomic<uint32_t> seen;     /**< calls that the target means */
	std::atomic<uint32_t> injected; /**< of those, failed */

	std::atomic_flag sitesBusy;
	uint32_t siteCount;
	std::array<CallSite, 4096> sites;

	/* What the scenario says at its end. */
	std::atomic<bool> ended;
	bool succeeded;
	std::array<char, 3072> text; /**< all that a user would have seen */
	std::array<char, 1024> left; /**< what was not given back; empty: all was */
};

/** \brief The plan of this process; null in one that has none */
FaultPlan *planOfProcess();
void setPlanOfProcess(FaultPlan *plan);

/**
 * \brief Is this call to fail?
 *
 * Called by each interposed function. Records or counts the call if one of our libraries makes it.
 *
 * \param[in] caller The return address of the interposed function
 * \return errno, or 0: the call is to be made
 */
int faultOf(CallKind kind, const void *caller);

/** \brief Does anybody want to know? Spares the look at descriptors and paths */
bool planIsActive();

} /* namespace heapflow::torture */
