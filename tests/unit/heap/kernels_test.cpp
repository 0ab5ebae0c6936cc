/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Expressions on the systems of kernels 5.6 to 7.3 and of vendors: who calls the memory what. */
#include "system_directory.h"

#include "heapflow/heap/heap_choice.h"

#include <algorithm>

#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::cells;
using heapflow::test::SystemDirectory;

namespace
{

/* What a kernel shows; names in the order of the kernel's sources and vendors' device trees. */
struct Kernel {
	const char *name;
	std::vector<std::string> heaps;
	std::vector<std::string> areas;         /* in sysfs, since 5.13 (CONFIG_CMA_SYSFS) */
	std::string defaultNode = {};           /* with linux,cma-default */
	std::vector<std::string> reserved = {}; /* other reusable nodes */
	std::vector<std::pair<std::string, std::string>> links = {};
};

const Kernel kKernels[] = {
	{"5.6", {"system", "reserved"}, {}},
	{"5.10-dt", {"system", "linux,cma"}, {}, "linux,cma"},
	{"6.1-rpi",
	 {"system", "linux,cma"},
	 {"linux,cma"},
	 "linux,cma",
	 {},
	 {{"vidbuf_cached", "linux,cma"}}},
	{"6.1-nxp", {"system", "linux,cma", "linux,cma-uncached"}, {"linux,cma"}, "linux,cma"},
	{"6.1-rockchip", {"system", "system-uncached", "system-dma32", "cma", "cma-uncached"}, {}},
	{"6.6-qcom", {"qcom,system", "system", "system-secure"}, {}},
	{"6.12-pool", {"system", "default-pool"}, {"default-pool"}, "default-pool"},
	{"6.16", {"system", "reserved"}, {"reserved"}},
	{"6.17", {"system", "default_cma_region"}, {"reserved"}},
	{"6.18-dt",
	 {"system", "default_cma_region", "linux,cma", "video@42000000"},
	 {"linux,cma", "video@42000000"},
	 "linux,cma",
	 {"video@42000000"}},
	{"7.2-cmdline",
	 {"system", "default_cma_region", "reserved", "video@42000000"},
	 {"reserved", "video@42000000"},
	 "",
	 {"video@42000000"}},
	{"7.2-tee", {"system", "protected,secure-video", "protected,trusted-ui"}, {}},
	{"7.3-cc", {"system", "system_cc_shared", "default_cma_region", "reserved"}, {"reserved"}},
	{"bare", {"system"}, {}},
};

void make(const Kernel &kernel, const SystemDirectory &system)
{
	for (const std::string &heap : kernel.heaps)
		system.addHeap(heap);
	for (const auto &[link, target] : kernel.links)
		std::filesystem::create_symlink(target, system.path() / "dev/dma_heap" / link);
	for (const std::string &area : kernel.areas)
		system.addArea(area, 16384, 16384);
	system.setCells(2, 2);
	if (!kernel.defaultNode.empty())
		system.addReserved(kernel.defaultNode, cells(0x50000000, 2) + cells(1 << 26, 2),
				   true);
	for (const std::string &node : kernel.reserved)
		system.addReserved(node, cells(0x42000000, 2) + cells(1 << 26, 2));
}

struct Case {
	const char *kernel;
	const char *expression;
	const char *taken; /* "" for nothing */
};

const Case kCases[] = {
	{"5.6", "default", "reserved"},
	{"5.6", "default_cma_region", "reserved"},
	{"5.6", "linux,cma", "reserved"},
	{"5.6", "video@*:default", "reserved"},
	{"5.6", "auto", "reserved"},
	{"5.10-dt", "default", "linux,cma"},
	{"5.10-dt", "reserved", "linux,cma"},
	{"5.10-dt", "is=contiguous", "linux,cma"},
	{"6.1-rpi", "default", "linux,cma"},
	{"6.1-rpi", "vidbuf_cached", "vidbuf_cached"},
	{"6.1-rpi", "vidbuf_cached:linux,cma", "vidbuf_cached"},
	{"6.1-nxp", "default", "linux,cma"},
	{"6.1-nxp", "not=cached", "linux,cma-uncached"},
	{"6.1-rockchip", "default", ""},
	{"6.1-rockchip", "default:cma", "cma"},
	{"6.1-rockchip", "below=4G", "system-dma32"},
	{"6.1-rockchip", "is=contiguous", "cma"},
	{"6.1-rockchip", "is=contiguous,not=cached", "cma-uncached"},
	{"6.1-rockchip", "auto", "cma"},
	{"6.1-rockchip", "not=cached,not=contiguous", "system-uncached"},
	{"6.6-qcom", "qcom,system", "qcom,system"},
	{"6.6-qcom", "system", "system"},
	{"6.12-pool", "default", "default-pool"},
	{"6.12-pool", "default_cma_region", "default-pool"},
	{"6.16", "default_cma_region", "reserved"},
	{"6.17", "reserved", "default_cma_region"},
	{"6.17", "linux,cma", "default_cma_region"},
	{"6.17", "default", "default_cma_region"},
	{"6.18-dt", "linux,cma", "linux,cma"},
	{"6.18-dt", "reserved", "default_cma_region"},
	{"6.18-dt", "auto", "video@42000000"},
	{"6.18-dt", "is=dedicated", "video@42000000"},
	{"7.2-cmdline", "default", "default_cma_region"},
	{"7.2-cmdline", "reserved", "reserved"},
	{"7.2-cmdline", "linux,cma", "default_cma_region"},
	{"7.2-cmdline", "is=contiguous,not=dedicated", "default_cma_region"},
	{"7.2-tee", "protected*", ""},
	{"7.2-tee", "is=protected,usage=secure-video", "protected,secure-video"},
	{"7.2-tee", "auto", "system"},
	{"7.3-cc", "is=cc_shared", "system_cc_shared"},
	{"7.3-cc", "not=cc_shared,not=contiguous", "system"},
	{"bare", "video@*:default:system", "system"},
	{"bare", "default", ""},
};

class OnKernel : public testing::TestWithParam<Case>
{
};

std::string caseName(const testing::TestParamInfo<Case> &info)
{
	std::string name = std::string(info.param.kernel) + "_" + std::to_string(info.index);
	std::ranges::replace_if(name, [](unsigned char c) { return !std::isalnum(c); }, '_');
	return name;
}

} /* namespace */

TEST_P(OnKernel, TheExpressionTakes)
{
	const Case &one = GetParam();
	const auto kernel = std::ranges::find(kKernels, std::string_view(one.kernel),
					      [](const Kernel &k) { return k.name; });
	ASSERT_NE(kernel, std::end(kKernels));
	const SystemDirectory system;
	make(*kernel, system);

	const auto choice = chooseHeap(one.expression, system.paths());
	const std::string taken = choice ? choice->taken().heap.name.text : "";
	EXPECT_EQ(taken, one.taken)
		<< one.expression << " on " << one.kernel << (choice ? "" : choice.error().text());
}

INSTANTIATE_TEST_SUITE_P(Kernels, OnKernel, testing::ValuesIn(kCases), caseName);

TEST(Kernels, EachRegionIsCountedOnceOnEveryOne)
{
	for (const Kernel &kernel : kKernels) {
		const SystemDirectory system;
		make(kernel, system);
		const auto heaps = listHeaps(system.paths());
		ASSERT_TRUE(heaps) << kernel.name;
		EXPECT_EQ(heaps->size(), kernel.heaps.size() + kernel.links.size());
		EXPECT_EQ(sumRegions(*heaps).total, kernel.areas.size() * (uint64_t{64} << 20))
			<< kernel.name;
	}
}
