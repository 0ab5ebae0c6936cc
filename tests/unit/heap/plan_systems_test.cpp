/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans for made-up systems: kernels and boards as they are in the field. */
#include "heapflow/heap/plan.h"
#include "plan_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

constexpr uint64_t k4GiB = uint64_t{1} << 32;

std::string failure(const std::expected<Plan, NoPlan> &plan)
{
	return plan ? "" : describe(plan.error());
}

/* drivers/gpu/drm/vkms: any exporter with vmap, LINEAR only, no scaling. */
PlanPlane vkms()
{
	PlanPlane result = plane({DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_RGB888,
				  DRM_FORMAT_BGR888, DRM_FORMAT_NV12, DRM_FORMAT_NV16,
				  DRM_FORMAT_YUV420, DRM_FORMAT_P010});
	result.name = "vkms plane 33";
	result.minWidth = result.minHeight = 10;
	result.maxWidth = result.maxHeight = 8192;
	result.needs.cpuMappable = true;
	result.needs.who = "vkms";
	return result;
}

PlanSource vimc(Demand contiguous)
{
	PlanSource source{.name = "vimc", .minimumBuffers = 4, .maximumBuffers = 4};
	source.modes = {{.fourcc = DRM_FORMAT_RGB888,
			 .size = {16, 4096, 2, 16, 2160, 2},
			 .stride = {.kind = StrideRules::Kind::Least}}};
	source.needs.contiguous = contiguous;
	if (contiguous == Demand::Yes)
		source.needs.addressLimit = k4GiB;
	return source;
}

/* Linux 6.12 with cma=64M: the default region as "reserved", and the system heap. */
TEST(PlanSystems, VimcOnVkmsWithVmalloc)
{
	PlanRequest request{.source = vimc(Demand::No), .planes = {vkms()}};
	request.heaps.inOrder = {systemHeap(), cmaHeap("reserved", 0x80000000, 64 * kMiB)};
	request.preference.width = 1920;
	request.preference.height = 1080;
	const auto plan = solvePlan(request);
	ASSERT_TRUE(plan) << failure(plan);
	EXPECT_EQ(plan->heapName, "system");
	EXPECT_EQ(plan->layout.planes[0].stride, 5760u);
	EXPECT_EQ(plan->buffers, 4u);
}

/* vimc with allocator=1 on a machine whose CMA region lies above 4 GiB: 32-bit DMA mask. */
TEST(PlanSystems, VimcWithDmaContigAndHighCma)
{
	PlanRequest request{.source = vimc(Demand::Yes), .planes = {vkms()}};
	request.heaps.inOrder = {systemHeap(),
				 cmaHeap("default_cma_region", 0x140000000, 256 * kMiB)};
	request.heaps.endOfMemory = 0x180000000;
	const auto high = solvePlan(request);
	ASSERT_FALSE(high);
	EXPECT_EQ(high.error().misses[0].heap, "default_cma_region");
	EXPECT_EQ(high.error().misses[0].clashes[0].kind, ClashKind::AddressLimit);

	request.heaps.inOrder[1] = cmaHeap("default_cma_region", 0x80000000, 256 * kMiB);
	const auto low = solvePlan(request);
	ASSERT_TRUE(low) << failure(low);
	EXPECT_EQ(low->heapName, "default_cma_region");
}

/* vivid takes any stride; libcamera's virtual camera writes by CPU and takes none. */
TEST(PlanSystems, VividAsksForAStrideAndVirtualCannot)
{
	PlanPlane strict = vkms();
	strict.pitchAlignment = 256;
	PlanSource vivid{.name = "vivid"};
	vivid.modes = {{.fourcc = DRM_FORMAT_NV12, .size = SizeRange::of(640, 360)}};
	vivid.needs.contiguous = Demand::No;
	PlanRequest request{.source = vivid, .planes = {strict}};
	request.heaps.inOrder = {systemHeap()};
	const auto asked = solvePlan(request);
	ASSERT_TRUE(asked) << failure(asked);
	EXPECT_EQ(asked->layout.planes[0].stride, 768u);

	request.source.name = "virtual";
	request.source.modes[0].stride.kind = StrideRules::Kind::Least;
	request.source.minimumBuffers = request.source.maximumBuffers = 4;
	request.source.needs.cpuMappable = true;
	const auto refused = solvePlan(request);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().misses[0].clashes[0].kind, ClashKind::PitchAlignment);
	EXPECT_THAT(describe(refused.error()), HasSubstr("virtual gives 640"));
}

