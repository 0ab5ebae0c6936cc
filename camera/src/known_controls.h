/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcamera's controls as a table in the library, so that naming them loads no libcamera. */
#pragma once

#include "heapflow/camera/control.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace heapflow
{

/** \brief A ControlChoice without memory of its own */
struct KnownChoice {
	int64_t value;
	const char *name;
};

/** \brief A ControlDescription without memory of its own, nor limits, which are a camera's */
struct KnownControl {
	const char *name;
	const char *vendor;
	ControlType type;
	bool array;
	size_t elements;
	bool settable;
	bool reported;
	bool momentary;
	std::span<const KnownChoice> choices;
};

/** \brief Written by list-known-controls when this library is built (known_controls_main.cpp) */
extern const std::span<const KnownControl> knownControlTable;

} /* namespace heapflow */
