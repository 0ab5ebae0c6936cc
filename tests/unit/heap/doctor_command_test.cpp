/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl doctor as a program, on copies of systems. */
#include "run_command.h"
#include "system_directory.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace heapflow::test;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

namespace
{

CommandResult doctor(const std::string &arguments)
{
	const char *program = std::getenv("HEAPCTL");
	return runCommand(std::string(program ? program : "heapctl") + " doctor " + arguments);
}

} /* namespace */

TEST(DoctorCommand, ACopyOfAWholeBoardFailsNowhere)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = doctor("--json --sysroot " + system.path().string());
	EXPECT_EQ(result.status, 0) << result.output;
	EXPECT_EQ(result.errors, "");
	const Json json = Json::parse(result.output, nullptr, false);
	ASSERT_FALSE(json.is_discarded());
	EXPECT_EQ(json["counts"]["fail"], 0);
	for (const Json &check : json["checks"]) {
		EXPECT_NE(check["seen"], "") << check["id"];
		EXPECT_TRUE(check["advice"].is_array() && check["sources"].is_array());
	}
}

TEST(DoctorCommand, ASystemWithoutHeapsFails)
{
	const TemporaryDirectory empty;
	const CommandResult result =
		doctor("--only heaps.nodes --sysroot " + empty.path().string());
	EXPECT_EQ(result.status, 1);
	EXPECT_THAT(result.output, HasSubstr("fail    heaps.nodes"));
	EXPECT_THAT(result.output, HasSubstr("modprobe system_heap cma_heap"));
	EXPECT_THAT(result.output, Not(HasSubstr("kernel.heaps")));
}

TEST(DoctorCommand, NamesFromOutsideAreShownSafely)
{
	const SystemDirectory system;
	system.addHeap("\x1b]0;title\x07");
	system.write("proc/sys/kernel/osrelease", "\x1b[31m7\n");
	const CommandResult result = doctor("--sysroot " + system.path().string());
	EXPECT_THAT(result.output, Not(HasSubstr("\x1b")));
}

TEST(DoctorCommand, UsageErrors)
{
	for (const char *arguments :
	     {"--only nix", "--only", "--udev --service", "extra", "--sysroot /nonexistent"}) {
		const CommandResult result = doctor(arguments);
		EXPECT_EQ(result.status, 2) << arguments;
		EXPECT_THAT(result.errors, HasSubstr("\nhint: ")) << arguments;
		EXPECT_EQ(result.output, "") << arguments;
	}
}

TEST(DoctorCommand, LinesToBePutIntoFiles)
{
	EXPECT_EQ(doctor("--udev").output,
		  "SUBSYSTEM==\"dma_heap\", GROUP=\"video\", MODE=\"0660\"\n");
	EXPECT_THAT(doctor("--service").output, StartsWith("[Service]\n"));
	EXPECT_THAT(doctor("--service").output, HasSubstr("DeviceAllow=char-dma_heap rw"));
	EXPECT_EQ(doctor("--udev >/dev/full").status, 1);
}
