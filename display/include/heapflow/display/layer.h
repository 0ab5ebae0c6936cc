/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of a frame's place on the screen: geometry, order, blending, timing. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heapflow
{

/** \brief Pixels; an empty one means "not asked for" */
struct Rectangle {
	int32_t x = 0;
	int32_t y = 0;
	uint32_t width = 0;
	uint32_t height = 0;

	bool empty() const { return !width || !height; }
	bool operator==(const Rectangle &) const = default;
};

/**
 * \brief How a picture is turned before it is shown
 *
 * The values and their order are those of GstVideoOrientationMethod. Turns are clockwise, as seen.
 */
enum class Transform {
	Identity,
	Rotate90,
	Rotate180,
	Rotate270,
	MirrorHorizontally, /**< left and right change places */
	MirrorVertically,   /**< top and bottom change places */
	Transpose,          /**< about the line from upper left to lower right */
	AntiTranspose,      /**< about the line from upper right to lower left */
};

/** \brief What happens to a frame that still waits for its vblank when the next one comes */
enum class DropPolicy {
	Queue,   /**< it is shown; show() returns when its own frame is on its way */
	Replace, /**< it is dropped for the newer one; show() never waits */
};

/** \brief A property by its KMS name and raw value, for what heapflow has no word for */
using RawProperty = std::pair<std::string, uint64_t>;

/** \brief The static metadata of an HDR picture (CTA-861-G 6.9.1); fields in its units */
struct HdrMetadata {
	enum class Transfer : uint8_t { Sdr = 0, TraditionalHdr = 1, Pq = 2, Hlg = 3 };
	struct Chromaticity {
		uint16_t x = 0; /**< units of 0.00002 */
		uint16_t y = 0;
		bool operator==(const Chromaticity &) const = default;
	};

	Transfer transfer = Transfer::Pq;
	Chromaticity primaries[3] = {}; /**< red, green, blue */
	Chromaticity whitePoint;
	uint16_t maximumLuminance = 0;    /**< cd/m² */
	uint16_t minimumLuminance = 0;    /**< units of 0.0001 cd/m² */
	uint16_t maximumContentLight = 0; /**< cd/m² */
	uint16_t maximumFrameAverage = 0; /**< cd/m² */

	bool operator==(const HdrMetadata &) const = default;
};

/** \brief All that may be asked of one layer; the defaults show a frame as kmssink would */
struct LayerOptions {
	Rectangle rectangle;    /**< where on the screen, as its viewer sees it; empty: all of it */
	bool keepAspect = true; /**< of the picture, when it is scaled */
	bool scale = true;      /**< may the plane scale? */
	Transform transform = Transform::Identity;
	bool followPanel = true;          /**< turn by the connector's "panel orientation" */
	uint32_t pixelAspect[2] = {1, 1}; /**< width to height of a pixel of the frame */
	uint64_t frameRateMilliHz = 0; /**< of the stream, for the choice of a mode; 0: unknown */
	std::optional<uint64_t> zpos;  /**< higher is nearer to the viewer */
	double alpha = 1.0;            /**< of the whole layer, 0..1 */
	bool premultiplied = true;     /**< is the colour of a pixel multiplied by its alpha? */
	std::vector<RawProperty> planeProperties;
	/** Flip at once, in the middle of a picture; where the driver cannot, at the vblank */
	bool tearing = false;

	/* Of the connector; the last layer that asks wins. */
	std::optional<uint64_t> bitsPerComponent; /**< at most so many: "max bpc" */
	std::string contentType;                  /**< "Graphics", "Photo", "Cinema", "Game" */
	std::optional<HdrMetadata> hdr;
	std::vector<RawProperty> connectorProperties;
	/** Of the CRTC: let it wait for the frame, if the screen and the driver can */
	bool variableRefresh = false;

	DropPolicy dropPolicy = DropPolicy::Queue;

	bool operator==(const LayerOptions &) const = default;
};

} /* namespace heapflow */
