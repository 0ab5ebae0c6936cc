/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program as a shell would start it, in the foreground, to be hurt while it runs. */
#pragma once

#include "temporary_directory.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heapflow::torture
{

/** \brief How a program ended */
struct Ending {
	int status = 0;        /**< exit status, 128+N for a signal, as a shell says it */
	bool bySignal = false; /**< it was ended, and did not end itself */
};

/** \brief One run of a program; killed when this goes */
class Command
{
public:
	/** \brief With every signal at its default, stdin empty, and its output kept */
	explicit Command(const std::vector<std::string> &words);
	~Command();
	Command(const Command &) = delete;
	Command &operator=(const Command &) = delete;

	void signal(int number) const;

	/** \brief Nothing when it has not ended by then */
	std::optional<Ending> waitEnd(std::chrono::milliseconds timeout);

	/** \brief stdout and stderr so far */
	std::string output() const;

private:
	test::TemporaryDirectory directory_;
	pid_t process_ = -1;
	std::optional<Ending> ending_;
};

/**
 * \brief What programs have started and left behind comes to this process from now on
 *
 * \sa childrenLeft()
 */
void adoptOrphans();

/** \brief Reaps those that have ended; how many are still there, after up to five seconds */
unsigned childrenLeft();

} /* namespace heapflow::torture */
