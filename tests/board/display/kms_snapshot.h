/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole state of the display, read with libdrm alone: the witness for "left as found". */
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace heapflow::test
{

/** \brief "plane 33 FB_ID" -> value; blobs of modes by their contents, not by their id */
using KmsSnapshot = std::map<std::string, std::string>;

/** \brief Of an open DRM file */
KmsSnapshot snapshot(int drm);

/** \brief Of the vkms device, opened for it */
KmsSnapshot snapshotVkms();

/** \brief Lines for what differs; empty: the same */
std::string differences(const KmsSnapshot &before, const KmsSnapshot &after);

/** \brief Entries whose name ends so and whose value is not "0" */
int countSet(const KmsSnapshot &state, const std::string &property);

/**
 * \brief Light the screen with a framebuffer of our own, as a console or a compositor would
 *
 * Does the legacy modeset in the preferred mode. The descriptor must stay open: it keeps the
 * framebuffer. It is not master any more on return.
 *
 * \return the descriptor, or -1
 */
int lightScreen();

/** \brief Turn off what a test before may have left on; false when it cannot be */
bool darkenScreen();

} /* namespace heapflow::test */
