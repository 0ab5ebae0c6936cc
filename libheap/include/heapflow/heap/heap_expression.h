/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user writes to choose a heap: 'video@*:default'. Grammar in docs/heap-expressions.md. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief What `is=` and `not=` ask about */
enum class HeapProperty {
	Contiguous, /**< physically contiguous */
	Protected,  /**< no CPU can read it */
	Cached,     /**< CPU mappings are cached */
	CcShared,   /**< shared with the host of a confidential virtual machine */
	Dedicated,  /**< a region of its own, neither the default one nor `system` */
};

/** \brief "contiguous", "protected", "cached", "cc_shared", "dedicated" */
std::string_view propertyName(HeapProperty property);

/** \brief One `key=value` of an alternative; all of them must be met */
struct HeapCondition {
	enum class Key { Is, Not, Usage, MinFree, Below };

	Key key = Key::Is;
	HeapProperty property = HeapProperty::Contiguous; /**< of Is and Not */
	std::string usage;                                /**< of Usage: a name or a pattern */
	uint64_t bytes = 0;                               /**< of MinFree and Below */
	std::string text;                                 /**< as written: "min-free=64M" */
};

struct HeapAlternative {
	enum class Kind { Name, Glob, Default, Auto, Conditions };

	Kind kind = Kind::Name;
	std::string text;
	size_t position = 0; /**< of its first character in the expression */
	std::vector<HeapCondition> conditions = {};
};

/** \brief Alternatives in the order of preference */
struct HeapExpression {
	std::string text;
	std::vector<HeapAlternative> alternatives;
};

/** \brief Why an expression cannot be read, and at which character */
struct HeapExpressionError {
	Error error;
	size_t position = 0; /**< of the character the parser stopped at; at most the length */

	/**
	 * \brief The expression, and below it a '^' under the character; each line ends with '\n'
	 *
	 * Long expressions are shown around the character, what is not printable as '?'.
	 */
	std::string pointer(std::string_view text) const;
};

/** \brief The error is EINVAL, its message names the character by its number, from 1 */
std::expected<HeapExpression, HeapExpressionError> readHeapExpression(std::string_view text);

/** \brief readHeapExpression() where the position is not needed apart from the message */
Result<HeapExpression> parseHeapExpression(std::string_view text);

/** \brief Shell-style match: `*`, `?`, `[a-z]`, `[!a]`; linear time in practice, never recursive */
bool matchGlob(std::string_view pattern, std::string_view text);

} /* namespace heapflow */
