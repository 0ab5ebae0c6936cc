/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl lint and heapctl dt as programs, with the dtc of this system. */
#include "run_command.h"
#include "system_directory.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using heapflow::test::cells;
using heapflow::test::CommandResult;
using heapflow::test::runCommand;
using heapflow::test::SystemDirectory;
using heapflow::test::TemporaryDirectory;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

namespace
{

constexpr const char *kRoot =
	"/dts-v1/;\n/ {\n#address-cells = <2>;\n#size-cells = <2>;\n"
	"reserved-memory {\n#address-cells = <2>;\n#size-cells = <2>;\nranges;\n";
constexpr const char *kPool = " { compatible = \"shared-dma-pool\"; reusable; ";

/* A source with one node of this name and these further properties. */
std::string sourceWith(const std::string &name, const std::string &properties)
{
	return kRoot + name + kPool + properties + " };\n};\n};\n";
}

const std::string kGood = sourceWith("video@42000000", "reg = <0x0 0x42000000 0x0 0x4000000>;");
const std::string kBad = sourceWith("cma-video", "size = <0x0 0x4000000>;");

std::string program()
{
	const char *path = std::getenv("HEAPCTL");
	return path ? path : "heapctl";
}

CommandResult heapctl(const std::string &arguments)
{
	return runCommand(program() + " " + arguments);
}

const std::string kDt = "dt --frames 6 --format NV12 --size 1920x1080 ";

} /* namespace */

TEST(LintCommand, Names)
{
	const CommandResult good = heapctl("lint video@42000000 camera-contiguous");
	EXPECT_EQ(good.status, 0) << good.output;
	EXPECT_THAT(good.output, HasSubstr("2 names, 0 errors, 0 warnings, 0 notes"));

	const CommandResult bad = heapctl("lint cma-video");
	EXPECT_EQ(bad.status, 1);
	EXPECT_THAT(bad.output, HasSubstr("[no-implementation]"));
	EXPECT_THAT(bad.output, HasSubstr("dma-buf-heaps.rst"));
	EXPECT_THAT(bad.output, HasSubstr("take: video\n"));

	EXPECT_EQ(heapctl("lint memory@42000000").status, 0);
	EXPECT_EQ(heapctl("lint --strict memory@42000000").status, 1);
}

TEST(LintCommand, SourceBlobStandardInputAndDirectory)
{
	const TemporaryDirectory directory;
	const std::string good = directory.write("good.dts", kGood).string();
	const std::string bad = directory.write("bad.dts", kBad).string();
	EXPECT_EQ(heapctl("lint " + good).status, 0);
	EXPECT_EQ(heapctl("lint " + bad).status, 1);
	EXPECT_EQ(heapctl("lint --dts " + bad).status, 1);
	EXPECT_EQ(runCommand(program() + " lint - <" + good).status, 0);
	EXPECT_EQ(runCommand(program() + " lint - <" + bad).status, 1);

	const std::string blob = (directory.path() / "blob").string();
	ASSERT_EQ(runCommand("dtc -q -I dts -O dtb -o " + blob + " " + bad).status, 0);
	EXPECT_EQ(heapctl("lint " + blob).status, 1);
	EXPECT_EQ(runCommand("cd " + directory.path().string() + " && " + program() + " lint blob")
			  .status,
		  1);
	const CommandResult json = heapctl("lint --json --dtb " + blob);
	EXPECT_EQ(json.status, 1);
	const Json parsed = Json::parse(json.output, nullptr, false);
	ASSERT_FALSE(parsed.is_discarded());
	EXPECT_EQ(parsed["errors"], 1);
	EXPECT_EQ(parsed["names"][0]["size"], 64 << 20);
	EXPECT_EQ(parsed["findings"][0]["rule"], "no-implementation");
	EXPECT_EQ(parsed["findings"][0]["suggestion"], "video");

	const SystemDirectory system;
	system.setCells(2, 2);
	system.write(SystemDirectory::reservedNode("ranges"), "");
	system.addReserved("cma-video", "");
	system.write(SystemDirectory::reservedNode("cma-video") + "/size", cells(0x4000000, 2));
	const CommandResult tree = heapctl("lint " + (system.path() / "proc/device-tree").string());
	EXPECT_EQ(tree.status, 1) << tree.errors;
	EXPECT_THAT(tree.output, HasSubstr("1 name, 1 error,"));
}

