/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of the process and its cgroup. */
#include "checks.h"

#include "heapflow/heap/size_text.h"
#include <algorithm>

namespace heapflow::tool::doctor
{

namespace
{

/* Buffers, their imports, devices, and what GStreamer opens: some dozens; below this it is tight.
 */
constexpr uint64_t kFewDescriptors = 64;
constexpr uint64_t kEnoughDescriptors = 256;
/* Memory that a pipeline of 1080p wants beside its buffers. */
constexpr uint64_t kLittleMemory = uint64_t{64} << 20;

Finding judgeDescriptors(const LimitFacts &limits)
{
	Finding finding{"limits.descriptors", Status::Ok, {}, {}, {"getrlimit(RLIMIT_NOFILE)"}};
	if (!limits.descriptors) {
		finding.status = Status::Unknown;
		finding.seen = "the limit of open files is not this machine's to tell";
		return finding;
	}
	finding.seen = "this process may have " + std::to_string(*limits.descriptors) +
		       " files open; each buffer is one, and one more where it is imported";
	if (*limits.descriptors >= kEnoughDescriptors)
		return finding;
	finding.status = *limits.descriptors < kFewDescriptors ? Status::Fail : Status::Warn;
	finding.advice = {"ulimit -n 1024, or LimitNOFILE=1024 in the unit"};
	return finding;
}

Finding judgeMemory(const LimitFacts &limits)
{
	Finding finding{"limits.memory", Status::Ok, {}, {}, {}};
	const std::string charged =
		!limits.heapAccounting ? "whether the heap system is charged is unknown"
		: *limits.heapAccounting
			? "buffers of the heap system are charged (dma_heap.mem_accounting=1)"
			: "buffers of the heap system are not charged (dma_heap.mem_accounting=0)";
	if (!limits.memoryMax) {
		finding.seen =
			(limits.cgroup.empty() ? std::string("no cgroup is known")
					       : "no memory.max holds for " + limits.cgroup) +
			"; " + charged;
		finding.sources = {"/proc/self/cgroup",
				   "/sys/module/dma_heap/parameters/mem_accounting"};
		return finding;
	}
	const uint64_t used = limits.memoryCurrent.value_or(0);
	const uint64_t left = *limits.memoryMax > used ? *limits.memoryMax - used : 0;
	finding.sources = {limits.memoryMaxFile};
	finding.seen = limits.cgroup + " may have " + sizeText(limits.memoryMax) + ", " +
		       sizeText(left) + " are left; " + charged;
	if (left >= kLittleMemory)
		return finding;
	finding.status = Status::Warn;
	finding.advice = {
		"MemoryMax= of the unit, or of the slice above it, must hold the program and "
		"its buffers of system; regions of CMA are never charged"};
	return finding;
}

Finding judgeDmem(const LimitFacts &limits)
{
	Finding finding{"limits.dmem", Status::Ok, {}, {}, {}};
	if (limits.dmemMax.empty()) {
		finding.seen = "no device memory is limited for this cgroup";
		finding.sources = {"dmem.max"};
		return finding;
	}
	finding.sources = {limits.dmemFile};
	for (const auto &[region, bytes] : limits.dmemMax) {
		finding.seen +=
			(finding.seen.empty() ? "" : ", ") + region + " at most " + sizeText(bytes);
		if (bytes < kLittleMemory)
			finding.status = Status::Warn;
	}
	if (finding.status == Status::Warn)
		finding.advice = {"raise the line of that region in " + limits.dmemFile};
	return finding;
}

Finding judgeSystemMemory(const LimitFacts &limits)
{
	Finding finding{"limits.available", Status::Ok, {}, {}, {"/proc/meminfo"}};
	if (!limits.available) {
		finding.status = Status::Unknown;
		finding.seen = "what the machine has left for the heap system is unknown";
		return finding;
	}
	finding.seen =
		"the machine has " + sizeText(limits.available) + " left for the heap system";
	if (*limits.available < kLittleMemory) {
		finding.status = Status::Warn;
		finding.advice = {
			"the heap system has no limit of its own: the OOM killer ends a program "
			"when it takes more than there is"};
	}
	return finding;
}

/* Said to everybody: whoever writes a unit that confines its devices needs the lines. */
Finding judgeService(const SystemFacts &facts)
{
	Finding finding{"service.devices", Status::Ok, {}, {}, {"/proc/devices"}};
	const std::string &group = facts.limits.cgroup;
	const bool inService = group.find(".service") != std::string::npos;
	finding.seen =
		inService ? "this is the service " + group.substr(group.rfind('/') + 1)
			  : "no service; one with DevicePolicy= or PrivateDevices= needs the lines "
			    "that --service prints";
	return finding;
}

} /* namespace */

std::vector<Finding> judgeLimits(const SystemFacts &facts)
{
	const LimitFacts &limits = facts.limits;
	return {judgeDescriptors(limits), judgeMemory(limits), judgeDmem(limits),
		judgeSystemMemory(limits), judgeService(facts)};
}

} /* namespace heapflow::tool::doctor */
