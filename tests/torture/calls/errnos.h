/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which errno each call can give, with the source of each list. */
#pragma once

#include "call.h"

#include <cstdint>
#include <span>

namespace heapflow::torture
{

/** \brief What a caller must make of an errno */
enum class Meaning {
	Fails,  /**< an error that names it, or something else that serves instead */
	Retry,  /**< the call is to be made again: nobody ever sees it */
	Answer, /**< part of the interface: the end of a list, "not supported", "not there" */
};

struct PossibleErrno {
	int code;
	Meaning meaning = Meaning::Fails;
};

struct RequestErrnos {
	uint32_t request;
	const char *name;
	std::span<const PossibleErrno> errnos;
};

/** \brief Null for a request that the table does not have */
const RequestErrnos *errnosOfRequest(uint32_t request);

/** \brief Empty for a call that cannot fail in the way it is used, or is not known */
std::span<const PossibleErrno> errnosOf(const CallKind &kind);

} /* namespace heapflow::torture */
