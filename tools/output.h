/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapctl prints, and the status it ends with. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/heap.h"
#include "heapflow/heap/heap_expression.h"

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace heapflow::tool
{

constexpr int kSuccess = 0;
constexpr int kFailure = 1;
constexpr int kUsage = 2;

/** \brief Text to stdout, at once; kFailure with a message when it cannot be written */
int print(const std::string &text);

/** \brief Indented and pure ASCII; bytes that are no UTF-8 become U+FFFD */
int printJson(const nlohmann::ordered_json &value);

/** \brief "heapctl: message" and the hint in a line of its own, to stderr; returns `status` */
int report(const Error &error, int status = kFailure);

/** \brief Reads a heap expression; nothing after a message that points at the character */
std::optional<HeapExpression> readExpression(std::string_view text);

/** \brief This moment in UTC, to the millisecond: "2026-11-24T09:30:00.125Z" */
std::string utcNow();

/** \brief For JSON: the value, or null where it is unknown */
template<typename T>
nlohmann::ordered_json orNull(const std::optional<T> &value)
{
	return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

/** \brief The facts of a heap, in bytes, null where unknown */
nlohmann::ordered_json toJson(const Heap &heap);

/** \brief "yes" by evidence, "by name" when only the name says so, "no" for system, else "unknown"
 */
std::string contiguousText(const Heap &heap);

} /* namespace heapflow::tool */
