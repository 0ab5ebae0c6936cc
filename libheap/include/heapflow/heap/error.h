/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one error type of the libraries: an errno, a sentence with numbers, a next step. */
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace heapflow
{

/**
 * \brief What went wrong, kept as a value
 *
 * `code` is a positive errno exactly as the system call gave it (invariant 10), `message` is one
 * sentence with the numbers that matter, `hint` says what to do next and may be empty. Errors are
 * plain values: they own their text and can be copied between threads.
 */
struct Error {
	int code = 0;
	std::string message;
	std::string hint;

	/** \brief "message (ENOMEM: Cannot allocate memory). hint", for people */
	std::string text() const;
};

template<typename T>
using Result = std::expected<T, Error>;

/** \brief Shorthand for returning an Error from a function that returns Result<T> */
inline std::unexpected<Error> fail(int code, std::string message, std::string hint = {})
{
	return std::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

/** \brief The symbolic name of an errno, such as "ENOMEM"; "errno 4711" when there is none */
std::string errnoName(int code);

} /* namespace heapflow */
