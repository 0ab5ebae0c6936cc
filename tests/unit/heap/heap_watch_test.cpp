/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that come, go and change, in directories of the test's own making. */
#include "heapflow/heap/heap_watch.h"

#include "system_directory.h"

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using heapflow::test::TemporaryDirectory;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

namespace fs = std::filesystem;

/* Long enough for a loaded machine, and only waited for when something is wrong. */
constexpr milliseconds kLong{20000};

bool isReadable(const HeapWatch &watch)
{
	pollfd file{watch.fd(), POLLIN, 0};
	return poll(&file, 1, static_cast<int>(kLong.count())) == 1;
}

/* "appeared video", in order. */
std::vector<std::string> changesOf(HeapWatch &watch)
{
	EXPECT_TRUE(isReadable(watch)) << "nothing was noticed";
	const auto changes = watch.read();
	EXPECT_TRUE(changes);
	std::vector<std::string> texts;
	for (const HeapChange &change : changes.value_or(std::vector<HeapChange>{}))
		texts.push_back(std::string(change.name()) + " " + change.heap.name.text);
	return texts;
}

HeapExpression expressionOf(std::string_view text)
{
	return parseHeapExpression(text).value_or(HeapExpression{});
}

} /* namespace */

TEST(HeapWatch, WhatIsThereIsNoChange)
{
	const SystemDirectory system;
	system.addHeap("system");
	auto watch = HeapWatch::create(system.paths());
	ASSERT_TRUE(watch) << watch.error().text();
	EXPECT_EQ(watch->heaps().size(), 1u);
	const auto changes = watch->read();
	ASSERT_TRUE(changes);
	EXPECT_THAT(*changes, IsEmpty());
}

TEST(HeapWatch, NoticesWhatComesAndGoes)
{
	const SystemDirectory system;
	auto watch = HeapWatch::create(system.paths());
	ASSERT_TRUE(watch);
	system.addHeap("video@42000000");
	system.addHeap("camera");
	EXPECT_THAT(changesOf(*watch), ElementsAre("appeared camera", "appeared video@42000000"));
	fs::remove(system.paths().heapDirectory / "camera");
	EXPECT_THAT(changesOf(*watch), ElementsAre("vanished camera"));
	EXPECT_EQ(watch->heaps().size(), 1u);
}

TEST(HeapWatch, NoticesPermissions)
{
	const SystemDirectory system;
	system.addHeap("system");
	auto watch = HeapWatch::create(system.paths());
	ASSERT_TRUE(watch);
	ASSERT_EQ(chmod((system.paths().heapDirectory / "system").c_str(), 0640), 0);
	EXPECT_THAT(changesOf(*watch), ElementsAre("access changed system"));
	EXPECT_EQ(watch->heaps()[0].mode & 07777, 0640u);
}

TEST(HeapWatch, NoticesALinkThatPointsElsewhere)
{
	const SystemDirectory system;
	const fs::path directory = system.paths().heapDirectory;
	system.addHeap("a");
	system.addHeap("b");
	fs::create_symlink("a", directory / "link");
	auto watch = HeapWatch::create(system.paths());
	ASSERT_TRUE(watch);
	fs::create_symlink("b", directory / "new");
	fs::rename(directory / "new", directory / "link");
	EXPECT_THAT(changesOf(*watch), ElementsAre("vanished link", "appeared link"));
}

TEST(HeapWatch, WaitsForTheDirectoryItself)
{
	const TemporaryDirectory root;
	const SystemPaths paths = SystemPaths::below(root.path());
	auto watch = HeapWatch::create(paths);
	ASSERT_TRUE(watch) << watch.error().text();
	EXPECT_THAT(watch->heaps(), IsEmpty());

	/* Whole at once, and then in steps. */
	root.write("dev/dma_heap/system", "");
	EXPECT_THAT(changesOf(*watch), ElementsAre("appeared system"));
	fs::remove_all(root.path() / "dev");
	EXPECT_THAT(changesOf(*watch), ElementsAre("vanished system"));
	fs::create_directory(root.path() / "dev");
	EXPECT_THAT(changesOf(*watch), IsEmpty());
	fs::create_directory(root.path() / "dev/dma_heap");
	EXPECT_THAT(changesOf(*watch), IsEmpty());
	root.write("dev/dma_heap/later", "");
	EXPECT_THAT(changesOf(*watch), ElementsAre("appeared later"));
}

