/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which memory is behind a heap name, told by sysfs, the device tree and debugfs. */
#pragma once

#include "device_tree.h"
#include "heapflow/heap/heap.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/**
 * \brief The CMA areas of a system; the areas are read when made, the numbers by find()
 *
 * The kernel has no call that leads from a heap to its area, but it gives both the same name, with
 * one exception: `default_cma_region` has the name of no area (add_cma_heaps(), cma_heap.c).
 */
class RegionTable
{
public:
	explicit RegionTable(SystemPaths paths);

	/** \brief The region of the heap called `name`, with the numbers of this moment */
	Region find(std::string_view name) const;

private:
	bool isArea(std::string_view name) const;
	const ReservedRegion *reservedRegion(std::string_view name) const;
	std::string findDefaultArea() const;
	void readSysfs(Region &region) const;
	void readDeviceTree(Region &region) const;
	void readDebugfs(Region &region) const;

	SystemPaths paths_;
	bool haveSysfs_ = false;
	std::vector<std::string> areas_;
	std::vector<ReservedRegion> reserved_;
	std::string defaultArea_; /* empty: there is no evidence of one */
};

} /* namespace heapflow */
