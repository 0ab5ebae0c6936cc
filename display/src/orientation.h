/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The eight ways to turn a picture, and what KMS calls them. Pure. */
#pragma once

#include "heapflow/display/layer.h"
#include "kms_properties.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace heapflow
{

/** \brief First one, then the other */
Transform compose(Transform first, Transform second);

/** \brief Do width and height change places? */
bool swapsSides(Transform transform);

/** \brief "90 degrees clockwise" */
const char *describe(Transform transform);

/**
 * \brief The value of a plane's "rotation" property
 *
 * \return nullopt when the plane cannot do it. A plane without the property does Identity alone,
 * and then nothing is to be set: 0.
 */
std::optional<uint64_t> planeRotation(const KmsObject &plane, Transform transform);

/** \brief How a picture must be turned for a panel whose "panel orientation" is this */
Transform panelTransform(std::string_view orientation);

/** \brief Where a rectangle of a picture is, after the picture of this size has been turned */
Rectangle transformed(const Rectangle &rectangle, uint32_t width, uint32_t height,
		      Transform transform);

} /* namespace heapflow */
