/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/region_activity.h"

#include "small_file.h"

namespace heapflow
{

RegionActivity readRegionActivity(std::string_view region, const SystemPaths &paths)
{
	const std::filesystem::path area = paths.cmaDirectory / region;
	return {.allocated = readPages(area / "alloc_pages_success"),
		.released = readPages(area / "release_pages_success"),
		.refused = readPages(area / "alloc_pages_fail")};
}

} /* namespace heapflow */
