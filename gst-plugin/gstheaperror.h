/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An Error of the libraries becomes an error message of an element. */
#pragma once

#include "heapflow/heap/error.h"

#include <string_view>

#include <gst/gst.h>

namespace heapflow::gst
{

/**
 * \brief The code of the RESOURCE domain that GStreamer's own elements use for such an errno
 *
 * As in v4l2src and kmssink: no such device NOT_FOUND, no permission OPEN_READ_WRITE, taken by
 * another BUSY, no memory NO_SPACE_LEFT, refused values SETTINGS, a device that fell silent READ.
 */
GstResourceError resourceErrorFor(int code);

/** \brief GError of the RESOURCE domain with the Error's text(), for functions of a C API */
void setError(GError **target, const Error &error);

/**
 * \brief GST_ELEMENT_ERROR from an Error: its message for people, its text() for debugging
 *
 * A macro, so that the message names the file and line of the caller.
 */
#define HEAPFLOW_ELEMENT_ERROR(element, error)                                                    \
	::heapflow::gst::postError(GST_ELEMENT_CAST(element), GST_MESSAGE_ERROR, error, __FILE__, \
				   __func__, __LINE__)

/** \brief The same as a warning: something was done otherwise than asked */
#define HEAPFLOW_ELEMENT_WARNING(element, error)                                          \
	::heapflow::gst::postError(GST_ELEMENT_CAST(element), GST_MESSAGE_WARNING, error, \
				   __FILE__, __func__, __LINE__)

void postError(GstElement *element, GstMessageType type, const Error &error, const char *file,
	       const char *function, int line);

/** \brief A warning with numbers for programs; the structure is taken */
void postWarning(GstElement *element, const Error &error, GstStructure *details, const char *file,
		 const char *function, int line);

} /* namespace heapflow::gst */
