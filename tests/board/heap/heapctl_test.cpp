/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl, found on PATH, with the board's heaps. */
#include "board_heaps.h"
#include "run_command.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace heapflow::test;
using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

namespace
{

Json parse(const CommandResult &result)
{
	EXPECT_EQ(result.status, 0) << result.errors;
	Json json = Json::parse(result.output, nullptr, false);
	EXPECT_FALSE(json.is_discarded()) << result.output;
	return json;
}

constexpr const char *kAsNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups -- ";

} /* namespace */

TEST(Heapctl, ListShowsEveryHeapAndCountsTheTwinOnce)
{
	const Json json = parse(runCommand("heapctl list --json"));
	ASSERT_EQ(json["heaps"].size(), kBoardHeaps.size());
	for (size_t i = 0; i < kBoardHeaps.size(); i++)
		EXPECT_EQ(json["heaps"][i]["name"], kBoardHeaps[i]);
	EXPECT_EQ(json["heaps"][1]["same_region_as"], "default_cma_region");
	EXPECT_EQ(json["totals"]["regions"], 3);
	EXPECT_EQ(json["totals"]["total"], 160 * kMiB);

	const CommandResult text = runCommand("heapctl list");
	EXPECT_EQ(text.status, 0);
	EXPECT_THAT(text.output, HasSubstr("\ntotal "));
	EXPECT_THAT(text.output, HasSubstr("0x42000000"));
}

TEST(Heapctl, Explain)
{
	const CommandResult text = runCommand("heapctl explain 'video@*:default'");
	EXPECT_EQ(text.status, 0) << text.errors;
	EXPECT_THAT(text.output, StartsWith("video@*:default takes video@42000000\n"));
	EXPECT_EQ(parse(runCommand("heapctl explain --json reserved"))["taken"],
		  "default_cma_region");
	EXPECT_EQ(runCommand("heapctl explain nix").status, 1);
	EXPECT_EQ(runCommand("heapctl explain a=b").status, 2);
}

TEST(Heapctl, AllocProvesSizeAndZeros)
{
	for (const char *heap : kBoardHeaps) {
		const Json json = parse(runCommand(std::string("heapctl alloc --json --count 2 '") +
						   heap + "' 1382400"));
		EXPECT_EQ(json["heap"], heap);
		EXPECT_EQ(json["zeroed"], true);
		EXPECT_EQ(json["sizes"], Json({inPages(1382400), inPages(1382400)}));
		if (!json["free_before"].is_null()) {
			const auto before = json["free_before"].get<uint64_t>();
			EXPECT_EQ(json["free_after"], before - 2 * inPages(1382400));
		}
	}
}

TEST(Heapctl, AllocFallsBackAndSaysSo)
{
	const CommandResult result = runCommand("heapctl alloc 'memory@*:default' 40M");
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_THAT(result.output, StartsWith("fallback: memory@48000000-contiguous was passed "
					      "over for default_cma_region: "));
	EXPECT_THAT(result.output, HasSubstr("\ndefault_cma_region: 1 buffer of 41943040 bytes"));
}

TEST(Heapctl, BenchMeasuresEveryHeapAndGivesAllBack)
{
	const auto before = freeBytes("video@42000000");
	const CommandResult result = runCommand("heapctl bench --size 1M --count 5 --json");
	ASSERT_EQ(result.status, 0) << result.errors;
	const Json json = Json::parse(result.output);
	ASSERT_EQ(json["heaps"].size(), kBoardHeaps.size());
	for (const Json &heap : json["heaps"]) {
		for (const char *what : {"allocate", "map", "zero", "sync", "recycle"}) {
			ASSERT_TRUE(heap.contains(what)) << heap;
			EXPECT_GT(heap[what]["min"], 0) << what;
			EXPECT_LE(heap[what]["min"], heap[what]["median"]);
			EXPECT_LE(heap[what]["median"], heap[what]["max"]);
		}
		EXPECT_LT(heap["recycle"]["median"], heap["allocate"]["median"]);
	}
	EXPECT_EQ(freeBytes("video@42000000"), before);
	EXPECT_EQ(runCommand("timeout --preserve-status -s INT 0.5 heapctl bench --count 1000000")
			  .status,
		  130);
	EXPECT_EQ(runCommand("heapctl bench video@42000000 --size 65M --count 1").status, 1);
}

TEST(Heapctl, FailuresHaveStatusOneAndANextStep)
{
	const char *const failures[] = {"heapctl alloc 'video@*' 65M", "heapctl alloc nix 4096",
					"heapctl alloc system 1T",
					"heapctl alloc 'video@*' 8M --count 9"};
	for (const char *line : failures) {
		const CommandResult result = runCommand(line);
		EXPECT_EQ(result.status, 1) << line;
		EXPECT_EQ(result.output, "") << line;
		EXPECT_THAT(result.errors, StartsWith("heapctl: ")) << line;
		EXPECT_THAT(result.errors, HasSubstr("\nhint: ")) << line;
	}
}

TEST(Heapctl, WithoutPermission)
{
	const CommandResult list = runCommand(std::string(kAsNobody) + "heapctl list");
	EXPECT_EQ(list.status, 0) << list.errors;
	EXPECT_THAT(list.output, HasSubstr("no, root:root 0600"));

	const CommandResult alloc =
		runCommand(std::string(kAsNobody) + "heapctl alloc 'video@*' 4096");
	EXPECT_EQ(alloc.status, 1);
	EXPECT_THAT(alloc.errors, HasSubstr("EACCES"));
	EXPECT_THAT(alloc.errors, HasSubstr("SUBSYSTEM==\"dma_heap\""));
}

TEST(Heapctl, HoldKeepsTheBuffersAndCtrlCGivesThemBack)
{
	const uint64_t before = freeBytes("video@42000000");
	/* exec: $! is heapctl itself. A shell that is not interactive ignores SIGINT in the
	 * background, and what it starts inherits that; env undoes it. */
	const CommandResult result =
		runCommand("mkfifo /tmp/hold.$$; env --default-signal=INT heapctl alloc 'video@*' "
			   "8M --name held "
			   "--hold 30 >/tmp/hold.$$ & read line </tmp/hold.$$; echo \"$line\"; "
			   "cat /sys/kernel/mm/cma/video@42000000/available_pages; "
			   "grep -h '^name:' /proc/$!/fdinfo/*; kill -INT $!; wait $!; echo $?; rm "
			   "/tmp/hold.$$");
	EXPECT_THAT(result.output,
		    StartsWith("video@42000000: 1 buffer of 8388608 bytes, all zeroed\n"));
	const std::string pages = std::to_string((before - 8 * kMiB) / inPages(1));
	EXPECT_THAT(result.output, HasSubstr("\n" + pages + "\n"));
	EXPECT_THAT(result.output, HasSubstr("name:\theld\n"));
	EXPECT_THAT(result.output, HasSubstr("\n130\n"));
	EXPECT_EQ(freeBytes("video@42000000"), before);
}

TEST(Heapctl, HoldEndsByItself)
{
	EXPECT_EQ(runCommand("timeout 10 heapctl alloc default 4096 --hold 0.2").status, 0);
	EXPECT_EQ(
		runCommand(
			"timeout -s TERM --preserve-status 1 heapctl alloc default 4096 --hold 30")
			.status,
		143);
}
