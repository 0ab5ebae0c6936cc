/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which function of the kernel wanted the allocation that was made to fail. */
#include "fault_stack.h"

#include <gmock/gmock.h>

using namespace heapflow::torture;

namespace
{

/* Of the debug kernel, Linux 7.3.4, shortened: VIDIOC_PREPARE_BUF of vivid. */
constexpr std::string_view attachFails =
	"FAULT_INJECTION: forcing a failure.\n"
	"name failslab, interval 1, probability 0, space 0, times 0\n"
	"CPU: 0 UID: 0 PID: 73 Comm: fail-nth Not tainted 7.3.4 #1 VOLUNTARY \n"
	"Call Trace:\n"
	" [<60383360>] ? __asan_load8+0x0/0x90\n"
	" [<60083e68>] dump_stack+0x1a/0x1c\n"
	" [<6005eda6>] should_fail_ex.cold+0xc/0x11\n"
	" [<60376447>] ? __kmalloc_cache_noprof+0x77/0x6b0\n"
	" [<60385270>] should_failslab+0x80/0xd0\n"
	" [<60376470>] __kmalloc_cache_noprof+0xa0/0x6b0\n"
	" [<60705ca0>] ? vb2_vmalloc_attach_dmabuf+0x80/0x100\n"
	" [<60705ca0>] vb2_vmalloc_attach_dmabuf+0x80/0x100\n"
	" [<606f585c>] __prepare_dmabuf.constprop.0+0x7cc/0xbd0\n"
	" [<6009f801>] ? change_sig+0x91/0xa0\n"
	" [<606f6767>] __buf_prepare+0x187/0x3b0\n"
	" [<606f6acf>] vb2_core_prepare_buf+0x5f/0x110\n";

TEST(FaultStack, NamesTheFunctionsThatWantedTheAllocation)
{
	EXPECT_THAT(functionsOfFault(attachFails),
		    testing::ElementsAre("__kmalloc_cache_noprof", "vb2_vmalloc_attach_dmabuf",
					 "__prepare_dmabuf", "__buf_prepare",
					 "vb2_core_prepare_buf"));
	EXPECT_THAT(functionsOfFault("usbcore: [<60705ca0>] nothing+0x1/0x2\n"),
		    testing::IsEmpty());
	EXPECT_THAT(functionsOfFault(""), testing::IsEmpty());
}

TEST(FaultStack, KnowsWhatTheKernelKeepsAndNothingElse)
{
	EXPECT_THAT(std::string(keptByTheKernel(functionsOfFault(attachFails))),
		    testing::HasSubstr("attach_dmabuf() fails"));
	EXPECT_EQ(keptByTheKernel({}), "");
	EXPECT_EQ(keptByTheKernel({"vb2_vmalloc_attach_dmabuf"}), "");
	EXPECT_EQ(keptByTheKernel({"vb2_vmalloc_attach_dmabuf", "somebody_else"}), "");
	EXPECT_EQ(keptByTheKernel({"vb2_vmalloc_map_dmabuf", "__prepare_dmabuf"}), "");
	/* Left on the stack by a call before. */
	std::string stale(attachFails);
	const size_t at = stale.find("] vb2_vmalloc_attach");
	stale.replace(at, 2, "] ? ");
	EXPECT_EQ(keptByTheKernel(functionsOfFault(stale)), "");
}

} /* namespace */
