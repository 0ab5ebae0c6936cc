/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why there is no heap of a name. */
#include "heapflow/heap/allocation_failure.h"

#include "heap_access.h"
#include "kernel_config.h"
#include "nearest_word.h"
#include "small_file.h"

#include <algorithm>
#include <cerrno>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

bool isThere(const fs::path &file)
{
	std::error_code ignored;
	return fs::exists(file, ignored);
}

/* What stands in the way of a reserved-memory node; empty when it would become a heap. */
std::string obstacleInNode(const fs::path &node)
{
	if (isThere(node / "no-map"))
		return "has no-map, with which the kernel never touches it: no heap; write "
		       "reusable in its place";
	const auto status = readSmallFile(node / "status");
	if (status && !status->starts_with("ok"))
		return "is disabled: set status = \"okay\"";
	const auto compatible = readSmallFile(node / "compatible");
	if (!compatible || compatible->find("shared-dma-pool") == std::string::npos)
		return "lacks compatible = \"shared-dma-pool\"";
	if (!isThere(node / "reusable"))
		return "lacks the property reusable, without which it is no CMA region";
	return {};
}

struct Driver {
	const char *module;
	const char *option;
};

Driver driverOf(std::string_view name)
{
	if (parseHeapName(name).isProtected)
		return {"tee", "CONFIG_TEE_DMABUF_HEAPS"};
	if (isSystemHeapName(name))
		return {"system_heap", "CONFIG_DMABUF_HEAPS_SYSTEM"};
	return {"cma_heap", "CONFIG_DMABUF_HEAPS_CMA"};
}

/* Empty when the driver seems to be there. */
std::string driverHint(const Driver &driver, const SystemPaths &paths)
{
	const auto option = KernelConfig::read(paths).option(driver.option);
	if (option == "n")
		return std::string("This kernel is built without ") + driver.option +
		       ": set it to y or m";
	if (option == "y")
		return {};
	const auto loaded = isModuleLoaded(driver.module, paths);
	if (loaded == true)
		return {};
	if (option == "m")
		return std::string("Its driver is not loaded: modprobe ") + driver.module;
	return std::string("If its driver is not built in (") + driver.option +
	       "), load it: modprobe " + driver.module;
}

void add(std::string &text, const std::string &more)
{
	if (!more.empty())
		text += (text.empty() ? "" : ". ") + more;
}

std::string nodeHint(std::string_view name, const SystemPaths &paths)
{
	const fs::path node = paths.deviceTree / "reserved-memory" / name;
	if (isThere(paths.cmaDirectory / name))
		return "The kernel has a CMA area of that name but made no heap of it: older "
		       "kernels give a heap to the default region only";
	if (!isThere(node))
		return "The device tree has no such node; a region becomes a heap when "
		       "/reserved-memory has a node of that name with compatible = "
		       "\"shared-dma-pool\" and reusable";
	const std::string obstacle = obstacleInNode(node);
	if (!obstacle.empty())
		return "The node " + printable(name) + " of the device tree " + obstacle;
	if (isThere(node / "linux,cma-default"))
		return "The device tree has the node; with cma= on its command line the kernel "
		       "passes it over";
	return "The device tree has the node, but the kernel could not reserve it: see dmesg for "
	       "\"Reserved memory\"";
}

} /* namespace */

Error missingHeapError(std::string_view name, const SystemPaths &paths)
{
	const auto heaps = listHeaps(paths).value_or(std::vector<Heap>{});
	Error error{ENOENT,
		    "there is no heap " + printable(name) + "; there are: " + listNames(heaps),
		    {}};

	std::vector<std::string_view> names;
	for (const Heap &heap : heaps)
		names.push_back(heap.name.text);
	const std::string_view near = nearestWord(name, names);
	if (!near.empty())
		add(error.hint, "Did you mean " + printable(near));
	const Driver driver = driverOf(name);
	/* With one heap of a region there, the driver of all of them is. */
	if (std::string_view(driver.module) != "cma_heap" ||
	    std::ranges::none_of(heaps, [](const Heap &heap) { return heap.region.contiguous; }))
		add(error.hint, driverHint(driver, paths));
	/* A path of the file system is made of it below. */
	if (isPlausibleHeapName(name) && std::string_view(driver.module) == "cma_heap")
		add(error.hint, nodeHint(name, paths));
	return error;
}

} /* namespace heapflow */
