/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign dma-bufs for the display library. */
#include "foreign_users.h"

#include "heapflow/display/screen.h"

#include <chrono>
#include <format>

#include <drm_fourcc.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

Result<void> show(Screen &screen, int dmabuf, const FrameLayout &layout, uint64_t cookie)
{
	if (const auto plan = screen.configure(layout, dmabuf); !plan)
		return std::unexpected(plan.error());
	if (auto shown = screen.show(dmabuf, layout, cookie); !shown)
		return shown;
	return screen.drain(2s);
}

} /* namespace */

Verdict screenShows(MakeMemory make)
{
	const FrameLayout layout = *makeFrameLayout(DRM_FORMAT_NV12, frameWidth, frameHeight);
	auto screen = Screen::open({.driver = "vkms"});
	const auto good = goodMemory(frameSize);
	auto foreign = make(frameSize);
	if (!screen || !good || !foreign)
		return Verdict::broken("no screen, or no memory");
	const Verdict verdict = Verdict::of(show(**screen, foreign->get(), layout, 1));
	foreign->reset();
	if (const auto after = show(**screen, good->get(), layout, 2); !after)
		return Verdict::broken(std::format("a good frame after it: {}; before: {}",
						   after.error().text(), verdict.text));
	return verdict;
}

Verdict screenTakesClaims(std::span<const Claim> claims, unsigned &accepted)
{
	auto screen = Screen::open({.driver = "vkms"});
	const auto good = goodMemory(frameSize);
	if (!screen || !good)
		return Verdict::broken("no screen, or no memory");
	const FrameLayout right = *makeFrameLayout(DRM_FORMAT_NV12, frameWidth, frameHeight);
	Verdict last = Verdict::played();
	for (const Claim &claim : claims) {
		const auto layout = claim.layout();
		if (!layout)
			continue;
		/* A memory of its own: what was refused of it is remembered with it. */
		const auto memory = goodMemory(frameSize);
		const Verdict verdict = Verdict::of(show(**screen, memory->get(), *layout, 1));
		if (verdict.kind == Verdict::Kind::Broken)
			return verdict;
		const bool taken = verdict.kind == Verdict::Kind::Played;
		if (taken && !claim.holdsIn(bufferBytes))
			return Verdict::broken("shown although it reaches beyond its memory: " +
					       claim.text());
		accepted += taken;
		if (!taken)
			last = verdict;
		if (auto after = show(**screen, good->get(), right, 2); !after)
			return Verdict::broken(std::format("a good frame after {}: {}",
							   claim.text(), after.error().text()));
		(*screen)->forget(memory->get());
	}
	return last;
}

} /* namespace heapflow::torture */
