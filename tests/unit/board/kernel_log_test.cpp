/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report of the kernel fails the run of a board; what else it prints does not. */
#include "kernel_log.h"

#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

using namespace board;
using heapflow::test::TemporaryDirectory;

namespace
{

/* The lines are those of Linux 7.3 and User Mode Linux. */
constexpr const char *reports[] = {
	"BUG: KASAN: slab-use-after-free in lkdtm_WRITE_AFTER_FREE+0x8e/0xb0 [lkdtm]",
	"WARNING: possible circular locking dependency detected",
	"WARNING: possible recursive locking detected",
	"WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
	"WARNING: inconsistent lock state",
	"WARNING: suspicious RCU usage",
	"INFO: trying to register non-static key.",
	"turning off the locking correctness validator.",
	"BUG: MAX_LOCKDEP_ENTRIES too low!",
	"BUG: sleeping function called from invalid context at mm/slub.c:4242",
	"BUG: scheduling while atomic: board-heap/71/0x00000002",
	"kmemleak: unreferenced object 0x0000000061f3c000 (size 64):",
	"kmemleak: unreferenced object (percpu) 0x0000000061f3c000 (size 64):",
	"kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
	"kmemleak: Kernel memory leak detector disabled",
	"BUG kmalloc-64 (Not tainted): Poison overwritten",
	"BUG kmalloc-64 (Tainted: G        W  ): Objects remaining on __kmem_cache_shutdown()",
	"WARNING: CPU: 0 PID: 71 at drivers/dma-buf/dma-buf.c:1117 "
	"dma_buf_unmap_attachment+0x51/0x60",
	"DMA-API: debugging out of memory - disabling",
	"ODEBUG: Out of memory. ODEBUG disabled",
	"INFO: task board-heap:71 blocked for more than 120 seconds.",
	"rcu: INFO: rcu_preempt self-detected stall on CPU",
	"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
	"Kernel panic - not syncing: sysrq triggered crash",
	"Segfault with no mm",
};

constexpr const char *harmless[] = {
	"kasan: KernelAddressSanitizer initialized (generic)",
	"kmemleak: Kernel memory leak detector initialized (mem pool available: 15782)",
	"Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
	"ODEBUG: selftest passed",
	"DMA-API: preallocated 65536 debug entries",
	"DMA-API: debugging enabled by kernel config",
	"board-heap: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), nodemask=(null)",
	"CPU: 0 UID: 0 PID: 71 Comm: board-heap Tainted: G        W           7.3.4 #1 VOLUNTARY",
	"FAULT_INJECTION: forcing a failure.",
	"cma: __cma_alloc_frozen: video@42000000: alloc failed, req-size: 2048 pages, ret: -16",
	"usbcore: DEBUG (Tainted): nothing",
};

class KernelLogTest : public testing::Test
{
protected:
	std::string write(const char *name, const std::string &text)
	{
		const std::string path = directory_.path() / name;
		std::ofstream(path) << text;
		return path;
	}
	KernelLog logOf(const std::string &text) { return readKernelLog(write("log", text)); }
	KernelLog logOf(const std::string &text, const std::string &known)
	{
		return readKernelLog(write("log", text),
				     readKnownComplaints(write("known", known)));
	}

	TemporaryDirectory directory_;
};

TEST_F(KernelLogTest, EveryReportIsSeen)
{
	for (const char *line : reports) {
		EXPECT_GT(reportLines(line), 0u) << line;
		EXPECT_GT(reportLines("[   12.345678] " + std::string(line)), 0u) << line;
	}
}

TEST_F(KernelLogTest, WhatAHealthyKernelPrintsIsNone)
{
	for (const char *line : harmless)
		EXPECT_EQ(reportLines("[   12.345678] " + std::string(line)), 0u) << line;
}

TEST_F(KernelLogTest, AReportIsShownWithItsStack)
{
	std::string text = "Run /usr/sbin/board-init as init process\nbefore\n"
			   "BUG: KASAN: slab-use-after-free in f+0x1/0x2\n";
	for (int i = 0; i < 60; i++)
		text += "frame " + std::to_string(i) + "\n";
	const KernelLog log = logOf(text);
	EXPECT_TRUE(log.reachedInit);
	EXPECT_TRUE(log.complaints.starts_with("  BUG: KASAN: "));
	EXPECT_NE(log.complaints.find("frame 59\n"), std::string::npos);
}

TEST_F(KernelLogTest, AReportInsideAnotherDoesNotCutItShort)
{
	std::string text = "BUG: KASAN: slab-use-after-free in f+0x1/0x2\n";
	for (int i = 0; i < 30; i++)
		text += "frame " + std::to_string(i) + "\n";
	text += "WARNING: at lib/refcount.c:28\n";
	for (int i = 30; i < 70; i++)
		text += "frame " + std::to_string(i) + "\n";
	EXPECT_NE(logOf(text).complaints.find("frame 69\n"), std::string::npos);
}

constexpr const char *vmapWarning =
	"WARNING: drivers/dma-buf/dma-buf.c:1673 at dma_buf_vmap+0x2db/0x2e0, CPU#0: fail-nth/125\n"
	"CPU: 0 UID: 0 PID: 125 Comm: fail-nth Not tainted 7.3.4 #1 VOLUNTARY\n";
constexpr const char *knownVmapWarning = "# why\nat dma_buf_vmap+\nComm: fail-nth\n";

TEST_F(KernelLogTest, AKnownReportIsPassedOverAndNamed)
{
	const KernelLog log = logOf(vmapWarning, knownVmapWarning);
	EXPECT_EQ(log.complaints, "");
	ASSERT_EQ(log.passedOver.size(), 1u);
	EXPECT_TRUE(log.passedOver.front().starts_with("WARNING: drivers/dma-buf"));
}

TEST_F(KernelLogTest, AKnownReportExcusesNoOther)
{
	const std::string other = "BUG: KASAN: slab-use-after-free in f+0x1/0x2\n";
	const KernelLog log = logOf(vmapWarning + other, knownVmapWarning);
	EXPECT_EQ(log.complaints, "  " + other);
	EXPECT_EQ(log.passedOver.size(), 1u);

	/* The same place, reached by somebody else. */
	std::string text = vmapWarning;
	text.replace(text.find("Comm: fail-nth"), 14, "Comm: heapctl ");
	EXPECT_NE(logOf(text, knownVmapWarning).complaints, "");

	/* The first line decides what it is about. */
	EXPECT_NE(logOf(other + "dma_buf_vmap+0x1/0x2\nComm: fail-nth\n", knownVmapWarning)
			  .complaints,
		  "");
}

TEST_F(KernelLogTest, AnEntryOfOneLineExcusesNothing)
{
	EXPECT_NE(logOf(vmapWarning, "# why\nWARNING:\n\n# why not\n").complaints, "");
}

TEST_F(KernelLogTest, AHealthyLogHasNone)
{
	const KernelLog log = logOf("Linux version 7.3.4\nreboot: Power down\n");
	EXPECT_FALSE(log.reachedInit);
	EXPECT_EQ(log.complaints, "");
	EXPECT_EQ(log.lastLines, "  Linux version 7.3.4\n  reboot: Power down\n");
}

} /* namespace */
