/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Look at a Result in a test that fails instead of aborting when it is a success. */
#pragma once

#include "heapflow/heap/error.h"

#include <string>

namespace heapflow::test
{

/** \brief The errno, 0 for success; Result::error() of a success would end the whole program */
template<typename T>
int codeOf(const Result<T> &result)
{
	return result ? 0 : result.error().code;
}

/** \brief The error for people, or "success" */
template<typename T>
std::string textOf(const Result<T> &result)
{
	return result ? "success" : result.error().text();
}

} /* namespace heapflow::test */
