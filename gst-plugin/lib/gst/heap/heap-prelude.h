/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every header of libgstheap-1.0 needs. */
#pragma once

#include <gst/gst.h>

/* What the library exports; all else in it is hidden. */
#ifndef GST_HEAP_API
#define GST_HEAP_API __attribute__((visibility("default")))
#endif