/* i.MX 8M: the ISI's lines are 16-aligned in both directions, LCDIF has no IOMMU. */
TEST(PlanSystems, ImxWithSixteenAlignedLines)
{
	PlanSource camera{.name = "mxc-isi", .keeps = 3};
	camera.modes = {{.fourcc = DRM_FORMAT_NV12,
			 .size = SizeRange::of(1920, 1080),
			 .stride = {.alignment = 16},
			 .heightAlignment = 16}};
	camera.needs.contiguous = Demand::Yes;
	camera.needs.addressLimit = k4GiB;
	PlanPlane lcdif = plane({DRM_FORMAT_NV12, DRM_FORMAT_RGB565});
	lcdif.name = "lcdif plane 31";
	lcdif.pitchAlignment = 64;
	lcdif.needs.contiguous = Demand::Yes;
	lcdif.needs.addressLimit = k4GiB;
	PlanRequest request{.source = camera, .planes = {lcdif}};
	request.heaps.inOrder = {cmaHeap("linux,cma", 0x58000000, 640 * kMiB)};
	const auto plan = solvePlan(request);
	ASSERT_TRUE(plan) << failure(plan);
	EXPECT_EQ(plan->layout.planes[1].offset, 1920u * 1088);
	EXPECT_EQ(plan->layout.size(), 1920u * 1088 * 3 / 2);
	EXPECT_EQ(plan->buffers, 5u);
	EXPECT_TRUE(plan->probes.empty());
	/* 3.0 MiB begin at multiples of 1 MiB: nearly nothing is lost. */
	EXPECT_EQ(plan->space, cmaSpace(plan->bufferBytes, 5));
}

/* Rockchip RK3399: rkisp1 behind an IOMMU, VOP behind another: system memory after a probe. */
TEST(PlanSystems, RockchipBehindIommus)
{
	PlanSource rkisp{.name = "rkisp1_mainpath"};
	rkisp.modes = {{.fourcc = DRM_FORMAT_NV12, .size = {32, 4416, 16, 16, 3312, 8}},
		       {.fourcc = DRM_FORMAT_NV16, .size = {32, 4416, 16, 16, 3312, 8}}};
	rkisp.needs.addressLimit = k4GiB;
	PlanPlane vop = plane({DRM_FORMAT_NV12, DRM_FORMAT_NV16, DRM_FORMAT_XRGB8888});
	vop.name = "vop plane 36";
	vop.pitchAlignment = 4;
	vop.outputWidth = 1920;
	vop.outputHeight = 1080;
	vop.scales = true;
	vop.needs.contiguous = Demand::Unknown;
	PlanRequest request{.source = rkisp, .planes = {vop}};
	request.heaps.inOrder = {systemHeap(), cmaHeap("default-pool", 0x6000000, 128 * kMiB)};
	request.heaps.endOfMemory = 0xf8000000;
	const auto plan = solvePlan(request);
	ASSERT_TRUE(plan) << failure(plan);
	EXPECT_EQ(plan->layout.fourcc, DRM_FORMAT_NV12);
	EXPECT_EQ(plan->layout.width, 1920u);
	EXPECT_EQ(plan->layout.height, 1080u);
	EXPECT_EQ(plan->heapName, "system");
	EXPECT_EQ(plan->probes.size(), 2u);
	EXPECT_EQ(plan->nextHeap, 1u);
}

