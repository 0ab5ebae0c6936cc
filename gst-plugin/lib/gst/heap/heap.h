/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All of libgstheap-1.0. */
#pragma once

#include <gst/heap/heap-prelude.h>

#include <gst/heap/gstheapallocator.h>
#include <gst/heap/gstheapbufferpool.h>
#include <gst/heap/gstheapcamerameta.h>
#include <gst/heap/gstheapreleasefencemeta.h>
