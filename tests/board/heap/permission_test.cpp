/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A normal user: setpriv(1) gives up root for good, with its capabilities. */
#include "heap_nodes.h"
#include "many_regions.h"
#include "run_command.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <regex>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::Not;

namespace
{

constexpr const char *kUser = "setpriv --reuid=65534 --regid=65534 --clear-groups -- ";
constexpr const char *kUserOfVideo = "setpriv --reuid=65534 --regid=65534 --groups=video -- ";
constexpr const char *kRule = "/run/udev/rules.d/70-dma-heap.rules";

CommandResult as(const char *who, const std::string &line)
{
	return runCommand(who + line);
}

/* The rule that an error tells to add: from SUBSYSTEM to the end of MODE="0660". */
std::string ruleIn(const std::string &text)
{
	std::smatch found;
	const std::regex rule("SUBSYSTEM==\"dma_heap\".*?MODE=\"0660\"");
	return std::regex_search(text, found, rule) ? found.str() : "";
}

class ManyRegionsPermission : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegionsPermission, AUserSeesEverythingAndMayOpenNothing)
{
	const CommandResult list = as(kUser, "heapctl list");
	EXPECT_EQ(list.status, 0) << list.errors;
	for (const PromisedRegion &promised : kManyRegions)
		EXPECT_THAT(list.output, HasSubstr(promised.heap));
	EXPECT_THAT(list.output, HasSubstr("no, root:root 0600"));
	EXPECT_THAT(list.output, Not(HasSubstr("yes, root:root")));
	/* Sizes are in sysfs, for everybody; the longest run is in debugfs, for root. */
	EXPECT_THAT(list.output, HasSubstr("7 regions"));
	EXPECT_THAT(list.output, HasSubstr("128 MiB  128 MiB"));

	const CommandResult explain = as(kUser, "heapctl explain 'video@*:default'");
	EXPECT_EQ(explain.status, 1);
	EXPECT_THAT(explain.errors, HasSubstr("EACCES"));
}

TEST_F(ManyRegionsPermission, TheChoiceTakesWhatTheUserMayOpen)
{
	const NodeGuard node("video@44000000");
	ASSERT_EQ(chmod(node.path(), 0644), 0);
	const CommandResult got = as(kUser, "heapctl alloc 'video@*:default' 4M");
	EXPECT_EQ(got.status, 0) << got.errors;
	EXPECT_THAT(got.output, HasSubstr("video@44000000: 1 buffer of 4194304 bytes"));
}

TEST_F(ManyRegionsPermission, APermissionTakenAwayEndsNewUseNotPresentUse)
{
	const NodeGuard node("frames");
	ASSERT_EQ(chmod(node.path(), 0666), 0);
	const AsNobody nobody;
	ASSERT_TRUE(nobody.entered());
	const auto heap = findHeap("frames");
	const auto device = HeapDevice::open(*heap);
	ASSERT_TRUE(device) << device.error().text();
	ASSERT_EQ(seteuid(0), 0);
	ASSERT_EQ(chmod(node.path(), 0600), 0);
	ASSERT_EQ(seteuid(65534), 0);

	EXPECT_TRUE(device->allocate(kMiB)) << "permission is asked for at open(2) only";
	EXPECT_FALSE(findHeap("frames")->accessible);
	const auto again = HeapDevice::open(*heap);
	ASSERT_FALSE(again);
	EXPECT_EQ(again.error().code, EACCES);
	EXPECT_THAT(again.error().message, HasSubstr("root:root 0600")) << "not as it was listed";
}

TEST_F(ManyRegionsPermission, TheRuleThatTheErrorTellsOfWorks)
{
	const NodeGuard node("frames");
	const CommandResult refused = as(kUserOfVideo, "heapctl alloc frames 4096");
	EXPECT_EQ(refused.status, 1);
	EXPECT_THAT(refused.errors, HasSubstr("root:root 0600"));
	const std::string rule = ruleIn(refused.errors);
	ASSERT_NE(rule, "") << refused.errors;

	/* /etc is read-only on the board; /run/udev/rules.d counts the same. */
	std::filesystem::create_directories("/run/udev/rules.d");
	std::ofstream(kRule) << rule << "\n";
	const CommandResult applied =
		runCommand("udevadm control --reload && "
			   "udevadm trigger --action=add --subsystem-match=dma_heap --settle");
	ASSERT_EQ(applied.status, 0) << applied.errors;

	EXPECT_EQ(describeAccess(*findHeap("frames")), "root:video 0660");
	const CommandResult got = as(kUserOfVideo, "heapctl alloc frames 4096");
	EXPECT_EQ(got.status, 0) << got.errors;
	EXPECT_EQ(as(kUser, "heapctl alloc frames 4096").status, 1) << "only the group may";
	EXPECT_EQ(as(kUserOfVideo, "heapctl alloc linux,cma 4096").status, 1)
		<< "only the heap of the rule";

	std::filesystem::remove(kRule);
	EXPECT_EQ(runCommand("udevadm control --reload").status, 0);
}
