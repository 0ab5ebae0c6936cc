/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scenario in a process of its own with one fault in it, and what came of that. */
#pragma once

#include "errnos.h"
#include "fault_plan.h"
#include "scenario.h"

#include <memory>
#include <string>
#include <vector>

namespace heapflow::torture
{

/** \brief How a run with a fault ended */
struct Run {
	bool reached = false; /**< the fault was injected */
	bool survived = false;
	std::string saw; /**< what a user saw, or why the run did not survive */
};

/** \brief Runs a scenario in processes that it forks; this one must have no other thread */
class Injector
{
public:
	explicit Injector(const Scenario &scenario);
	~Injector();

	Injector(const Injector &) = delete;
	Injector &operator=(const Injector &) = delete;

	/** \brief Without a fault: the calls that the scenario makes; empty when it does not work
	 */
	std::vector<CallSite> record();

	Run run(const Target &target, Meaning meaning);

	/** \brief Without a fault, for its own sake: are the devices usable? */
	Run runClean();

	/** \brief With the fault in this very process, for a debugger; \return the exit status */
	int runHere(const Target &target);

private:
	enum class End { Exited, Signalled, Hung };
	struct Ended {
		End end = End::Exited;
		int status = 0;
	};

	void begin(PlanMode mode, const Target &target);
	Ended runInChild();
	[[noreturn]] void runAndExit();
	void runAndTell();
	Run judge(const Ended &ended, const Target &target, Meaning meaning) const;
	Run judgeSuccess(Run run, const Target &target, Meaning meaning) const;

	const Scenario &scenario_;
	FaultPlan *plan_ = nullptr;
	std::string planFile_;
};

/** \brief "ioctl DMA_HEAP_IOCTL_ALLOC#1:ENOMEM:once", for --only and for reports */
std::string textOf(const Target &target);

} /* namespace heapflow::torture */
