/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child process that holds the display while the test looks at it. */
#pragma once

#include <functional>

#include <sys/types.h>

namespace heapflow::test
{

/** \brief Runs a function in a forked child; ends it when destroyed */
class OtherProcess
{
public:
	/** \param[in] body Its result is the exit status */
	explicit OtherProcess(const std::function<int()> &body);
	~OtherProcess();

	OtherProcess(const OtherProcess &) = delete;
	OtherProcess &operator=(const OtherProcess &) = delete;

	/** \brief In the child: the test may go on */
	static void tellReady();
	/** \brief In the child: returns 0 when the test calls end() */
	static int waitForEnd();

	/** \brief Waits for tellReady(); false when the child ended instead */
	bool ready();
	pid_t pid() const { return pid_; }
	/** \brief Lets waitForEnd() return, and waits; the exit status, 128+N for a signal */
	int end();
	void kill();

private:
	int wait();

	pid_t pid_ = -1;
	int toChild_ = -1;
	int fromChild_ = -1;
};

} /* namespace heapflow::test */
