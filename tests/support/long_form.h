/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cstdlib>

namespace heapflow::test
{

/** \brief How long a test is to be: the number in an environment variable (HEAPFLOW_CYCLES,
 * HEAPFLOW_FRAMES, HEAPFLOW_CHANGES), or that of the short form, which is what continuous
 * integration has time for */
inline unsigned numberFrom(const char *variable, unsigned shortForm)
{
	const char *text = std::getenv(variable);
	const int number = text ? std::atoi(text) : 0;
	return number > 0 ? unsigned(number) : shortForm;
}

} /* namespace heapflow::test */