TEST(HeapWatch, ADirectoryThatIsMovedAwayIsGone)
{
	const TemporaryDirectory root;
	root.write("dev/dma_heap/system", "");
	auto watch = HeapWatch::create(SystemPaths::below(root.path()));
	ASSERT_TRUE(watch);
	fs::rename(root.path() / "dev/dma_heap", root.path() / "dev/other");
	EXPECT_THAT(changesOf(*watch), ElementsAre("vanished system"));
	root.write("dev/dma_heap/new", "");
	EXPECT_THAT(changesOf(*watch), ElementsAre("appeared new"));
}

TEST(HeapWatch, AnOverflowingQueueLosesNothing)
{
	const SystemDirectory system;
	system.addHeap("first");
	auto watch = HeapWatch::create(system.paths());
	ASSERT_TRUE(watch);
	const fs::path node = system.paths().heapDirectory / "first";
	/* fs.inotify.max_queued_events is 16384; equal events in a row are merged by the kernel. */
	for (int i = 0; i < 20000; i++)
		ASSERT_EQ(chmod(node.c_str(), i % 2 ? 0600 : 0640), 0);
	const fs::path other = system.paths().heapDirectory / "second";
	for (int i = 0; i < 10000; i++) {
		fs::rename(node, other);
		fs::rename(other, node);
	}
	fs::rename(node, other);
	EXPECT_THAT(changesOf(*watch), ElementsAre("vanished first", "appeared second"));
}

TEST(WaitForHeap, WhatIsThereIsTakenAtOnce)
{
	const SystemDirectory system;
	system.makeBoard();
	const auto choice =
		waitForHeap(expressionOf("video@*"), milliseconds(0), -1, system.paths());
	ASSERT_TRUE(choice) << choice.error().text();
	EXPECT_EQ(choice->taken().heap.name.text, "video@42000000");
}

TEST(WaitForHeap, TheTimeoutSaysWhatIsMissing)
{
	const SystemDirectory system;
	system.addHeap("system");
	const auto choice =
		waitForHeap(expressionOf("video@*"), milliseconds(30), -1, system.paths());
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, ETIMEDOUT);
	EXPECT_THAT(choice.error().message, HasSubstr("waited 0.030 s for 'video@*'"));
	EXPECT_THAT(choice.error().message, HasSubstr("there are system"));
	EXPECT_FALSE(choice.error().hint.empty());
}

TEST(WaitForHeap, ANodeThatAppearsEndsTheWait)
{
	const SystemDirectory system;
	std::thread driver([&system] {
		std::this_thread::sleep_for(milliseconds(50));
		system.addHeap("camera");
		std::this_thread::sleep_for(milliseconds(50));
		system.addHeap("video@42000000");
	});
	const auto choice = waitForHeap(expressionOf("video@*"), kLong, -1, system.paths());
	driver.join();
	ASSERT_TRUE(choice) << choice.error().text();
	EXPECT_EQ(choice->taken().heap.name.text, "video@42000000");
}

TEST(WaitForHeap, MemoryThatBecomesFreeEndsTheWait)
{
	const SystemDirectory system;
	system.addHeap("video@42000000");
	system.addArea("video@42000000", 16384, 100);
	std::thread other([&system] {
		std::this_thread::sleep_for(milliseconds(50));
		system.addArea("video@42000000", 16384, 16384);
	});
	const auto choice = waitForHeap(expressionOf("min-free=32M"), kLong, -1, system.paths());
	other.join();
	ASSERT_TRUE(choice) << choice.error().text();
}

TEST(WaitForHeap, CanBeCancelledFromAnotherThread)
{
	const SystemDirectory system;
	const UniqueFd cancel(eventfd(0, EFD_CLOEXEC));
	std::thread other([&cancel] {
		std::this_thread::sleep_for(milliseconds(50));
		EXPECT_EQ(eventfd_write(cancel.get(), 1), 0);
	});
	const auto choice =
		waitForHeap(expressionOf("video@*"), std::nullopt, cancel.get(), system.paths());
	other.join();
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, ECANCELED);
}
