/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting, predicting and accounting on a board with many regions: the commands as a user types
 * them. */
#include "heap_nodes.h"
#include "many_regions.h"
#include "other_holder.h"
#include "run_command.h"

#include "heapflow/heap/buffer_holders.h"
#include "heapflow/heap/fit.h"
#include "heapflow/heap/heap_watch.h"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace heapflow;
using namespace heapflow::test;
using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;
using Json = nlohmann::json;

namespace
{

constexpr const char *kCamera = "camera@45000000";
/* Longer than anything here takes: only a failure waits for it. */
constexpr milliseconds kLong{20000};

HeapExpression expressionOf(std::string_view text)
{
	return parseHeapExpression(text).value_or(HeapExpression{});
}

Json jsonOf(const std::string &command)
{
	const CommandResult result = runCommand(command);
	EXPECT_EQ(result.errors, "") << command;
	return Json::parse(result.output, nullptr, false);
}

class ManyRegionsWait : public ManyRegionsBoard
{
};

class ManyRegionsFit : public ManyRegionsBoard
{
};

class ManyRegionsLint : public ManyRegionsBoard
{
};

class ManyRegionsHolders : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegionsWait, ANodeThatComesEndsIt)
{
	const NodeGuard node(kCamera);
	ASSERT_TRUE(node.remove());
	std::thread driver([&node] {
		std::this_thread::sleep_for(milliseconds(100));
		EXPECT_TRUE(node.make());
	});
	const auto choice = waitForHeap(expressionOf("camera@*"), kLong);
	driver.join();
	ASSERT_TRUE(choice) << choice.error().text();
	EXPECT_EQ(choice->taken().heap.name.text, kCamera);
}

TEST_F(ManyRegionsWait, MemoryThatIsFreedEndsIt)
{
	auto held = openHeap(kCamera).allocate(12 * kMiB);
	ASSERT_TRUE(held);
	std::thread holder([&held] {
		std::this_thread::sleep_for(milliseconds(100));
		held->takeFd().reset();
	});
	const auto choice = waitForHeap(expressionOf("usage=camera,min-free=8M"), kLong);
	holder.join();
	ASSERT_TRUE(choice) << choice.error().text();
}

TEST_F(ManyRegionsWait, TheCommandPrintsWhatHappens)
{
	const NodeGuard node(kCamera);
	const CommandResult result = runCommand(
		"(sleep 0.2; chmod 0640 /dev/dma_heap/camera@45000000; sleep 0.2; "
		"rm /dev/dma_heap/camera@45000000) & heapctl watch --timeout 1 --json; wait");
	EXPECT_EQ(result.status, 0) << result.errors;
	std::vector<std::string> events;
	std::istringstream lines(result.output);
	for (std::string line; std::getline(lines, line);) {
		const Json event = Json::parse(line);
		if (event["heap"]["name"] == kCamera)
			events.push_back(event["event"]);
	}
	EXPECT_THAT(events, testing::ElementsAre("is there", "access changed", "vanished"));
}

TEST_F(ManyRegionsWait, NobodyMayOpenItUntilSomebodyAllowsIt)
{
	const CommandResult result =
		runCommand("(sleep 0.3; chmod 0666 /dev/dma_heap/camera@45000000) & "
			   "setpriv --reuid 65534 --regid 65534 --clear-groups "
			   "heapctl watch 'camera@*' --timeout 15 --json; status=$?; wait; "
			   "chmod 0600 /dev/dma_heap/camera@45000000; exit $status");
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_THAT(result.output, HasSubstr("\"event\":\"access changed\""));
	EXPECT_THAT(result.output, HasSubstr("\"event\":\"taken\""));
}

