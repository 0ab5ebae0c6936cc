/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera of libcamera that is unplugged while gst-launch-1.0 shows it. */
#pragma once

#include "fault_rows.h"
#include "random_draw.h"

namespace heapflow::torture
{

/** \brief In processes of their own, because libcamera cannot have it a second time in one */
void unplugVimc(RandomDraw &random, unsigned count, FaultRows &rows);

} /* namespace heapflow::torture */
