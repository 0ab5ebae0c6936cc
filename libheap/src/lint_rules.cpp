/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_lint.h"

#include <algorithm>
#include <array>

namespace heapflow
{

namespace
{

#define CONVENTION "Documentation/userspace-api/dma-buf-heaps.rst, \"Naming Convention\""
#define SPECIFICATION "Devicetree Specification 0.4"
#define CONTIGUOUS "Linux, kernel/dma/contiguous.c, "
#define RESERVED "Linux, drivers/of/of_reserved_mem.c, "

constexpr std::array kRules{
	LintRule{"stable",
		 "a name must be stable: applications find a heap by it, and break when it changes",
		 CONVENTION ", first rule"},
	LintRule{"describes-region", "a name must describe the region that the heap allocates from",
		 CONVENTION ", second rule"},
	LintRule{"unique",
		 "a name must identify one region of the platform: applications have nothing else",
		 CONVENTION ", second rule"},
	LintRule{"no-implementation",
		 "a name must not mention implementation details, such as the allocator",
		 CONVENTION ", third rule; its example of a bad name is cma-video"},
	LintRule{"says-property",
		 "a name should say what the buffers are: contiguous, protected; or what they are "
		 "for",
		 CONVENTION ", fourth and fifth rule"},
	LintRule{"true-property", "a property that a name says must be one that the buffers have",
		 CONVENTION ", fourth rule"},
	LintRule{"property-word", "the properties have fixed words: contiguous and protected",
		 CONVENTION ", fourth rule"},
	LintRule{"says-usage", "a name may say what the region is intended for",
		 CONVENTION ", fifth rule"},
	LintRule{
		"unit-address",
		"what follows the '@' is the address of `reg`, in small hexadecimal digits without "
		"0x; a node without `reg` has none",
		SPECIFICATION ", 2.2.1.1; dtc warns of it (unit_address_vs_reg)"},
	LintRule{"name-characters",
		 "a node name has letters, digits and , . _ + - beside the '@', and begins with a "
		 "letter",
		 SPECIFICATION ", 2.2.1.1, table 2.1"},
	LintRule{"name-length", "a heap of a reserved region has a name of at most 63 bytes",
		 "Linux, include/linux/cma.h, CMA_MAX_NAME; cma_new_area() cuts the rest off"},
	LintRule{"known-name", "some names were given by kernels and vendors, not by integrators",
		 "docs/heap-names.md, with the source of each"},
	LintRule{"same-region", "two heaps can be one region, which is then there once",
		 "Linux, drivers/dma-buf/heaps/cma_heap.c, add_cma_heaps()"},

	LintRule{
		"reserved-memory",
		"/reserved-memory has `ranges` and the #address-cells and #size-cells of the root, "
		"or the kernel ignores all of it",
		RESERVED "__reserved_mem_check_root()"},
	LintRule{"shared-dma-pool",
		 "only a node with compatible = \"shared-dma-pool\" becomes a heap",
		 "Documentation/userspace-api/dma-buf-heaps.rst, \"Heaps\""},
	LintRule{"reusable", "only a node with `reusable`, and without `no-map`, becomes a heap",
		 CONTIGUOUS "__rmem_cma_verify_node()"},
	LintRule{"status", "a node whose status is not okay is passed over",
		 RESERVED "fdt_scan_reserved_mem()"},
	LintRule{"cma-default",
		 "one region is the default: the last node with `linux,cma-default` wins, and cma= "
		 "on "
		 "the command line overrules them all",
		 CONTIGUOUS "rmem_cma_setup()"},
	LintRule{"region-size",
		 "a region has a place and a size (`reg`), or a size, which is then not 0",
		 RESERVED "__reserved_mem_reserve_reg(), __reserved_mem_alloc_size()"},
	LintRule{"one-range", "of several entries of `reg` the first one is the region",
		 RESERVED "__reserved_mem_reserve_reg()"},
	LintRule{"cma-alignment",
		 "base and size are multiples of CMA_MIN_ALIGNMENT_BYTES, a pageblock: with 4 KiB "
		 "pages 2 MiB where the kernel has huge pages and 4 MiB where not, with 16 KiB "
		 "pages "
		 "32 MiB, with 64 KiB pages 512 MiB",
		 CONTIGUOUS "rmem_cma_setup(); include/linux/pageblock-flags.h"},
	LintRule{"alloc-ranges", "the region must fit into one of its `alloc-ranges`",
		 RESERVED "__reserved_mem_alloc_size()"},
	LintRule{"overlap", "regions do not overlap", RESERVED "__rmem_check_for_overlap()"},
	LintRule{"cma-areas",
		 "a kernel makes CONFIG_CMA_AREAS areas and no more: 8, or 20 with NUMA, unless "
		 "configured",
		 "Linux, mm/Kconfig, CMA_AREAS; cma_new_area()"},
	LintRule{"appears", "a node that fulfils all conditions is a heap when the system runs",
		 "Documentation/userspace-api/dma-buf-heaps.rst, \"Heaps\""},
};

#undef CONVENTION
#undef SPECIFICATION
#undef CONTIGUOUS
#undef RESERVED

} /* namespace */

std::string_view severityName(LintSeverity severity)
{
	switch (severity) {
	case LintSeverity::Error:
		return "error";
	case LintSeverity::Warning:
		return "warning";
	case LintSeverity::Note:
		return "note";
	}
	return "?";
}

std::span<const LintRule> lintRules()
{
	return kRules;
}

const LintRule *lintRule(std::string_view id)
{
	const auto found = std::ranges::find(kRules, id, &LintRule::id);
	return found == kRules.end() ? nullptr : &*found;
}

} /* namespace heapflow */
