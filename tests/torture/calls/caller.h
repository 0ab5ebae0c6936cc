/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who makes a call: one of our libraries, or somebody else. */
#pragma once

#include <cstdint>

namespace heapflow::torture
{

/** \brief Where in our libraries a call comes from */
struct Origin {
	const char *library = nullptr; /**< file name; null: it is not ours */
	uint32_t offset = 0;           /**< in the file, of the innermost frame */
	uint64_t stack = 0;            /**< hash of the innermost frames of ours */
};

/**
 * \brief Whose call this is
 *
 * Ours is what libheapflow-*, libgstheap* and heapctl call, directly or through a library that does
 * the call for its caller: libdrm (drmIoctl()), libpng, libudev, libseat, libstdc++
 * (std::filesystem, streams, std::thread), zlib. The first frame that belongs to none of these
 * decides, so what libcamera, GLib, GStreamer or a driver call by themselves is theirs.
 *
 * \param[in] caller Return address of the function that was called
 */
Origin originOf(const void *caller);

} /* namespace heapflow::torture */
