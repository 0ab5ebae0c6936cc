/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheaperror.h"

#include <cerrno>

namespace heapflow::gst
{

GstResourceError resourceErrorFor(int code)
{
	switch (code) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ENOTCONN:
	case ENOTRECOVERABLE:
		return GST_RESOURCE_ERROR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
	case EBUSY:
		return GST_RESOURCE_ERROR_BUSY;
	case ENOMEM:
	case ENOSPC:
		return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
	case EINVAL:
	case EFAULT:
	case ERANGE:
	case EPIPE:
	case ENOTSUP:
		return GST_RESOURCE_ERROR_SETTINGS;
	case ETIMEDOUT:
		return GST_RESOURCE_ERROR_READ;
	default:
		return GST_RESOURCE_ERROR_FAILED;
	}
}

void setError(GError **target, const Error &error)
{
	g_set_error_literal(target, GST_RESOURCE_ERROR, resourceErrorFor(error.code),
			    error.text().c_str());
}

void postError(GstElement *element, GstMessageType type, const Error &error, const char *file,
	       const char *function, int line)
{
	/* The message takes both strings over. */
	gst_element_message_full(element, type, GST_RESOURCE_ERROR, resourceErrorFor(error.code),
				 g_strdup(error.message.c_str()), g_strdup(error.text().c_str()),
				 file, function, line);
}

void postWarning(GstElement *element, const Error &error, GstStructure *details, const char *file,
		 const char *function, int line)
{
	gst_element_message_full_with_details(
		element, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, resourceErrorFor(error.code),
		g_strdup(error.message.c_str()), g_strdup(error.text().c_str()), file, function,
		line, details);
}

} /* namespace heapflow::gst */
