/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign dma-bufs for libheap. */
#include "foreign_users.h"

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/fence.h"

#include <algorithm>

namespace heapflow::torture
{

namespace
{

Result<void> use(const Buffer &buffer)
{
	{
		auto written = buffer.map(Access::ReadWrite);
		if (!written)
			return std::unexpected(written.error());
		std::ranges::fill(written->bytes(), std::byte(0x5a));
		if (auto ended = written->end(); !ended)
			return ended;
	}
	const auto view = buffer.view({buffer.size() - 16, 16}, Access::Read);
	if (!view)
		return std::unexpected(view.error());
	auto scope = view->begin(Access::Read);
	if (!scope)
		return std::unexpected(scope.error());
	if (scope->bytes().back() != std::byte(0x5a))
		return fail(EIO, "WRONG: what was written is not there");
	if (auto ended = scope->end(); !ended)
		return ended;
	const auto fence = Fence::exportFrom(buffer.fd(), Access::Write);
	if (!fence)
		return std::unexpected(fence.error());
	return setBufferName(buffer.fd(), "torture");
}

} /* namespace */

Verdict heapLibraryUses(MakeMemory make)
{
	auto foreign = make(frameSize);
	auto good = goodMemory(frameSize);
	if (!foreign || !good)
		return Verdict::broken("no memory");
	const Verdict verdict = Verdict::of(use(Buffer(std::move(*foreign), frameSize, "system")));
	if (verdict.text.contains("WRONG"))
		return Verdict::broken(verdict.text);
	if (auto after = use(Buffer(std::move(*good), frameSize, "system")); !after)
		return Verdict::broken("good memory after it: " + after.error().text());
	return verdict;
}

} /* namespace heapflow::torture */
