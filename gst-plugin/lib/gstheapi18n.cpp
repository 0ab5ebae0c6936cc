/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapi18n.h"

namespace heapflow::gst
{

std::string formatted(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return text;
}

void bindTranslations()
{
#ifdef ENABLE_NLS
	static const bool bound = [] {
		bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
		bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
		return true;
	}();
	(void)bound;
#endif
}

} /* namespace heapflow::gst */