TEST_F(ManyRegionsFit, ThePredictionForAFragmentedRegionIsWhatTheKernelGives)
{
	std::vector<Buffer> held;
	const HeapDevice device = openHeap("video@44000000");
	for (size_t i = 0; i < 16; i++) {
		auto buffer = device.allocate(kMiB);
		ASSERT_TRUE(buffer) << buffer.error().text();
		held.push_back(std::move(*buffer));
	}
	/* Holes of 1, 2 and 5 MiB. */
	for (const size_t hole : {1u, 4u, 5u, 8u, 9u, 10u, 11u, 12u})
		held[hole].takeFd().reset();

	const auto heap = findHeap("video@44000000");
	ASSERT_TRUE(heap);
	for (const uint64_t size : {kMiB, kMiB + 1, 2 * kMiB, 3 * kMiB, 5 * kMiB, 6 * kMiB}) {
		const Fit fit =
			predictFit({.buffers = {size}, .frames = 16}, freeSpace(*heap), cmaRules());
		EXPECT_TRUE(fit.exact) << fit.reason;
		std::vector<Buffer> got;
		while (auto buffer = device.allocate(size))
			got.push_back(std::move(*buffer));
		EXPECT_EQ(got.size(), fit.certain) << size << ": " << fit.reason;
	}
}

TEST_F(ManyRegionsFit, TheCommandAgreesWithTheKernel)
{
	const Json json = jsonOf("heapctl fit --frames 4 --format NV12 --size 1920x1080 --verify "
				 "--json 'video@*'");
	ASSERT_TRUE(json.is_object()) << json;
	EXPECT_EQ(runCommand("heapctl fit --frames 4 --format NV12 --size 1920x1080 'video@*'")
			  .status,
		  0);
	EXPECT_EQ(runCommand("heapctl fit --frames 400 --format NV12 --size 1920x1080 'video@*'")
			  .status,
		  1);
}

TEST_F(ManyRegionsLint, TheMisnamedRegionIsFoundAndTheSuggestionPasses)
{
	const CommandResult result = runCommand("heapctl lint --json");
	EXPECT_EQ(result.status, 1) << result.errors;
	const Json json = Json::parse(result.output);
	bool found = false;
	for (const Json &finding : json["findings"]) {
		EXPECT_NE(finding["name"], "video@42000000") << finding;
		EXPECT_NE(finding["name"], kCamera) << finding;
		if (finding["name"] != "cma-video" || finding["rule"] != "no-implementation")
			continue;
		found = true;
		EXPECT_FALSE(finding["citation"].get<std::string>().empty());
		const std::string suggestion = finding["suggestion"];
		EXPECT_EQ(runCommand("heapctl lint '" + suggestion + "'").status, 0) << suggestion;
	}
	EXPECT_TRUE(found) << result.output;
}

TEST_F(ManyRegionsLint, TheRunningSystemAndItsSourceAgreeOnTheRegions)
{
	const Json running = jsonOf("heapctl lint --json");
	const Json source = jsonOf("heapctl lint --json board/variants/many-regions.dts");
	std::vector<std::string> ofSource;
	std::vector<std::string> ofSystem;
	for (const Json &name : source["names"]) {
		if (name["becomes_heap"] == true)
			ofSource.push_back(name["name"]);
	}
	for (const Json &name : running["names"]) {
		if (name["in_device_tree"] == true && name["becomes_heap"] == true)
			ofSystem.push_back(name["name"]);
	}
	EXPECT_THAT(ofSystem, testing::UnorderedElementsAreArray(ofSource));
	EXPECT_EQ(ofSource.size(), 7u);
}

TEST_F(ManyRegionsHolders, AnotherProcessIsNamedWithItsBuffers)
{
	const OtherHolder other(kCamera, "3M", 2);
	ASSERT_TRUE(other.held());
	const auto holders = holdersOf(readBufferHolders(), {kCamera});
	EXPECT_EQ(holders.buffers, 2u);
	EXPECT_EQ(holders.bytes, 6 * kMiB);
	ASSERT_EQ(holders.holders.size(), 1u);
	EXPECT_EQ(holders.holders[0].process.name, "heapctl");
	EXPECT_THAT(holders.holders[0].names, Contains("other"));
	EXPECT_EQ(holders.unseen(findHeap(kCamera)->region), 0u);
}

TEST_F(ManyRegionsHolders, AFailedAllocationNamesThem)
{
	const OtherHolder other(kCamera, "3M", 4);
	ASSERT_TRUE(other.held());
	const auto buffer = openHeap(kCamera).allocate(8 * kMiB);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, ENOMEM);
	EXPECT_THAT(buffer.error().text(), HasSubstr("heapctl["));
	EXPECT_THAT(buffer.error().text(), HasSubstr("other"));
}
