/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_limit.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

namespace fs = std::filesystem;

/* A cgroup that goes when it is empty. */
class MemoryGroup
{
public:
	explicit MemoryGroup(uint64_t bytes)
	{
		std::ofstream(root / "cgroup.subtree_control") << "+memory";
		std::error_code error;
		fs::create_directory(path_, error);
		setLimit(bytes);
	}
	~MemoryGroup() { rmdir(path_.c_str()); }

	void setLimit(uint64_t bytes) { std::ofstream(path_ / "memory.max") << bytes; }
	bool enter() const
	{
		return bool(std::ofstream(path_ / "cgroup.procs") << 0 << std::flush);
	}

	uint64_t killed() const
	{
		std::ifstream events(path_ / "memory.events");
		uint64_t number = 0;
		for (std::string word; events >> word >> number;)
			if (word == "oom_kill")
				return number;
		return 0;
	}

private:
	static inline const fs::path root = "/sys/fs/cgroup";
	const fs::path path_ = root / std::format("torture-{}", getpid());
};

std::string readAll(int pipe)
{
	std::string text;
	char part[4096];
	for (ssize_t count; (count = read(pipe, part, sizeof(part))) > 0;)
		text.append(part, size_t(count));
	return text;
}

/* The line that a user looks for, or all of it. */
std::string errorIn(const std::string &text)
{
	const size_t at = text.find("ERROR");
	return at == std::string::npos ? text.substr(0, 300) : text.substr(at, 500);
}

[[noreturn]] void execute(const MemoryGroup &group, const std::vector<std::string> &words, int out)
{
	std::vector<char *> arguments;
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (group.enter())
		execvp(arguments[0], arguments.data());
	_exit(126);
}

Verdict judge(int status, const std::string &said, uint64_t killed)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && killed > 0)
		return Verdict::refused("killed by the kernel for want of memory");
	if (WIFSIGNALED(status))
		return Verdict::broken(
			std::format("crashed: {}; {}", strsignal(WTERMSIG(status)), errorIn(said)));
	if (WEXITSTATUS(status) == 0)
		return Verdict::played();
	if (said.empty())
		return Verdict::broken(
			std::format("exit status {} without a word", WEXITSTATUS(status)));
	return Verdict::refused(errorIn(said));
}

} /* namespace */

Verdict runLimited(const MemoryLimit &limit, const std::vector<std::string> &words)
{
	MemoryGroup group(limit.bytes);
	int line[2];
	if (pipe(line) != 0)
		return Verdict::broken("no pipe");
	const pid_t program = fork();
	if (program == 0)
		execute(group, words, line[1]);
	close(line[1]);
	if (limit.later) {
		std::this_thread::sleep_for(std::chrono::milliseconds(limit.laterAfter));
		group.setLimit(*limit.later);
	}
	const std::string said = readAll(line[0]);
	close(line[0]);
	int status = 0;
	waitpid(program, &status, 0);
	return judge(status, said, group.killed());
}

} /* namespace heapflow::torture */
