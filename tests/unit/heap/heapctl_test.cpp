/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl as a program, on systems of the test's own making. */
#include "run_command.h"
#include "system_directory.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using heapflow::test::CommandResult;
using heapflow::test::runCommand;
using heapflow::test::SystemDirectory;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

namespace
{

CommandResult heapctl(const std::string &arguments)
{
	const char *program = std::getenv("HEAPCTL");
	return runCommand(std::string(program ? program : "heapctl") + " " + arguments);
}

std::string rootOption(const SystemDirectory &system)
{
	return " --sysroot " + system.path().string();
}

bool isPrintable(const std::string &text)
{
	return std::ranges::all_of(text,
				   [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); });
}

} /* namespace */

TEST(Heapctl, ListCountsEachRegionOnce)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = heapctl("list" + rootOption(system));
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_EQ(result.errors, "");
	EXPECT_THAT(result.output, HasSubstr("same region as default_cma_region"));

	std::istringstream lines(result.output);
	std::string line;
	std::string last;
	while (std::getline(lines, line))
		last = line;
	EXPECT_THAT(last, StartsWith("total"));
	EXPECT_THAT(last, HasSubstr("3 regions"));
	EXPECT_THAT(last, HasSubstr("160 MiB  144 MiB"));
}

TEST(Heapctl, ListJson)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = heapctl("list --json" + rootOption(system));
	ASSERT_EQ(result.status, 0) << result.errors;
	const Json json = Json::parse(result.output, nullptr, false);
	ASSERT_FALSE(json.is_discarded());
	ASSERT_EQ(json["heaps"].size(), 5u);
	EXPECT_EQ(json["heaps"][0]["name"], "default_cma_region");
	EXPECT_EQ(json["heaps"][1]["same_region_as"], "default_cma_region");
	EXPECT_EQ(json["heaps"][3]["region"]["total"], nullptr);
	EXPECT_EQ(json["heaps"][4]["region"]["base"], 0x42000000);
	EXPECT_EQ(json["totals"]["regions"], 3);
	EXPECT_EQ(json["totals"]["total"], 160 << 20);
	EXPECT_EQ(json["totals"]["free"], 144 << 20);
}

TEST(Heapctl, BadNamesBreakNeitherTheTerminalNorJson)
{
	const SystemDirectory system;
	system.addHeap("\x1b]0;title\x07");
	system.addHeap("\xff\xfe\x80");
	system.addHeap("quote\"back\\slash\nline");
	system.addHeap("\x7f\xc2\x9b");

	for (const std::string command : {"list", "explain '*'", "explain system"}) {
		const CommandResult text = heapctl(command + rootOption(system));
		EXPECT_TRUE(isPrintable(text.output)) << text.output;
		EXPECT_TRUE(isPrintable(text.errors)) << text.errors;
		const CommandResult result = heapctl(command + " --json" + rootOption(system));
		EXPECT_TRUE(isPrintable(result.errors)) << result.errors;
		const Json json = Json::parse(result.output, nullptr, false);
		ASSERT_FALSE(json.is_discarded()) << result.output;
	}
	const Json json = Json::parse(heapctl("list --json" + rootOption(system)).output);
	EXPECT_EQ(json["heaps"].size(), 4u);
	EXPECT_EQ(json["heaps"][0]["name"], "\x1b]0;title\x07");
}

TEST(Heapctl, ExplainGivesEveryReason)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = heapctl("explain 'nix:video@*:default'" + rootOption(system));
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_THAT(result.output, StartsWith("nix:video@*:default takes video@42000000\n"));
	EXPECT_THAT(result.output, HasSubstr("matches video@*"));
	EXPECT_THAT(result.output, HasSubstr("is the default CMA region, but is the same region as "
					     "default_cma_region"));
	EXPECT_THAT(result.output, HasSubstr("nix adds nothing: there is no heap nix"));

	const Json json =
		Json::parse(heapctl("explain --json 'nix:video@*'" + rootOption(system)).output);
	EXPECT_EQ(json["taken"], "video@42000000");
	EXPECT_EQ(json["candidates"].size(), 5u);
	EXPECT_EQ(json["candidates"][0]["alternative"], 1);
	EXPECT_EQ(json["unmet"][0]["alternative"], 0);
}

TEST(Heapctl, NothingTakenIsAFailure)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = heapctl("explain --json nix" + rootOption(system));
	EXPECT_EQ(result.status, 1);
	EXPECT_THAT(result.errors, StartsWith("heapctl: 'nix' takes no heap: there is no heap "
					      "nix; there are default_cma_region,"));
	EXPECT_THAT(result.errors, HasSubstr("\nhint: "));
	EXPECT_THAT(result.errors, HasSubstr("The device tree has no such node"));
	/* Its driver is there: it made the other heaps of regions. */
	EXPECT_THAT(result.errors, Not(HasSubstr("modprobe")));
	EXPECT_EQ(Json::parse(result.output)["taken"], nullptr);
	EXPECT_THAT(heapctl("explain vidoe@42000000" + rootOption(system)).errors,
		    HasSubstr("\nhint: Did you mean video@42000000"));
	EXPECT_THAT(heapctl("explain is=protected" + rootOption(system)).errors,
		    HasSubstr("hint: heapctl explain 'is=protected' says"));
}

