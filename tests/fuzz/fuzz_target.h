/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every fuzz target shares with libFuzzer, or with standalone_driver.cpp in its place. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/** \brief Called with each input; a broken promise aborts */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace heapflow::test
{

/** \brief Also in release builds, unlike assert() */
inline void promise(bool kept, const char *what)
{
	if (kept)
		return;
	std::fprintf(stderr, "promise broken: %s\n", what);
	std::abort();
}

inline std::string_view asText(const uint8_t *data, size_t size)
{
	return {reinterpret_cast<const char *>(data), size};
}

} /* namespace heapflow::test */
