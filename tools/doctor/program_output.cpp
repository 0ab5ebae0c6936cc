/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program_output.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::tool::doctor
{

namespace
{

using Clock = std::chrono::steady_clock;
constexpr size_t kMostText = size_t{8} << 20;

Result<pid_t> spawn(const std::vector<std::string> &words, int output)
{
	std::vector<char *> arguments;
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	pid_t process = -1;
	const int error =
		posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0)
		return fail(error, "cannot run " + words[0]);
	return process;
}

/* False when the time was over before the end of the output. */
bool readAll(int fd, Clock::time_point end, std::string &text)
{
	for (;;) {
		const auto left =
			std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
		if (left.count() <= 0)
			return false;
		pollfd waiting{fd, POLLIN, 0};
		const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
		/* A lack of memory may pass; it is not worth all of a processor meanwhile. */
		if (ready < 0 && errno != EINTR)
			std::this_thread::sleep_for(std::chrono::milliseconds(10));
		if (ready <= 0)
			continue;
		char buffer[4096];
		const ssize_t got = read(fd, buffer, sizeof(buffer));
		if (got == 0)
			return true;
		if (got > 0 && text.size() < kMostText)
			text.append(buffer, static_cast<size_t>(got));
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return true;
	}
}

} /* namespace */

Result<ProgramOutput> runProgram(const std::vector<std::string> &words,
				 std::chrono::milliseconds limit)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(errno, "cannot make a pipe");
	const UniqueFd from(ends[0]);
	UniqueFd to(ends[1]);
	const auto process = spawn(words, to.get());
	to.reset();
	if (!process)
		return std::unexpected(process.error());

	ProgramOutput output;
	const bool inTime = readAll(from.get(), Clock::now() + limit, output.text);
	/* A program that closed its output and runs on is over time as well. */
	if (!inTime)
		kill(*process, SIGKILL);
	int status = 0;
	while (waitpid(*process, &status, 0) < 0 && errno == EINTR)
		;
	if (!inTime)
		return fail(ETIMEDOUT, words[0] + " did not end within " +
					       std::to_string(limit.count()) + " ms");
	output.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return output;
}

} /* namespace heapflow::tool::doctor */
