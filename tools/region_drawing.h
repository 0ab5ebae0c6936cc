/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How regions are occupied, as a drawing. */
#pragma once

#include "system_view.h"

#include <string>

namespace heapflow::tool
{

/**
 * \brief An SVG 1.1 document: for each region a bar with an axis of addresses, one of its holders,
 * and their legend
 *
 * Text from outside is escaped and cut to what its line holds. Runs narrower than half a unit are
 * drawn together with their neighbours, so that the file stays small for any bitmap.
 */
std::string drawRegionsSvg(const SystemView &view);

} /* namespace heapflow::tool */
