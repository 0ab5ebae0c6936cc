/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HDR metadata in the form that KMS takes. Pure. */
#pragma once

#include "heapflow/display/layer.h"

#include <drm_mode.h>

namespace heapflow
{

/** \brief The contents of the property HDR_OUTPUT_METADATA */
hdr_output_metadata kmsHdrMetadata(const HdrMetadata &metadata);

} /* namespace heapflow */
