/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another process that holds buffers of a heap. */
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace heapflow::test
{

/** \brief `heapctl alloc --hold`: it has its buffers when the constructor returns with held() */
class OtherHolder
{
public:
	OtherHolder(const std::string &heap, const std::string &size, unsigned count = 1)
	{
		int line[2];
		if (pipe(line) != 0)
			return;
		const std::string number = std::to_string(count);
		const char *const words[] = {"heapctl", "alloc",        heap.c_str(), size.c_str(),
					     "--count", number.c_str(), "--hold",     "60",
					     "--name",  "other",        nullptr};
		posix_spawn_file_actions_t actions;
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, line[1], STDOUT_FILENO);
		posix_spawn_file_actions_addclose(&actions, line[0]);
		posix_spawn_file_actions_addclose(&actions, line[1]);
		if (posix_spawnp(&process_, "heapctl", &actions, nullptr,
				 const_cast<char *const *>(words), environ) != 0)
			process_ = -1;
		posix_spawn_file_actions_destroy(&actions);
		close(line[1]);
		/* Its first line comes when it has them; the end of file when it failed. */
		char first = 0;
		held_ = process_ > 0 && read(line[0], &first, 1) == 1;
		close(line[0]);
	}
	~OtherHolder() { end(); }
	OtherHolder(const OtherHolder &) = delete;
	OtherHolder &operator=(const OtherHolder &) = delete;

	bool held() const { return held_; }
	pid_t process() const { return process_; }

	/** \brief Kills it, so that the kernel takes its buffers back */
	void end()
	{
		if (process_ <= 0)
			return;
		kill(process_, SIGKILL);
		waitpid(process_, nullptr, 0);
		process_ = -1;
	}

private:
	pid_t process_ = -1;
	bool held_ = false;
};

} /* namespace heapflow::test */
