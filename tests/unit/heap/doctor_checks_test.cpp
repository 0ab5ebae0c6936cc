/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl doctor's judgement, of systems of the test's own making. */
#include "doctor/checks.h"

#include <algorithm>
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::tool::doctor;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace
{

constexpr uint64_t kMiB = uint64_t{1} << 20;

Heap makeHeap(const std::string &name, std::optional<uint64_t> total = {})
{
	Heap heap;
	heap.name = parseHeapName(name);
	heap.node = "/dev/dma_heap/" + name;
	heap.mode = 0600;
	heap.region.id = name;
	heap.region.contiguous = total.has_value();
	heap.region.total = heap.region.free = heap.region.largest = total;
	return heap;
}

/* Everything a pipeline wants. */
SystemFacts healthySystem()
{
	SystemFacts facts;
	facts.kernel.release = "7.3.4";
	facts.kernel.configFile = "/boot/config-7.3.4";
	facts.kernel.deviceGroups = {"dma_heap", "drm", "media", "video4linux"};
	for (const char *name :
	     {"DMABUF_HEAPS", "DMABUF_HEAPS_SYSTEM", "DMABUF_HEAPS_CMA", "CMA_SYSFS", "CMA_DEBUGFS",
	      "SYNC_FILE", "UDMABUF", "DRM", "VIDEO_DEV"})
		facts.kernel.options[name] = "y";

	facts.heap.heaps = {makeHeap("default_cma_region", 64 * kMiB), makeHeap("system")};
	facts.heap.heaps[0].region.isDefault = true;
	facts.heap.registered = {"default_cma_region", "system"};
	facts.heap.openErrors = {{"default_cma_region", 0}, {"system", 0}};
	facts.heap.groups = {"video"};
	facts.heap.cmaSysfs = true;
	facts.heap.cmaDebugfs = true;

	facts.limits.descriptors = 1024;
	facts.limits.available = 1024 * kMiB;
	facts.limits.cgroup = "/user.slice";
	facts.limits.heapAccounting = false;

	facts.devices.looked = true;
	facts.devices.cameras = {
		{"/dev/video0", 0, "root:video 0660", "vivid", "vivid", true, true, true}};
	facts.devices.mediaNodes = {"/dev/media0"};
	DisplayFacts display;
	display.node = "/dev/dri/card0";
	display.driver = "vkms";
	display.kms = display.atomic = display.primeImport = true;
	display.connectors = {{"HDMI-A-1", "connected"}};
	facts.devices.displays = {display};

	facts.gstreamer.looked = true;
	facts.gstreamer.inspect = "gst-inspect-1.0";
	facts.gstreamer.known = {"heapcamerasrc", "heapalloc", "heapkmssink"};
	return facts;
}

Finding find(const SystemFacts &facts, std::string_view id)
{
	for (Finding &finding : judge(facts)) {
		if (finding.id == id)
			return finding;
	}
	ADD_FAILURE() << "there is no check " << id;
	return {};
}

std::string adviceOf(const Finding &finding)
{
	std::string text;
	for (const std::string &line : finding.advice)
		text += line + "\n";
	return text;
}

} /* namespace */

TEST(Doctor, NothingIsWrongWithAHealthySystem)
{
	const auto findings = judge(healthySystem());
	EXPECT_FALSE(anyFailed(findings));
	for (const Finding &finding : findings) {
		EXPECT_EQ(finding.status, Status::Ok) << finding.id << ": " << finding.seen;
		EXPECT_THAT(finding.advice, IsEmpty()) << finding.id;
		EXPECT_NE(finding.seen, "") << finding.id;
	}
}

TEST(Doctor, EachCheckHasOneIdAndWhatIsNotWellHasAdvice)
{
	for (const SystemFacts &facts : {SystemFacts{}, healthySystem()}) {
		std::set<std::string> ids;
		for (const Finding &finding : judge(facts)) {
			EXPECT_TRUE(ids.insert(finding.id).second) << finding.id;
			const bool bad =
				finding.status == Status::Fail || finding.status == Status::Warn;
			EXPECT_FALSE(bad && finding.advice.empty()) << finding.id;
		}
	}
}

