/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where on the panel a frame may be put, in which order. Pure. */
#pragma once

#include "heapflow/display/layer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief One way to put a frame on the panel */
struct Arrangement {
	enum class Kind {
		Native,    /**< pixel for pixel */
		Scaled,    /**< with its aspect ratio, as large as fits */
		Stretched, /**< to the whole rectangle */
		Cropped,   /**< pixel for pixel, the middle of the frame */
	};

	Kind kind = Kind::Native;
	Rectangle source;                          /**< frame pixels */
	Rectangle destination;                     /**< panel pixels */
	Transform transform = Transform::Identity; /**< that the plane must do */

	bool operator==(const Arrangement &) const = default;
};

/** \brief What is to be arranged, and where */
struct ArrangementWish {
	Rectangle source;        /**< the part of the frame to be shown, frame pixels */
	uint32_t panelWidth = 0; /**< of the mode, pixels */
	uint32_t panelHeight = 0;
	Transform panel = Transform::Identity; /**< what the panel's orientation demands */
	bool crop = false;                     /**< with only a part of the source */
};

/**
 * \brief Ways to put a frame into a mode, the best first
 *
 * Pixel for pixel when it fills the rectangle exactly; then scaled; then pixel for pixel in the
 * middle. With `crop`, the middle of a frame that is too large. What a panel's orientation alone
 * demands is given up last: then all of it again without. Positions and sizes are even, so that
 * no colour sample is divided.
 */
std::vector<Arrangement> arrangements(const ArrangementWish &wish, const LayerOptions &layer);

/** \brief Sides of the picture as it lies on the panel: turned, its pixels square */
std::pair<uint32_t, uint32_t> pictureSize(const Rectangle &source, const LayerOptions &layer,
					  Transform panel);

/** \brief "native", "scaled", "stretched", "cropped" */
const char *arrangementName(Arrangement::Kind kind);

/** \brief "scaled to 1024x576+0+96", with what is turned and cropped */
std::string describe(const Arrangement &arrangement);

} /* namespace heapflow */