/* Raspberry Pi 3: unicam is contiguous below 1 GiB and delivers Bayer; the ISP delivers YUV. */
TEST(PlanSystems, RaspberryPiUnicamDeliversBayer)
{
	PlanSource unicam{.name = "unicam"};
	unicam.modes = {{.fourcc = fourcc_code('B', 'G', '1', '0'),
			 .modifier = (uint64_t{11} << 56) | 1,
			 .size = SizeRange::of(3280, 2464),
			 .stride = {.alignment = 32}}};
	unicam.needs.contiguous = Demand::Yes;
	unicam.needs.addressLimit = uint64_t{1} << 30;
	PlanPlane vc4 = plane({DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_XRGB8888});
	vc4.name = "vc4 plane 92";
	vc4.needs.contiguous = Demand::Yes;
	vc4.needs.addressLimit = uint64_t{1} << 30;
	vc4.outputWidth = 1920;
	vc4.outputHeight = 1080;
	vc4.scales = true;
	PlanRequest request{.source = unicam, .planes = {vc4}};
	request.heaps.inOrder = {cmaHeap("linux,cma", 0x1e000000, 256 * kMiB)};
	const auto raw = solvePlan(request);
	ASSERT_FALSE(raw);
	ASSERT_EQ(raw.error().misses[0].clashes.size(), 1u);
	EXPECT_EQ(raw.error().misses[0].clashes[0].kind, ClashKind::Format);

	request.source.name = "bcm2835-isp";
	request.source.modes = {{.fourcc = DRM_FORMAT_YUV420,
				 .size = {64, 16384, 2, 64, 16384, 2},
				 .stride = {.alignment = 64}}};
	const auto yuv = solvePlan(request);
	ASSERT_TRUE(yuv) << failure(yuv);
	EXPECT_EQ(yuv->heapName, "linux,cma");
	EXPECT_EQ(yuv->layout.width, 1920u);

	/* A region above 1 GiB, as a careless device tree may place it. */
	request.heaps.inOrder = {cmaHeap("linux,cma", 0x30000000, 512 * kMiB)};
	const auto above = solvePlan(request);
	ASSERT_FALSE(above);
	EXPECT_EQ(above.error().misses[0].clashes[0].wanted, uint64_t{1} << 30);
	EXPECT_EQ(above.error().misses[0].clashes[0].offered, 0x50000000u);
}

/* TI AM62: j721e-csi2rx to tidss, no IOMMU, YUYV and UYVY; overlays hold three formats. */
TEST(PlanSystems, TiWithPackedYuv)
{
	PlanSource csi{.name = "j721e-csi2rx"};
	csi.modes = {{.fourcc = DRM_FORMAT_UYVY,
		      .size = SizeRange::of(1280, 720),
		      .rate = 60000,
		      .stride = {.kind = StrideRules::Kind::Least, .alignment = 16}},
		     {.fourcc = DRM_FORMAT_UYVY,
		      .size = SizeRange::of(2592, 1944),
		      .rate = 15000,
		      .stride = {.kind = StrideRules::Kind::Least, .alignment = 16}}};
	csi.needs.contiguous = Demand::Yes;
	PlanPlane primary = plane({DRM_FORMAT_XRGB8888});
	primary.name = "tidss vid1";
	PlanPlane overlay = plane({DRM_FORMAT_UYVY, DRM_FORMAT_YUYV, DRM_FORMAT_NV12});
	overlay.name = "tidss vidl1";
	overlay.needs.contiguous = primary.needs.contiguous = Demand::Yes;
	overlay.outputWidth = primary.outputWidth = 1920;
	overlay.outputHeight = primary.outputHeight = 1080;
	overlay.scales = primary.scales = true;
	PlanRequest request{.source = csi, .planes = {primary, overlay}};
	request.heaps.inOrder = {cmaHeap("video@88000000", 0x88000000, 24 * kMiB)};
	const auto plan = solvePlan(request);
	ASSERT_TRUE(plan) << failure(plan);
	EXPECT_EQ(plan->planeName, "tidss vidl1");
	EXPECT_EQ(plan->plane, 1u);
	EXPECT_EQ(plan->layout.width, 1280u); /* the large one is farther, and does not fit */
	bool tooLarge = false;
	for (const Alternative &other : plan->others)
		for (const Clash &clash : other.clashes)
			tooLarge |= other.width == 2592 && clash.kind == ClashKind::Space;
	EXPECT_TRUE(tooLarge) << describe(*plan);
}

} /* namespace */
