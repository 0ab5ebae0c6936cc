/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which threads are woken how often, for what is to cost no switch of threads. */
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/types.h>

namespace heapflow::test
{

/**
 * \brief The id of the newest thread of this name of this process; 0 and a failed test without one
 *
 * One that was joined may be in /proc for a moment longer.
 */
inline pid_t threadOf(const std::string &name)
{
	pid_t newest = 0;
	for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
		std::ifstream file(task.path() / "comm");
		std::string own;
		if (std::getline(file, own) && own == name)
			newest = std::max(newest, std::stoi(task.path().filename().string()));
	}
	if (!newest)
		ADD_FAILURE() << "no thread " << name;
	return newest;
}

/**
 * \brief How often the thread of this name of this process went to sleep, and so was woken
 *
 * Also in the kernel alone: a poll() that is woken and finds nothing sleeps on without returning
 * (proc_pid_status(5), "voluntary_ctxt_switches"). A failed test when there is no such thread.
 */
inline unsigned long sleepsOf(const std::string &name)
{
	std::ifstream status("/proc/self/task/" + std::to_string(threadOf(name)) + "/status");
	const std::string field = "voluntary_ctxt_switches:\t";
	std::string line;
	while (std::getline(status, line)) {
		if (line.starts_with(field))
			return std::stoul(line.substr(field.size()));
	}
	return 0;
}

} /* namespace heapflow::test */
