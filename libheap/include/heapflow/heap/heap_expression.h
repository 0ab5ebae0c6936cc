/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user writes to choose a heap: 'video@*:default'. Grammar in docs/heap-expressions.md. */
#pragma once

#include "heapflow/heap/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

struct HeapAlternative {
	enum class Kind { Name, Glob, Default };

	Kind kind = Kind::Name;
	std::string text;
	size_t position = 0; /**< of its first character in the expression */
};

/** \brief Alternatives in the order of preference */
struct HeapExpression {
	std::string text;
	std::vector<HeapAlternative> alternatives;
};

/** \brief EINVAL with a message that shows the character the parser stopped at */
Result<HeapExpression> parseHeapExpression(std::string_view text);

/** \brief Shell-style match: `*`, `?`, `[a-z]`, `[!a]`; linear time in practice, never recursive */
bool matchGlob(std::string_view pattern, std::string_view text);

} /* namespace heapflow */
