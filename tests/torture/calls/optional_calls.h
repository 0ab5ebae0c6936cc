/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that heapflow can do without, each with the reason. */
#pragma once

#include "call.h"

#include <string_view>

namespace heapflow::torture
{

/**
 * \brief Why the scenario may succeed although no such call ever works; null: it may not
 *
 * Any other call that never works must end in an error that names the errno.
 */
const char *whyOptional(std::string_view scenario, const CallKind &kind, int code);

} /* namespace heapflow::torture */
