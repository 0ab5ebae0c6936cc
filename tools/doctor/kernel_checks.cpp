/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel options and modules. What is there at work proves more than what a configuration says. */
#include "checks.h"

#include <algorithm>

namespace heapflow::tool::doctor
{

namespace
{

struct Option {
	const char *id;
	const char *name;    /**< without CONFIG_ */
	const char *module;  /**< the module that it becomes with "m" */
	const char *purpose; /**< what is missing without it */
	Status without;
};

constexpr Option kHeaps{"kernel.heaps", "DMABUF_HEAPS", "", "there are no heaps at all",
			Status::Fail};
constexpr Option kSystem{"kernel.heap-system", "DMABUF_HEAPS_SYSTEM", "system_heap",
			 "there is no heap 'system'", Status::Warn};
constexpr Option kCma{"kernel.heap-cma", "DMABUF_HEAPS_CMA", "cma_heap",
		      "no region has a heap, so no heap is contiguous", Status::Warn};
constexpr Option kSysfs{"kernel.cma-sysfs", "CMA_SYSFS", "",
			"nobody sees how much of a region is free", Status::Warn};
constexpr Option kDebugfs{"kernel.cma-debugfs", "CMA_DEBUGFS", "",
			  "nobody sees how long the free runs of a region are", Status::Warn};
constexpr Option kSyncFile{"kernel.sync-file", "SYNC_FILE", "",
			   "buffers have no fences that a program can wait for", Status::Warn};
constexpr Option kUdmabuf{
	"kernel.udmabuf", "UDMABUF", "udmabuf",
	"memory of a program cannot become a dma-buf, the way out of users without heaps",
	Status::Warn};
constexpr Option kDrm{"kernel.drm", "DRM", "drm", "there is no display", Status::Fail};
constexpr Option kV4l2{"kernel.v4l2", "VIDEO_DEV", "videodev", "there is no camera", Status::Fail};

std::string configText(const KernelFacts &kernel, const Option &option)
{
	const auto found = kernel.options.find(option.name);
	return "CONFIG_" + std::string(option.name) +
	       (found == kernel.options.end() ? " is not set" : "=" + found->second);
}

/* Built as a module that is not in the kernel now. */
Finding judgeModule(const KernelFacts &kernel, const Option &option, Finding finding)
{
	const std::string module = option.module;
	finding.status = option.without;
	finding.seen = configText(kernel, option) + " and the module " + module +
		       " is not loaded: " + option.purpose;
	if (kernel.moduleListRead && !kernel.loadable.contains(module)) {
		finding.seen += "; it is not among the modules of " + kernel.release + " either";
		finding.advice = {
			"install the package with the modules of this kernel, then: modprobe " +
			module};
		return finding;
	}
	finding.advice = {"modprobe " + module, "at every boot: echo " + module +
							" >> /etc/modules-load.d/heapflow.conf"};
	return finding;
}

/* `works`: the option's effect is there, whatever any configuration says. */
Finding judgeOption(const KernelFacts &kernel, const Option &option, bool works,
		    const std::string &evidence)
{
	Finding finding{option.id, Status::Ok, {}, {}, {}};
	if (works) {
		finding.seen = evidence;
		return finding;
	}
	if (kernel.configFile.empty()) {
		finding.status = Status::Unknown;
		finding.seen = "no sign of CONFIG_" + std::string(option.name) +
			       ", and no kernel configuration can be read";
		finding.advice = {"look for CONFIG_" + std::string(option.name) +
				  " where your kernel is built; without it " + option.purpose};
		return finding;
	}
	finding.sources = {kernel.configFile};
	const auto found = kernel.options.find(option.name);
	if (found != kernel.options.end() && found->second == "m" && *option.module)
		return judgeModule(kernel, option, std::move(finding));
	if (found != kernel.options.end()) {
		finding.seen = configText(kernel, option);
		return finding;
	}
	finding.status = option.without;
	finding.seen = configText(kernel, option) + ": " + option.purpose;
	finding.advice = {"build the kernel with CONFIG_" + std::string(option.name) + "=y"};
	return finding;
}

bool anyHeap(const HeapFacts &facts, bool contiguous)
{
	return std::ranges::any_of(facts.heaps, [contiguous](const Heap &heap) {
		return contiguous ? heap.region.contiguous : isSystemHeapName(heap.name.text);
	});
}

/* debugfs is root's: that it cannot be looked at is no fault of the kernel's. */
Finding judgeDebugfs(const SystemFacts &facts)
{
	if (facts.heap.cmaDebugfs)
		return judgeOption(facts.kernel, kDebugfs, *facts.heap.cmaDebugfs,
				   "free runs are in /sys/kernel/debug/cma");
	Finding finding{kDebugfs.id, Status::Unknown, {}, {}, {"/sys/kernel/debug/cma"}};
	finding.seen = "this user may not read debugfs, where the free runs of regions are";
	finding.advice = {"as root: heapctl list shows the largest run, heapctl doctor judges it"};
	return finding;
}

Finding judgeConfigFile(const KernelFacts &kernel)
{
	Finding finding{"kernel.config", Status::Ok, {}, {}, {}};
	const std::string release =
		"Linux " +
		(kernel.release.empty() ? std::string("of unknown release") : kernel.release);
	if (!kernel.configFile.empty()) {
		finding.seen =
			release + ", " + std::to_string(kernel.options.size()) + " options are set";
		finding.sources = {kernel.configFile};
		return finding;
	}
	finding.status = Status::Unknown;
	finding.seen = release + "; its configuration is nowhere to be read";
	finding.sources = {"/proc/config.gz", "/boot/config-" + kernel.release};
	finding.advice = {"a kernel with CONFIG_IKCONFIG_PROC=y shows it in /proc/config.gz"};
	return finding;
}

} /* namespace */

std::vector<Finding> judgeKernel(const SystemFacts &facts)
{
	const KernelFacts &kernel = facts.kernel;
	const HeapFacts &heap = facts.heap;
	const bool someHeap = !heap.registered.empty() || !heap.heaps.empty();
	const bool drm = kernel.deviceGroups.contains("drm");
	return {
		judgeConfigFile(kernel),
		judgeOption(kernel, kHeaps, someHeap,
			    std::to_string(std::max(heap.registered.size(), heap.heaps.size())) +
				    " heaps are there"),
		judgeOption(kernel, kSystem,
			    anyHeap(heap, false) || heap.registered.contains("system"),
			    "the heap system is there"),
		judgeOption(kernel, kCma, anyHeap(heap, true), "heaps of regions are there"),
		judgeOption(kernel, kSysfs, heap.cmaSysfs.value_or(false),
			    "counters are in /sys/kernel/mm/cma"),
		judgeDebugfs(facts),
		/* drivers/gpu/drm/Kconfig: config DRM selects SYNC_FILE. */
		judgeOption(kernel, kSyncFile, drm, "DRM is there, which brings it"),
		judgeOption(kernel, kUdmabuf, kernel.modules.contains("udmabuf"),
			    "the driver is there"),
		judgeOption(kernel, kDrm, drm, "the device group drm is there"),
		judgeOption(kernel, kV4l2, kernel.deviceGroups.contains("video4linux"),
			    "the device group video4linux is there"),
	};
}

} /* namespace heapflow::tool::doctor */
