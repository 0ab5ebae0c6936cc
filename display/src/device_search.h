/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which device nodes to try, and which failure to tell of. */
#pragma once

#include "heapflow/display/screen.h"

#include <format>
#include <string>
#include <vector>

namespace heapflow
{

/**
 * \brief The nodes that the options allow
 *
 * One of which neither driver nor bus can be told stays: its error says why.
 *
 * Errors: ENODEV there is none at all, ENOENT none that is wanted (the hint lists those there are).
 */
Result<std::vector<std::string>> nodesToTry(const ScreenOptions &options);

/** \brief How near an error is to success; of several failures the nearest is told first */
int nearness(int code);

/** \brief The first node that `open` succeeds with, or the nearest of the errors */
template<typename T, typename Open>
Result<T> firstThatOpens(const ScreenOptions &options, Open open)
{
	const auto paths = nodesToTry(options);
	if (!paths)
		return std::unexpected(paths.error());

	Error nearest;
	std::string looked;
	for (const std::string &path : *paths) {
		Result<T> found = open(path);
		if (found)
			return found;
		const Error &error = found.error();
		looked += (looked.empty() ? "" : "; ") + error.message;
		if (!nearest.code || nearness(error.code) > nearness(nearest.code))
			nearest = error;
	}
	if (paths->size() > 1)
		nearest.hint += (nearest.hint.empty() ? "Looked at: " : ". Looked at: ") + looked;
	return std::unexpected(nearest);
}

} /* namespace heapflow */
