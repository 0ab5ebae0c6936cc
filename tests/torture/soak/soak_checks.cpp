/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "soak_checks.h"

#include "leftovers.h"

#include <format>

#include <malloc.h>

namespace heapflow::torture
{

namespace
{

constexpr size_t mallocSlack = 16 << 10; /* bytes: lists that grow once, texts of formats */

} /* namespace */

std::string objectionTo(const SoakCounts &minute, const DarkFrames &dark)
{
	std::string text;
	if (minute.lost)
		text += std::format("{} frames lost by the camera; ", minute.lost);
	if (minute.vanished)
		text += std::format("{} frames neither shown nor given back; ", minute.vanished);
	if (minute.unseen < dark.least || minute.unseen > dark.most)
		text += std::format("{} frames given back unshown, not {} to {}; ", minute.unseen,
				    dark.least, dark.most);
	return text;
}

std::string objectionTo(const SoakCounts &whole, const ScreenStatistics &ofDisplay)
{
	const uint64_t dropped = ofDisplay.dropped - ofDisplay.dark;
	const uint64_t named = whole.shown + ofDisplay.dark + whole.atSettlement;
	std::string text;
	if (named != whole.captured || whole.unseen != ofDisplay.dark || dropped ||
	    whole.atSettlement)
		text += std::format("{} frames captured, but {} shown, {} dark, {} given back "
				    "unshown, {} dropped, {} taken back at a settlement; ",
				    whole.captured, whole.shown, ofDisplay.dark, whole.unseen,
				    dropped, whole.atSettlement);
	if (whole.shown != ofDisplay.shown)
		text += std::format("the display says that it has shown {} frames, not {}; ",
				    ofDisplay.shown, whole.shown);
	return text;
}

InPlay InPlay::now(const SoakBuffers &own, const std::string &display)
{
	InPlay here{.own = own, .allocated = mallinfo2().uordblks};
	const Holdings held = holdings(display);
	here.framebuffers = held.framebuffers;
	here.dmabufs = {held.dmabufs, held.dmabufBytes};
	for (const auto &[target, count] : held.descriptors)
		if (!target.contains("sync_file"))
			here.descriptors += uint64_t(count);
	return here;
}

std::string objectionTo(const InPlay &first, const InPlay &now)
{
	std::string text;
	if (now.framebuffers > now.own.count)
		text += std::format("{} framebuffers of {} buffers; ", now.framebuffers,
				    now.own.count);
	if (now.dmabufs != now.own)
		text += std::format("{} dma-bufs of {} bytes, but {} buffers of {} bytes; ",
				    now.dmabufs.count, now.dmabufs.bytes, now.own.count,
				    now.own.bytes);
	const uint64_t others = now.descriptors - now.own.count,
		       othersAtFirst = first.descriptors - first.own.count;
	if (others > othersAtFirst)
		text += std::format("{} descriptors beside those of buffers, {} at first; ", others,
				    othersAtFirst);
	if (now.allocated > first.allocated + mallocSlack)
		text += std::format("{} bytes of malloc, {} at first; ", now.allocated,
				    first.allocated);
	return text;
}

} /* namespace heapflow::torture */
