/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The standard library and GStreamer, compiled once; see standard_library.h. */
#include "../../libheap/src/pch/standard_library.h"

#include <gst/gst.h>
#include <gst/video/video.h>
