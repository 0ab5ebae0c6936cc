/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the TAB key puts in: from the commands' own description, and by the script for bash. */
#include "bash_completion.h"
#include "completion/candidates.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow::test;
using heapflow::tool::candidates;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

namespace
{

/* A program with one of each kind of option. */
class Completion : public testing::Test
{
protected:
	Completion()
	{
		auto *allocate = app_.add_subcommand("alloc", "");
		allocate->add_option("HEAP", text_, "");
		allocate->add_option("SIZE", text_, "");
		allocate->add_option("-c,--count", number_, "")->type_name("N");
		allocate->add_flag("--json", flag_, "");
		allocate->add_option("--color", text_, "")
			->check(CLI::IsMember({"always", "never"}));
		allocate->add_option("--sysroot", text_, "")->type_name("DIR");
		allocate->add_option("--save", text_, "")->type_name("FILE");
		allocate->add_option("--only", list_, "")->allow_extra_args(false);
		allocate->add_option("--format", text_, "")->type_name("FORMAT");
		app_.add_subcommand("list", "");
		app_.add_subcommand("hidden", "")->group("");
	}

	std::vector<std::string> after(std::vector<std::string> words) const
	{
		words.insert(words.begin(), "heapctl");
		return candidates(app_, words, {"linux,cma", "system", "video@42000000"});
	}

private:
	CLI::App app_{"test", "heapctl"};
	std::string text_;
	std::vector<std::string> list_;
	int number_ = 0;
	bool flag_ = false;
};

std::string heapctl()
{
	const char *program = std::getenv("HEAPCTL");
	return program ? program : "heapctl";
}

std::vector<std::string> inBash(const std::string &rest)
{
	std::istringstream lines(completeInBash(heapctl() + rest).output);
	std::vector<std::string> found;
	for (std::string line; std::getline(lines, line);)
		found.push_back(line);
	return found;
}

} /* namespace */

TEST_F(Completion, Commands)
{
	EXPECT_THAT(after({""}), ElementsAre("alloc", "list")) << "what is hidden stays so";
	EXPECT_THAT(after({"l"}), ElementsAre("list"));
	EXPECT_THAT(after({"x"}), IsEmpty());
	EXPECT_THAT(after({}), IsEmpty());
}

TEST_F(Completion, OptionsNotGivenTwice)
{
	EXPECT_THAT(after({"alloc", "--j"}), ElementsAre("--json"));
	EXPECT_THAT(after({"alloc", "--json", "-"}), Not(Contains("--json")));
	EXPECT_THAT(after({"alloc", "--only", "a", "--o"}), ElementsAre("--only"))
		<< "but those that may be";
	EXPECT_THAT(after({"list", "-"}), ElementsAre("--help"));
	EXPECT_THAT(after({"alloc", "--", "--j"}), IsEmpty()) << "after -- there are no options";
}

TEST_F(Completion, ValuesOfOptions)
{
	EXPECT_THAT(after({"alloc", "--color", ""}), ElementsAre("always", "never"));
	EXPECT_THAT(after({"alloc", "--color=n"}), ElementsAre("--color=never"));
	EXPECT_THAT(after({"alloc", "--sysroot", "/x"}), ElementsAre(":directories"));
	EXPECT_THAT(after({"alloc", "--save", ""}), ElementsAre(":files"));
	EXPECT_THAT(after({"alloc", "--count", ""}), IsEmpty()) << "a number is anybody's guess";
	EXPECT_THAT(after({"alloc", "--format", "NV1"}), Contains("NV12"));
	/* The value of an option is no positional. */
	EXPECT_THAT(after({"alloc", "-c", "3", "sys"}), ElementsAre("system"));
}

TEST_F(Completion, ExpressionsGoOnAfterAColon)
{
	EXPECT_THAT(after({"alloc", "v"}), ElementsAre("video@42000000"));
	EXPECT_THAT(after({"alloc", "video@*:de"}), ElementsAre("video@*:default"));
	EXPECT_THAT(after({"alloc", "a:linux,c"}), ElementsAre("a:linux,cma"))
		<< "a comma in a name ends nothing";
	EXPECT_THAT(after({"alloc", "is=contiguous,us"}), ElementsAre("is=contiguous,usage="));
	EXPECT_THAT(after({"alloc", "is=contiguous,sy"}), IsEmpty()) << "no names among conditions";
	EXPECT_THAT(after({"alloc", "system", "sy"}), IsEmpty()) << "a size comes next";
}

TEST(BashCompletion, CommandsAndOptionsOfTheProgramItself)
{
	EXPECT_THAT(inBash(" expl"), ElementsAre("explain"));
	EXPECT_THAT(inBash(" "), testing::IsSupersetOf({"alloc", "explain", "list"}));
	EXPECT_THAT(inBash(" "), Not(Contains("complete")));
	EXPECT_THAT(inBash(" list --js"), ElementsAre("--json"));
	EXPECT_THAT(inBash(" nonsense --js"), IsEmpty());
}

TEST(BashCompletion, WhatBashItselfCompletesIsLeftToIt)
{
	EXPECT_THAT(inBash(" list --sysroot /"), ElementsAre("compopt -o dirnames"));
}

TEST(BashCompletion, OnlyWhatFollowsAWordBreakIsGivenBack)
{
	/* Outside of quotes readline replaces what follows the last ':' or '='. */
	EXPECT_THAT(inBash(" explain nix:defa"), ElementsAre("default"));
	EXPECT_THAT(inBash(" explain is=contig"), ElementsAre("contiguous"));
	EXPECT_THAT(inBash(" explain 'nix:defa"), ElementsAre("nix:default"));
	EXPECT_THAT(inBash(" explain nix:usa"), ElementsAre("compopt -o nospace", "usage="));
}

TEST(BashCompletion, EveryCommandHasItsHelp)
{
	for (const std::string &command : inBash(" ")) {
		EXPECT_THAT(inBash(" " + command + " --"), Contains("--help")) << command;
		EXPECT_EQ(runCommand(heapctl() + " " + command + " --help").status, 0) << command;
	}
}
