/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How regions are occupied, as a picture in characters. */
#pragma once

#include "system_view.h"

#include <string>

namespace heapflow::tool
{

/** \brief The signs a picture is made of */
struct PictureStyle {
	size_t width = 80;    /**< columns of the whole picture */
	bool unicode = false; /**< block elements; else ASCII */
};

/** \brief For stdout: its width when it is a terminal, blocks when that shows UTF-8 and NO_COLOR is
 * not set */
PictureStyle styleOfOutput();

/** \brief Columns of stdout; nothing when it is no terminal. COLUMNS goes before both. */
std::optional<size_t> outputWidth();

/**
 * \brief A bar with addresses for each range of each region, one of the holders, and the legend
 *
 * One sign stands for the same number of bytes in all of a bar: free, partly used, used. Where the
 * buffer of which process lies the kernel tells nobody, so the holders have a bar of their own that
 * shows how much each has, not where.
 */
std::string drawRegions(const SystemView &view, const PictureStyle &style);

/** \brief A bar of `width` signs of which `part` of `whole` are used */
std::string shareBar(uint64_t part, uint64_t whole, size_t width, bool unicode);

/** \brief The letter of the n-th holder: A to Z, then '+' */
char holderLetter(size_t index);

} /* namespace heapflow::tool */
