/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault_plan.h"

#include "caller.h"

#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

FaultPlan *plan = nullptr;

/* Of this thread: inside of faultOf(), whose own calls never fail. */
thread_local bool inside __attribute__((tls_model("initial-exec"))) = false;

/* A program that was executed finds the plan of its parent; by calls that nobody interposes. */
__attribute__((constructor)) void join()
{
	const char *path = getenv(planVariable);
	const long file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	if (file < 0)
		return;
	const long memory = syscall(SYS_mmap, nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE,
				    MAP_SHARED, file, 0);
	syscall(SYS_close, file);
	if (memory != -1)
		plan = reinterpret_cast<FaultPlan *>(memory);
}

void record(FaultPlan &shared, const CallKind &kind, const Origin &origin)
{
	while (shared.sitesBusy.test_and_set())
		sched_yield();
	uint32_t i = 0;
	while (i < shared.siteCount &&
	       (shared.sites[i].kind != kind || shared.sites[i].stack != origin.stack))
		i++;
	if (i == shared.siteCount && i < shared.sites.size()) {
		CallSite &site = shared.sites[shared.siteCount++];
		site = {.kind = kind, .stack = origin.stack, .offset = origin.offset};
		std::strncpy(site.library.data(), origin.library, site.library.size() - 1);
	}
	if (i < shared.sites.size())
		shared.sites[i].count++;
	shared.sitesBusy.clear();
}

int inject(FaultPlan &shared, const CallKind &kind, const Origin &origin)
{
	const Target &target = shared.target;
	if (target.kind != kind || (target.stack && target.stack != origin.stack))
		return 0;
	const uint32_t number = ++shared.seen;
	if (number < target.occurrence || number - target.occurrence >= target.times)
		return 0;
	if (++shared.injected > spinLimit)
		_exit(spinStatus);
	return target.code;
}

} /* namespace */

FaultPlan *planOfProcess()
{
	return plan;
}

void setPlanOfProcess(FaultPlan *shared)
{
	plan = shared;
}

bool planIsActive()
{
	return plan && !inside && plan->mode != PlanMode::Off;
}

int faultOf(CallKind kind, const void *caller)
{
	if (!planIsActive())
		return 0;
	const PlanMode mode = plan->mode;
	if (mode == PlanMode::Inject && plan->target.kind != kind)
		return 0;
	inside = true;
	int code = 0;
	if (const Origin origin = originOf(caller); origin.library) {
		if (mode == PlanMode::Record)
			record(*plan, kind, origin);
		else
			code = inject(*plan, kind, origin);
	}
	inside = false;
	return code;
}

} /* namespace heapflow::torture */