TEST(LintCommand, SourceOfTheKernelGoesThroughThePreprocessor)
{
	const TemporaryDirectory directory;
	directory.write("include/sizes.h", "#define SIZE 0x4000000\n");
	directory.write("part.dtsi", "/* nothing */\n");
	const std::string source =
		directory
			.write("board.dts", "#include <sizes.h>\n#include \"part.dtsi\"\n" +
						    sourceWith("cma-video", "size = <0 SIZE>;"))
			.string();
	const std::string include = (directory.path() / "include").string();
	const CommandResult result = heapctl("lint -I " + include + " " + source);
	EXPECT_EQ(result.status, 1) << result.errors;
	EXPECT_THAT(result.output, HasSubstr("1 error"));

	const CommandResult without = heapctl("lint " + source);
	EXPECT_EQ(without.status, 2);
	EXPECT_THAT(without.errors, HasSubstr("sizes.h"));
	EXPECT_THAT(without.errors, HasSubstr("hint: "));
}

TEST(LintCommand, WhatCannotBeRead)
{
	const TemporaryDirectory directory;
	const std::string broken =
		directory.write("broken.dts", "/dts-v1/;\n/ { a = ; };\n").string();
	const CommandResult source = heapctl("lint " + broken);
	EXPECT_EQ(source.status, 2);
	EXPECT_THAT(source.errors, HasSubstr("syntax error"));

	directory.write("good.dts", kGood);
	const std::string good = (directory.path() / "good.dts").string();
	const CommandResult noDtc = runCommand("p=$(command -v " + program() +
					       "); PATH=/nonexistent; exec \"$p\" lint " + good);
	EXPECT_EQ(noDtc.status, 2);
	EXPECT_THAT(noDtc.errors, HasSubstr("device-tree-compiler"));

	const std::string damaged =
		directory.write("damaged.dtb", "\xd0\x0d\xfe\xed and no more").string();
	const CommandResult blob = heapctl("lint " + damaged);
	EXPECT_EQ(blob.status, 2);
	EXPECT_THAT(blob.errors, HasSubstr("damaged"));

	EXPECT_EQ(heapctl("lint /nonexistent/board.dtb").status, 2);
	EXPECT_EQ(heapctl("lint " + good + " video").status, 2);
	EXPECT_EQ(heapctl("lint " + directory.path().string()).status, 2);
}

TEST(LintCommand, TheNodeThatDtPrintsPassesAsItIs)
{
	const TemporaryDirectory directory;
	const std::string file = (directory.path() / "node.dts").string();
	ASSERT_EQ(heapctl("dt --frames 6 --format NV12 --size 1920x1080 >" + file).status, 0);
	const CommandResult result = heapctl("lint " + file);
	EXPECT_EQ(result.status, 0) << result.output << result.errors;
	EXPECT_THAT(result.output, HasSubstr("1 name, 0 errors"));
}

TEST(LintCommand, AnErrorInAPartNamesItsOwnLine)
{
	const TemporaryDirectory directory;
	const std::string file = directory.write("part.dts", "/ {\n\ta = ;\n};\n").string();
	const CommandResult result = heapctl("lint " + file);
	EXPECT_EQ(result.status, 2);
	EXPECT_THAT(result.errors, HasSubstr("<stdin>:2."));
	EXPECT_THAT(result.errors, Not(HasSubstr("\\x0a")));
}

