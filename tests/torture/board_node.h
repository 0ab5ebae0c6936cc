/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The board's devices, found without our own libraries. */
#pragma once

#include <string>

namespace heapflow::torture
{

/** \brief The node of vivid's capture device, such as "/dev/video7" */
const std::string &vividNode();

/** \brief The directory of vkms in debugfs, such as "/sys/kernel/debug/dri/1" */
const std::string &vkmsDebug();

/** \brief Directory of debugfs of "/dev/dri/cardN" */
std::string debugOf(const std::string &card);

} /* namespace heapflow::torture */
