/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heap names by the TAB key, from the board's heaps. */
#include "bash_completion.h"
#include "board_heaps.h"
#include "heap_nodes.h"

#include <gmock/gmock.h>

using namespace heapflow::test;

TEST(CompletionOnBoard, HeapsOfThisSystem)
{
	EXPECT_EQ(completeInBash("heapctl explain vid").output, "video@42000000\n");
	EXPECT_EQ(completeInBash("heapctl explain video@").output, "42000000\n");
	EXPECT_EQ(completeInBash("heapctl alloc 'system:lin").output, "system:linux,cma\n");
}

TEST(CompletionOnBoard, ANameThatAShellWouldTakeForMoreIsLeftOut)
{
	const Entry entry("vid$(reboot)");
	ASSERT_EQ(symlink("video@42000000", entry.path()), 0);
	EXPECT_EQ(completeInBash("heapctl explain vid").output, "video@42000000\n");
}