TEST(LintCommand, TheRunningSystem)
{
	const SystemDirectory system;
	system.makeBoard();
	system.write(SystemDirectory::reservedNode("ranges"), "");
	const std::string root = " --sysroot " + system.path().string();
	const CommandResult result = heapctl("lint" + root);
	EXPECT_EQ(result.status, 1) << result.errors;
	EXPECT_THAT(result.output, HasSubstr("linux,cma: error:"));
	EXPECT_THAT(result.output, Not(HasSubstr("default_cma_region: error")));
	EXPECT_THAT(result.output, HasSubstr("linux,cma: note: is one region with"));
	EXPECT_THAT(result.output, Not(HasSubstr("cma-default")));

	system.write("proc/cmdline", "console=ttyS0 cma=64M\n");
	std::filesystem::remove(system.path() / "dev/dma_heap/linux,cma");
	EXPECT_THAT(heapctl("lint" + root).output, HasSubstr("[cma-default]"));
}

TEST(DtCommand, CompilesWithoutAWarningAndPassesLint)
{
	const TemporaryDirectory directory;
	const std::string arguments[] = {
		"",
		"--base 0x42000000",
		"--base 0x842000000 --label frames",
		"--below 4G --usage display",
		"--alloc-ranges 1G-2G",
		"--page-size 16K",
		"--page-size 64K --base 0x40000000",
		"--stride-align 256 --alignment-order 4 --min-alignment 2M",
	};
	for (const std::string &one : arguments) {
		for (const std::string number : {"1", "2"}) {
			if (number == "1" && one.contains("0x842000000"))
				continue;
			const CommandResult node = heapctl(kDt + one + " --cells " + number);
			ASSERT_EQ(node.status, 0) << one << node.errors;
			const std::string file =
				directory
					.write("node.dts", "/dts-v1/;\n/ {\n#address-cells = <" +
								   number + ">;\n#size-cells = <" +
								   number + ">;\n};\n" +
								   node.output)
					.string();
			const CommandResult dtc =
				runCommand("dtc -I dts -O dtb -o /dev/null " + file);
			EXPECT_EQ(dtc.status, 0) << dtc.errors;
			EXPECT_EQ(dtc.errors, "") << one;
			const CommandResult lint = heapctl("lint --strict " + file);
			EXPECT_EQ(lint.status, 0) << one << lint.output << lint.errors;
			EXPECT_THAT(lint.output, HasSubstr("1 name, 0 errors")) << one;
		}
	}
}

TEST(DtCommand, Json)
{
	const CommandResult result = heapctl(kDt + "--base 0x42000000 --json");
	ASSERT_EQ(result.status, 0) << result.errors;
	const Json json = Json::parse(result.output, nullptr, false);
	ASSERT_FALSE(json.is_discarded());
	EXPECT_EQ(json["name"], "video@42000000");
	EXPECT_EQ(json["size"], 20 << 20);
	EXPECT_EQ(json["space"], 18841600);
	EXPECT_EQ(json["frame"]["bytes"], 3110400);
	EXPECT_EQ(json["base"], 0x42000000);
}

TEST(DtCommand, UsedWrongly)
{
	for (const char *arguments :
	     {"dt", "dt --frames 6 --format NV12 --size 1920",
	      "dt --frames 6 --format N --size 4x4", "dt --frames x --format NV12 --size 4x4",
	      "dt --frames 0 --format NV12 --size 4x4"}) {
		const CommandResult result = heapctl(arguments);
		EXPECT_EQ(result.status, 2) << arguments;
		EXPECT_NE(result.errors, "") << arguments;
	}
	for (const char *option :
	     {"--base 0x42100000", "--base 42zz", "--base 0 --dynamic", "--below 1M",
	      "--alloc-ranges 2G-1G", "--page-size 5K", "--usage dma_heap", "--cells 0"}) {
		const CommandResult result = heapctl(kDt + option);
		EXPECT_EQ(result.status, 2) << option;
		EXPECT_EQ(result.output, "") << option;
	}
}
