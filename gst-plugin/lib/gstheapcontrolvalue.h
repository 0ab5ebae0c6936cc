/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of camera controls as GValues, and back. */
#pragma once

#include "heapflow/camera/control.h"

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief Initializes `value`: gboolean, gint64, gdouble, string, or GstValueArray of numbers */
void setGValue(GValue *value, const ControlValue &control);

/**
 * \brief Whatever of GLib's numbers, strings, enums, arrays and lists of those, fractions included
 *
 * \return monostate for anything else
 */
ControlValue controlFromGValue(const GValue *value);

/** \brief All fields by name. Errors: EINVAL a field of a type that no control has */
Result<ControlList> controlsFromStructure(const GstStructure *structure);

} /* namespace heapflow::gst */
