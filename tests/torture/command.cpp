/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

/* In the child, between fork() and exec(). */
[[noreturn]] void become(const std::vector<std::string> &words, const std::string &output)
{
	for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
		std::signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, nullptr);
	const int in = open("/dev/null", O_RDONLY);
	const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(in);
	close(out);
	std::vector<char *> arguments;
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	execvp(arguments[0], arguments.data());
	_exit(127);
}

} /* namespace */

Command::Command(const std::vector<std::string> &words)
{
	const std::string output = directory_.path() / "output";
	process_ = fork();
	if (process_ == 0)
		become(words, output);
}

Command::~Command()
{
	if (ending_ || process_ <= 0)
		return;
	kill(process_, SIGKILL);
	waitpid(process_, nullptr, 0);
}

void Command::signal(int number) const
{
	if (!ending_ && process_ > 0)
		kill(process_, number);
}

std::optional<Ending> Command::waitEnd(std::chrono::milliseconds timeout)
{
	for (auto waited = 0ms; !ending_; waited += 2ms) {
		int status = 0;
		if (waitpid(process_, &status, WNOHANG) == process_)
			ending_ = WIFSIGNALED(status) ? Ending{128 + WTERMSIG(status), true}
						      : Ending{WEXITSTATUS(status)};
		else if (waited >= timeout)
			break;
		else
			std::this_thread::sleep_for(2ms);
	}
	return ending_;
}

std::string Command::output() const
{
	std::ostringstream text;
	text << std::ifstream(directory_.path() / "output").rdbuf();
	return text.str();
}

void adoptOrphans()
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

unsigned childrenLeft()
{
	for (auto waited = 0ms; waited < 5s; waited += 10ms) {
		pid_t ended = 0;
		while ((ended = waitpid(-1, nullptr, WNOHANG)) > 0)
			;
		if (ended < 0)
			return 0;
		std::this_thread::sleep_for(10ms);
	}
	unsigned left = 0;
	std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
	for (pid_t child = 0; list >> child;)
		left++;
	return left;
}

} /* namespace heapflow::torture */
