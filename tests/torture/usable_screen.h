/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the screen is still good for anybody. */
#pragma once

#include "heapflow/heap/error.h"

#include <string>

namespace heapflow::torture
{

/**
 * \brief Light the screen, flip it three times, and leave it as it was
 *
 * \param[in] node Of a KMS device, such as "/dev/dri/card1"
 */
Result<void> lightAndFlip(const std::string &node);

/** \brief The framebuffer of the first plane that has one (debugfs, no device is opened) */
std::string shownFramebuffer();

} /* namespace heapflow::torture */
