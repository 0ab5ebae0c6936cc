/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/error.h"

#include <cstring>

namespace heapflow
{

std::string errnoName(int code)
{
	/* Not strerror(): it may use a buffer shared between threads and depends on the locale. */
	const char *name = code > 0 ? strerrorname_np(code) : nullptr;
	return name ? name : "errno " + std::to_string(code);
}

std::string Error::text() const
{
	std::string text = message;
	if (code != 0) {
		const char *description = strerrordesc_np(code);
		text += " (" + errnoName(code);
		if (description)
			text += std::string(": ") + description;
		text += ')';
	}
	if (!hint.empty())
		text += ". " + hint;
	return text;
}

} /* namespace heapflow */
