/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process and the kernel hold, before a scenario and after it. */
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace heapflow::torture
{

/** \brief Descriptors of this process, by what they are of; dma-bufs and framebuffers of all */
struct Holdings {
	std::map<std::string, int> descriptors;
	uint64_t dmabufs = 0;
	uint64_t dmabufBytes = 0;
	unsigned framebuffers = 0;
};

/** \brief \param[in] display Directory of debugfs; empty: of the board's own vkms */
Holdings holdings(const std::string &display = {});

/** \brief What there is more of than before, in words; empty: nothing */
std::string leftOver(const Holdings &before, const Holdings &after);

/**
 * \brief The same, once the kernel's workers have done their part: up to two seconds later
 *
 * They let go of framebuffers after the flip event (commit_tail()), and of files after close().
 */
std::string leftOverSince(const Holdings &before);

} /* namespace heapflow::torture */
