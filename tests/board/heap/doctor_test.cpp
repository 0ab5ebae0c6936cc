/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl doctor on the board: real devices, a real user, a real master of the display. */
#include "board_heaps.h"
#include "heap_nodes.h"
#include "run_command.h"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using Json = nlohmann::json;

namespace
{

/* Of each check its status; "seen" and the rest under its id. */
struct Diagnosis {
	int status = -1;
	Json checks = Json::object();
};

Diagnosis diagnose(const std::string &prefix = {}, const std::string &options = {})
{
	const CommandResult result = runCommand(prefix + "heapctl doctor --json " + options);
	EXPECT_EQ(result.errors, "");
	const Json json = Json::parse(result.output, nullptr, false);
	Diagnosis diagnosis{result.status};
	EXPECT_FALSE(json.is_discarded()) << result.output;
	if (!json.is_discarded()) {
		for (const Json &check : json["checks"])
			diagnosis.checks[check["id"].get<std::string>()] = check;
	}
	return diagnosis;
}

constexpr const char *kAsNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups -- ";

} /* namespace */

TEST(DoctorOnBoard, RootFindsHeapsCamerasAndADisplay)
{
	const Diagnosis found = diagnose();
	for (const char *id :
	     {"kernel.heaps", "kernel.heap-cma", "kernel.cma-debugfs", "heaps.nodes",
	      "heaps.permission", "regions.default", "regions.free", "regions.device-tree",
	      "cameras.capture", "displays.kms", "displays.master"})
		EXPECT_EQ(found.checks[id]["status"], "ok") << found.checks[id];
	EXPECT_THAT(found.checks["cameras.capture"]["seen"], HasSubstr("/dev/video7 vivid"));
	EXPECT_THAT(found.checks["displays.kms"]["seen"], HasSubstr("/dev/dri/card1 vkms"));
	EXPECT_THAT(found.checks["heaps.permission"]["seen"], HasSubstr("5 of 5"));
}

TEST(DoctorOnBoard, AUserIsToldTheRuleAndTheGroup)
{
	const Diagnosis found = diagnose(kAsNobody);
	EXPECT_EQ(found.status, 1);
	for (const char *id : {"heaps.permission", "cameras.capture", "displays.kms"})
		EXPECT_EQ(found.checks[id]["status"], "fail") << found.checks[id];
	EXPECT_EQ(found.checks["kernel.cma-debugfs"]["status"], "unknown");
	EXPECT_THAT(found.checks["heaps.permission"]["advice"].dump(), HasSubstr("dma_heap"));
}

TEST(DoctorOnBoard, TheRuleItPrintsOpensTheHeaps)
{
	std::vector<std::unique_ptr<NodeGuard>> nodes;
	for (const char *name : kBoardHeaps)
		nodes.push_back(std::make_unique<NodeGuard>(name));
	std::filesystem::create_directories("/run/udev/rules.d");
	const std::string rule = "/run/udev/rules.d/70-dma-heap.rules";
	ASSERT_EQ(runCommand("heapctl doctor --udev >" + rule +
			     " && udevadm control --reload && udevadm trigger --action=add "
			     "--subsystem-match=dma_heap --settle")
			  .status,
		  0);
	const Diagnosis found = diagnose("setpriv --reuid=65534 --regid=65534 --groups=video -- ",
					 "--only 'heaps.*'");
	EXPECT_EQ(found.status, 0);
	EXPECT_EQ(found.checks["heaps.permission"]["status"], "ok");
	std::filesystem::remove(rule);
	EXPECT_EQ(runCommand("udevadm control --reload").status, 0);
}

TEST(DoctorOnBoard, AFullRegionIsAWarning)
{
	const auto held = openHeap("video@42000000").allocate(60 * kMiB);
	ASSERT_TRUE(held) << held.error().text();
	const Diagnosis found = diagnose({}, "--only regions.free");
	EXPECT_EQ(found.status, 0) << "a warning stops nothing";
	EXPECT_EQ(found.checks["regions.free"]["status"], "warn");
	EXPECT_THAT(found.checks["regions.free"]["seen"], HasSubstr("video@42000000 (4 MiB of"));
}

TEST(DoctorOnBoard, AHeapWithoutANodeIsMissed)
{
	const NodeGuard node("video@42000000");
	ASSERT_TRUE(node.remove());
	const Diagnosis found = diagnose({}, "--only heaps.nodes");
	EXPECT_EQ(found.checks["heaps.nodes"]["status"], "warn");
	EXPECT_THAT(found.checks["heaps.nodes"]["seen"], HasSubstr("video@42000000"));
}

TEST(DoctorOnBoard, ItNeverKeepsTheDisplay)
{
	/* Nobody has it: the doctor looks, and the next to open it is its master. */
	EXPECT_EQ(diagnose({}, "--only displays.master").status, 0);
	const UniqueFd display(open("/dev/dri/card1", O_RDWR | O_CLOEXEC));
	ASSERT_TRUE(display.valid());
	const Diagnosis taken = diagnose({}, "--only displays.master");
	EXPECT_EQ(taken.status, 1);
	EXPECT_THAT(taken.checks["displays.master"]["seen"],
		    HasSubstr("(" + std::to_string(getpid()) + ")"));
	/* And it took nothing away: this test is the master still. */
	EXPECT_EQ(diagnose({}, "--only displays.master").status, 1);
}

TEST(DoctorOnBoard, FewDescriptorsAreSaid)
{
	const CommandResult result =
		runCommand("ulimit -n 32; heapctl doctor --only limits.descriptors");
	EXPECT_EQ(result.status, 1);
	EXPECT_THAT(result.output, HasSubstr("may have 32 files open"));
}

TEST(DoctorOnBoard, AMemoryLimitOfTheCgroupIsRead)
{
	const std::string group = "/sys/fs/cgroup/doctor";
	const CommandResult result = runCommand(
		"echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir -p " + group +
		"/inner && echo 50M >" + group + "/memory.max && sh -c 'echo $$ >" + group +
		"/inner/cgroup.procs && exec heapctl doctor --only limits.memory'; rmdir " + group +
		"/inner " + group);
	EXPECT_THAT(result.output, HasSubstr("/doctor/inner may have 50 MiB")) << result.errors;
}
