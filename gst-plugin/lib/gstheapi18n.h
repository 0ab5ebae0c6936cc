/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages for people, in their language where po/ has it. The sentences of the libraries below,
 * which are made of numbers and names, are English in every language, as the kernel's messages are.
 */
#pragma once

#include <cstdarg>
#include <string>

#include <glib.h>

#ifdef ENABLE_NLS
#include <libintl.h>
/** \brief The message in the user's language */
#define _(message) dgettext(GETTEXT_PACKAGE, message)
#else
#define _(message) (message)
#endif
/** \brief Marks a message that is translated where it is used */
#define N_(message) (message)

namespace heapflow::gst
{

/** \brief printf() into a string: translators see one sentence and may change its order */
std::string formatted(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** \brief Tell gettext where the translations are; any number of times, by whoever comes first */
void bindTranslations();

} /* namespace heapflow::gst */
