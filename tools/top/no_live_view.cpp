/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of live_view.cpp where there is no FTXUI. */
#include "live_view.h"

#include "../output.h"

namespace heapflow::tool
{

bool haveLiveView()
{
	return false;
}

int runLiveView(const SystemPaths &, std::chrono::milliseconds, const UniqueFd &)
{
	return report({0, "this heapctl was built without FTXUI, so top has no live view",
		       "heapctl top --once"});
}

} /* namespace heapflow::tool */