TEST(Heapctl, NoHeapDirectoryIsAFailure)
{
	const heapflow::test::TemporaryDirectory empty;
	const CommandResult result = heapctl("list --sysroot " + empty.path().string());
	EXPECT_EQ(result.status, 1);
	EXPECT_EQ(result.output, "");
	EXPECT_THAT(result.errors, StartsWith("heapctl: there are no dma-buf heaps"));
	EXPECT_THAT(result.errors, HasSubstr("(ENOENT"));
}

TEST(Heapctl, UsageErrorsHaveTheirOwnStatus)
{
	for (const char *arguments :
	     {"", "bogus", "list --bogus", "list extra", "explain", "alloc system",
	      "alloc system 8X", "alloc system 0", "alloc system 4096 --count 0",
	      "alloc system 4096 --count x", "alloc system 4096 --hold -1", "alloc 'a b' 4096",
	      "explain 'a b'", "explain is=x", "explain auto --needs y", "explain ''",
	      "list --sysroot /nonexistent"}) {
		const CommandResult result = heapctl(arguments);
		EXPECT_EQ(result.status, 2) << arguments;
		EXPECT_THAT(result.errors, StartsWith("heapctl: ")) << arguments;
		EXPECT_THAT(result.errors, HasSubstr("\nhint: ")) << arguments;
		EXPECT_EQ(result.output, "") << arguments;
	}
}

TEST(Heapctl, ListFitsInANarrowTerminalAndKeepsWhatItCan)
{
	const SystemDirectory system;
	system.makeBoard();
	for (const int width : {60, 80, 100, 140}) {
		const CommandResult result =
			runCommand("COLUMNS=" + std::to_string(width) + " " +
				   (std::getenv("HEAPCTL") ? std::getenv("HEAPCTL") : "heapctl") +
				   " list" + rootOption(system));
		ASSERT_EQ(result.status, 0) << result.errors;
		std::istringstream lines(result.output);
		for (std::string line; std::getline(lines, line);)
			EXPECT_TRUE(line.size() <= static_cast<size_t>(width) ||
				    line.starts_with("not shown"))
				<< line;
		const std::string titles = result.output.substr(0, result.output.find('\n'));
		EXPECT_THAT(titles, HasSubstr("FREE"));
		/* Narrow columns come back into the room that a wide one left. */
		EXPECT_THAT(titles, HasSubstr("LARGEST")) << width;
	}
}

TEST(Heapctl, AWrongExpressionIsShownWithItsCharacter)
{
	const CommandResult result = heapctl("explain video@*:is=contigous");
	EXPECT_EQ(result.status, 2);
	EXPECT_THAT(result.errors, HasSubstr("\nvideo@*:is=contigous\n           ^\nhint: "));
	EXPECT_THAT(result.errors, HasSubstr("did you mean 'contiguous'?"));
}

TEST(Heapctl, ExplainShowsEveryConditionOfEveryHeap)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result =
		heapctl("explain usage=video,min-free=60M:auto --json" + rootOption(system));
	ASSERT_EQ(result.status, 0) << result.errors;
	const Json json = Json::parse(result.output);
	EXPECT_EQ(json["taken"], "video@42000000");
	EXPECT_EQ(json["candidates"].size(), 5u);
	EXPECT_EQ(json["unmet"].size(), 1u);
	for (const Json &candidate : json["candidates"]) {
		const Json &considered = candidate["considered"];
		ASSERT_EQ(considered.size(), 2u) << candidate["heap"]["name"];
		ASSERT_EQ(considered[0]["conditions"].size(), 2u);
		EXPECT_FALSE(considered[0]["conditions"][0]["verdict"] == "met" &&
			     considered[0]["conditions"][1]["verdict"] == "met");
		EXPECT_FALSE(considered[1]["reason"].get<std::string>().empty());
	}
}

TEST(Heapctl, HelpHasExamples)
{
	for (const char *arguments : {"--help", "list --help", "explain --help", "alloc --help"}) {
		const CommandResult result = heapctl(arguments);
		EXPECT_EQ(result.status, 0) << arguments;
		EXPECT_THAT(result.output, HasSubstr("Examples:\n  heapctl ")) << arguments;
		EXPECT_EQ(result.errors, "");
	}
	EXPECT_THAT(heapctl("--version").output, StartsWith("heapctl "));
}

TEST(Heapctl, OutputThatCannotBeWrittenIsAFailure)
{
	const SystemDirectory system;
	system.makeBoard();
	const CommandResult result = heapctl("list" + rootOption(system) + " >/dev/full");
	EXPECT_EQ(result.status, 1);
	EXPECT_THAT(result.errors, HasSubstr("ENOSPC"));
}
