/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session of the seat manager (logind, seatd), which lends the display and takes it back. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <functional>
#include <memory>
#include <string>

namespace heapflow
{

/**
 * \brief A session through libseat
 *
 * When the user switches to another virtual terminal the manager says so, and must be answered
 * before it goes on. dispatch() is called in the display's thread, active() from any.
 */
class Seat
{
public:
	/** \brief Errors: ENOTSUP built without libseat, what libseat says (ENOENT: no manager) */
	static Result<std::unique_ptr<Seat>> open();

	virtual ~Seat() = default;

	/** \brief A descriptor of the device that is master while the session is active */
	virtual Result<UniqueFd> openDevice(const std::string &path) = 0;

	virtual int fd() const = 0;
	/** \brief Called by dispatch() when the session was given back or taken away */
	virtual void setHandler(std::function<void(bool active)> handler) = 0;
	virtual void dispatch() = 0;
	virtual bool active() const = 0;
};

} /* namespace heapflow */