TEST(Doctor, AnOptionThatIsNotSetIsNamed)
{
	SystemFacts facts = healthySystem();
	facts.heap.heaps.clear();
	facts.heap.registered.clear();
	facts.kernel.options.erase("DMABUF_HEAPS");
	const Finding finding = find(facts, "kernel.heaps");
	EXPECT_EQ(finding.status, Status::Fail);
	EXPECT_THAT(finding.seen, HasSubstr("CONFIG_DMABUF_HEAPS is not set"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("CONFIG_DMABUF_HEAPS=y"));
	EXPECT_THAT(finding.sources, Contains("/boot/config-7.3.4"));
}

TEST(Doctor, WhatWorksNeedsNoConfiguration)
{
	SystemFacts facts = healthySystem();
	facts.kernel.options.clear();
	facts.kernel.configFile.clear();
	EXPECT_EQ(find(facts, "kernel.heaps").status, Status::Ok);
	EXPECT_EQ(find(facts, "kernel.heap-cma").status, Status::Ok);
	EXPECT_EQ(find(facts, "kernel.config").status, Status::Unknown);
	facts.kernel.modules.clear();
	EXPECT_EQ(find(facts, "kernel.udmabuf").status, Status::Unknown);
}

TEST(Doctor, AModuleThatIsNotLoadedIsToBeLoaded)
{
	SystemFacts facts = healthySystem();
	facts.heap.heaps = {makeHeap("system")};
	facts.kernel.options["DMABUF_HEAPS_CMA"] = "m";
	facts.kernel.moduleListRead = true;
	facts.kernel.loadable = {"cma_heap"};
	Finding finding = find(facts, "kernel.heap-cma");
	EXPECT_EQ(finding.status, Status::Warn);
	EXPECT_THAT(adviceOf(finding), HasSubstr("modprobe cma_heap"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("/etc/modules-load.d/"));

	facts.kernel.loadable.clear();
	finding = find(facts, "kernel.heap-cma");
	EXPECT_THAT(finding.seen, HasSubstr("not among the modules of 7.3.4"));
}

TEST(Doctor, AModeAndADeviceCgroupHaveDifferentAnswers)
{
	SystemFacts facts = healthySystem();
	facts.heap.openErrors = {{"default_cma_region", EACCES}, {"system", EACCES}};
	facts.heap.groups = {"users"};
	Finding finding = find(facts, "heaps.permission");
	EXPECT_EQ(finding.status, Status::Fail);
	EXPECT_THAT(finding.seen, HasSubstr("0 of 2 heaps"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("SUBSYSTEM==\"dma_heap\""));
	EXPECT_THAT(adviceOf(finding), HasSubstr("--action=add"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("usermod -aG video"));
	EXPECT_THAT(adviceOf(finding), Not(HasSubstr("DeviceAllow")));

	facts.heap.openErrors = {{"default_cma_region", EPERM}, {"system", 0}};
	finding = find(facts, "heaps.permission");
	EXPECT_EQ(finding.status, Status::Warn) << "one heap is left to use";
	EXPECT_THAT(finding.seen, HasSubstr("default_cma_region (EPERM"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("DeviceAllow=char-dma_heap rw"));
	EXPECT_THAT(adviceOf(finding), Not(HasSubstr("SUBSYSTEM")));
}

TEST(Doctor, NoNodesAndNodesThatAContainerLacks)
{
	SystemFacts facts = healthySystem();
	facts.heap.registered.insert("video@42000000");
	Finding finding = find(facts, "heaps.nodes");
	EXPECT_EQ(finding.status, Status::Warn);
	EXPECT_THAT(finding.seen, HasSubstr("video@42000000"));

	facts.heap.heaps.clear();
	finding = find(facts, "heaps.nodes");
	EXPECT_EQ(finding.status, Status::Fail);
	EXPECT_THAT(adviceOf(finding), HasSubstr("container"));
	facts.heap.registered.clear();
	EXPECT_THAT(adviceOf(find(facts, "heaps.nodes")), HasSubstr("modprobe system_heap"));
}

TEST(Doctor, RegionsAreJudgedByTheFramesTheyHold)
{
	SystemFacts facts = healthySystem();
	facts.heap.heaps[0].region.free = 11 * kMiB;
	Finding finding = find(facts, "regions.free");
	EXPECT_EQ(finding.status, Status::Warn) << "three frames fit, each on a multiple of 1 MiB";
	EXPECT_THAT(finding.seen, HasSubstr("11 MiB of 64 MiB free"));
	facts.heap.heaps[0].region.free = 12 * kMiB;
	EXPECT_EQ(find(facts, "regions.free").status, Status::Ok);
	/* Free, but in pieces. */
	facts.heap.heaps[0].region.largest = 2 * kMiB;
	EXPECT_EQ(find(facts, "regions.free").status, Status::Warn);
	facts.heap.heaps[0].region.free.reset();
	EXPECT_EQ(find(facts, "regions.free").status, Status::Unknown);
}

TEST(Doctor, WithoutARegionItSaysWhereToMakeOne)
{
	SystemFacts facts = healthySystem();
	facts.heap.heaps = {makeHeap("system")};
	EXPECT_EQ(find(facts, "regions.default").status, Status::Warn);
	EXPECT_THAT(adviceOf(find(facts, "regions.default")), HasSubstr("cma=64M"));
	EXPECT_THAT(adviceOf(find(facts, "regions.contiguous")), HasSubstr("shared-dma-pool"));
}

TEST(Doctor, AReservedPoolWithoutAHeapIsMissed)
{
	SystemFacts facts = healthySystem();
	facts.heap.reserved = {{"default_cma_region", "/p/default_cma_region"},
			       {"video@1", "/p/video@1"}};
	const Finding finding = find(facts, "regions.device-tree");
	EXPECT_EQ(finding.status, Status::Warn);
	EXPECT_THAT(finding.seen, HasSubstr("1 of 2 reserved pools have a heap; not video@1"));
}

TEST(Doctor, LimitsOfTheProcessAndItsCgroup)
{
	SystemFacts facts = healthySystem();
	facts.limits.descriptors = 128;
	EXPECT_EQ(find(facts, "limits.descriptors").status, Status::Warn);
	facts.limits.descriptors = 32;
	EXPECT_EQ(find(facts, "limits.descriptors").status, Status::Fail);

	facts.limits.memoryMax = 100 * kMiB;
	facts.limits.memoryCurrent = 20 * kMiB;
	EXPECT_EQ(find(facts, "limits.memory").status, Status::Ok);
	facts.limits.memoryCurrent = 90 * kMiB;
	EXPECT_EQ(find(facts, "limits.memory").status, Status::Warn);
	EXPECT_THAT(find(facts, "limits.memory").seen, HasSubstr("10 MiB are left"));
	facts.limits.memoryCurrent = 200 * kMiB;
	EXPECT_THAT(find(facts, "limits.memory").seen, HasSubstr(", 0 are left"));

	facts.limits.heapAccounting = true;
	EXPECT_THAT(find(facts, "limits.memory").seen, HasSubstr("are charged"));
	facts.limits.dmemMax = {{"drm/card0/vram0", 4 * kMiB}};
	EXPECT_EQ(find(facts, "limits.dmem").status, Status::Warn);
	EXPECT_THAT(find(facts, "limits.dmem").seen, HasSubstr("drm/card0/vram0 at most 4 MiB"));
}

TEST(Doctor, CamerasThatCannotTakeDmabufs)
{
	SystemFacts facts = healthySystem();
	CameraFacts other = facts.devices.cameras[0];
	other.node = "/dev/video1";
	other.importsDmabuf = false;
	facts.devices.cameras.push_back(other);
	EXPECT_EQ(find(facts, "cameras.capture").status, Status::Warn);
	facts.devices.cameras.erase(facts.devices.cameras.begin());
	EXPECT_EQ(find(facts, "cameras.capture").status, Status::Fail);

	/* A decoder is no camera. */
	facts.devices.cameras[0].capture = false;
	EXPECT_THAT(find(facts, "cameras.capture").seen, HasSubstr("1 video nodes, none of which"));
	facts.devices.cameras[0].openError = EPERM;
	EXPECT_THAT(adviceOf(find(facts, "cameras.capture")),
		    HasSubstr("DeviceAllow=char-video4linux rw"));
}

TEST(Doctor, DisplaysThatCannotShowADmabuf)
{
	struct {
		bool DisplayFacts::*lacks;
		const char *said;
	} const cases[] = {{&DisplayFacts::kms, "no CRTC"},
			   {&DisplayFacts::atomic, "no atomic"},
			   {&DisplayFacts::primeImport, "imports no dma-buf"}};
	for (const auto &one : cases) {
		SystemFacts facts = healthySystem();
		facts.devices.displays[0].*one.lacks = false;
		EXPECT_EQ(find(facts, "displays.kms").status, Status::Fail);
		EXPECT_THAT(find(facts, "displays.kms").seen, HasSubstr(one.said));
		EXPECT_EQ(find(facts, "displays.master").status, Status::Unknown);
	}
	/* A renderer beside a display does no harm. */
	SystemFacts facts = healthySystem();
	facts.devices.displays.push_back({.node = "/dev/dri/card1", .driver = "vgem"});
	EXPECT_EQ(find(facts, "displays.kms").status, Status::Ok);
}

TEST(Doctor, AScreenThatAnotherProgramHas)
{
	SystemFacts facts = healthySystem();
	facts.devices.displays[0].masterElsewhere = true;
	facts.devices.displays[0].users = {"weston (417)"};
	EXPECT_EQ(find(facts, "displays.master").status, Status::Fail);
	EXPECT_THAT(find(facts, "displays.master").seen, HasSubstr("weston (417)"));
	facts.devices.displays.push_back(healthySystem().devices.displays[0]);
	EXPECT_EQ(find(facts, "displays.master").status, Status::Warn) << "one is free";
}

TEST(Doctor, Connectors)
{
	SystemFacts facts = healthySystem();
	facts.devices.displays[0].connectors = {{"HDMI-A-1", "disconnected"},
						{"Writeback-1", "unknown"}};
	EXPECT_EQ(find(facts, "displays.connected").status, Status::Warn);
	facts.devices.displays[0].connectors[0].status = "unknown";
	EXPECT_EQ(find(facts, "displays.connected").status, Status::Unknown);
}

TEST(Doctor, GstreamerWithoutThePluginOrWithoutAnAnswer)
{
	SystemFacts facts = healthySystem();
	facts.gstreamer.known = {"heapalloc"};
	facts.gstreamer.unknown = {"heapkmssink"};
	Finding finding = find(facts, "gstreamer.plugin");
	EXPECT_EQ(finding.status, Status::Fail);
	EXPECT_THAT(finding.seen, HasSubstr("knows heapalloc; not heapkmssink"));
	EXPECT_THAT(adviceOf(finding), HasSubstr("GST_PLUGIN_PATH"));
	facts.gstreamer.trouble = "it did not end";
	EXPECT_EQ(find(facts, "gstreamer.plugin").status, Status::Warn);
	facts.gstreamer = {.looked = true};
	EXPECT_EQ(find(facts, "gstreamer.plugin").status, Status::Unknown);
}

TEST(Doctor, LinesOfAServiceNameTheGroupsOfThisKernel)
{
	SystemFacts facts = healthySystem();
	EXPECT_THAT(serviceLines(facts), Contains("DeviceAllow=char-media rw"));
	facts.kernel.deviceGroups.erase("media");
	EXPECT_THAT(serviceLines(facts), Not(Contains("DeviceAllow=char-media rw")));
	EXPECT_THAT(serviceLines(facts), Contains(HasSubstr("# no such device now")));
}
