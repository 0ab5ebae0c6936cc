/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapctl doctor reads, in copies of systems, and the programs it asks. */
#include "doctor/gather.h"
#include "doctor/program_output.h"
#include "result.h"
#include "run_command.h"
#include "system_directory.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using namespace heapflow::tool::doctor;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST(KernelConfig, LinesThatSetAndLinesThatDoNot)
{
	const auto options = parseKernelConfig("# Linux\nCONFIG_DMABUF_HEAPS=y\n"
					       "# CONFIG_DMABUF_HEAPS_CMA is not set\n"
					       "CONFIG_DMABUF_HEAPS_SYSTEM=m\nCONFIG_NAME=\"a=b\"\n"
					       "CONFIG_WITHOUT\nOTHER=y\nCONFIG_LAST=64");
	EXPECT_THAT(options, UnorderedElementsAre(Pair("DMABUF_HEAPS", "y"),
						  Pair("DMABUF_HEAPS_SYSTEM", "m"),
						  Pair("NAME", "\"a=b\""), Pair("LAST", "64")));
	EXPECT_THAT(parseKernelConfig(""), IsEmpty());
}

TEST(DoctorGather, AnEmptySystem)
{
	const TemporaryDirectory empty;
	const SystemFacts facts = gatherFacts(empty.path());
	EXPECT_TRUE(facts.heap.error);
	EXPECT_EQ(facts.kernel.release, "");
	EXPECT_EQ(facts.kernel.configFile, "");
	EXPECT_FALSE(facts.devices.looked);
	EXPECT_FALSE(facts.gstreamer.looked);
	EXPECT_FALSE(facts.limits.descriptors) << "of this machine, not of the copy";
}

TEST(DoctorGather, ConfigurationOfBootOrOfTheModules)
{
	const SystemDirectory system;
	system.write("proc/sys/kernel/osrelease", "6.18.1\n");
	const auto modules = system.write("lib/modules/6.18.1/config", "CONFIG_CMA_SYSFS=y\n");
	EXPECT_EQ(gatherKernel(system.path()).configFile, modules.string());
	const auto boot = system.write("boot/config-6.18.1", "CONFIG_CMA_DEBUGFS=y\n");
	/* Another kernel's says nothing. */
	system.write("boot/config-6.17.0", "CONFIG_UDMABUF=y\n");
	const KernelFacts facts = gatherKernel(system.path());
	EXPECT_EQ(facts.release, "6.18.1");
	EXPECT_EQ(facts.configFile, boot.string());
	EXPECT_THAT(facts.options, ElementsAre(Pair("CMA_DEBUGFS", "y")));
}

TEST(DoctorGather, APackedConfigurationIsUnpacked)
{
	const SystemDirectory system;
	system.write("proc/config", "CONFIG_DMABUF_HEAPS=y\n");
	ASSERT_EQ(runCommand("gzip " + (system.path() / "proc/config").string()).status, 0);
	const KernelFacts facts = gatherKernel(system.path());
	EXPECT_THAT(facts.configFile, HasSubstr("config.gz"));
	EXPECT_THAT(facts.options, Contains(Pair("DMABUF_HEAPS", "y")));
	/* A broken one is as good as none. */
	system.write("proc/config.gz", "not packed");
	EXPECT_EQ(gatherKernel(system.path()).configFile, "");
}

TEST(DoctorGather, ModulesAndDeviceGroups)
{
	const SystemDirectory system;
	system.write("proc/sys/kernel/osrelease", "6.18.1\n");
	system.write("lib/modules/6.18.1/modules.dep",
		     "kernel/drivers/dma-buf/heaps/cma_heap.ko.xz: kernel/a.ko\n"
		     "kernel/drivers/video/with-dash.ko:\n");
	system.write("sys/module/udmabuf/uevent", "");
	system.write("proc/devices", "Character devices:\n  1 mem\n226 drm\n254 dma_heap\n\nBlock "
				     "devices:\n259 blkext\n");
	const KernelFacts facts = gatherKernel(system.path());
	EXPECT_TRUE(facts.moduleListRead);
	EXPECT_THAT(facts.loadable, ElementsAre("cma_heap", "with_dash"));
	EXPECT_THAT(facts.modules, ElementsAre("udmabuf"));
	EXPECT_THAT(facts.deviceGroups, ElementsAre("dma_heap", "drm", "mem"));
}

TEST(DoctorGather, ReservedPoolsOfTheDeviceTree)
{
	const SystemDirectory system;
	system.makeBoard();
	for (const char *name : {"off@1", "on@2", "coherent@3"})
		system.addReserved(name, "");
	system.write(SystemDirectory::reservedNode("off@1") + "/status",
		     std::string("disabled\0", 9));
	system.write(SystemDirectory::reservedNode("on@2") + "/status", std::string("okay\0", 5));
	system.write(SystemDirectory::reservedNode("coherent@3") + "/no-map", "");
	std::vector<std::string> names;
	for (const ReservedNode &node : gatherFacts(system.path()).heap.reserved)
		names.push_back(node.name);
	EXPECT_THAT(names, UnorderedElementsAre("linux,cma", "video@42000000",
						"memory@48000000-contiguous", "on@2"));
}

TEST(DoctorGather, NodesOfACopyAreNotOpened)
{
	const SystemDirectory system;
	system.makeBoard();
	const SystemFacts facts = gatherFacts(system.path());
	EXPECT_THAT(facts.heap.heaps, SizeIs(5));
	EXPECT_THAT(facts.heap.openErrors, IsEmpty());
	EXPECT_EQ(facts.heap.cmaSysfs, true);
	EXPECT_EQ(facts.heap.cmaDebugfs, false);
}

TEST(ProgramOutput, StatusTextAndSignal)
{
	const auto said = runProgram({"sh", "-c", "echo text; exit 3"}, 10s);
	ASSERT_TRUE(said) << said.error().text();
	EXPECT_EQ(said->text, "text\n");
	EXPECT_EQ(said->status, 3);
	EXPECT_EQ(runProgram({"sh", "-c", "kill -9 $$"}, 10s)->status, 137);
	/* More than a pipe holds. */
	EXPECT_THAT(runProgram({"head", "-c", "300000", "/dev/zero"}, 10s)->text, SizeIs(300000));
}

TEST(ProgramOutput, NoProgramAndOneThatDoesNotEnd)
{
	EXPECT_EQ(codeOf(runProgram({"no-such-program-here"}, 1s)), ENOENT);
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(codeOf(runProgram({"sleep", "30"}, 100ms)), ETIMEDOUT);
	EXPECT_EQ(codeOf(runProgram({"sh", "-c", "while :; do echo y; sleep 0.01; done"}, 100ms)),
		  ETIMEDOUT);
	EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}
