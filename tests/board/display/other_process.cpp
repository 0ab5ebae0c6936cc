/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "other_process.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::test
{

namespace
{

/* In the child: its ends of the two pipes. */
int inChild = -1;
int outOfChild = -1;

} /* namespace */

OtherProcess::OtherProcess(const std::function<int()> &body)
{
	int down[2], up[2];
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		return;
	pid_ = fork();
	if (!pid_) {
		close(down[1]);
		close(up[0]);
		inChild = down[0];
		outOfChild = up[1];
		_exit(body());
	}
	close(down[0]);
	close(up[1]);
	toChild_ = down[1];
	fromChild_ = up[0];
}

OtherProcess::~OtherProcess()
{
	if (pid_ > 0)
		kill();
	close(toChild_);
	close(fromChild_);
}

void OtherProcess::tellReady()
{
	while (write(outOfChild, "r", 1) < 0 && errno == EINTR)
		;
}

int OtherProcess::waitForEnd()
{
	char byte;
	while (read(inChild, &byte, 1) < 0 && errno == EINTR)
		;
	return 0;
}

bool OtherProcess::ready()
{
	char byte;
	ssize_t size;
	while ((size = read(fromChild_, &byte, 1)) < 0 && errno == EINTR)
		;
	return size == 1;
}

int OtherProcess::wait()
{
	int status = 0;
	while (waitpid(pid_, &status, 0) < 0 && errno == EINTR)
		;
	pid_ = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int OtherProcess::end()
{
	close(std::exchange(toChild_, -1));
	return wait();
}

void OtherProcess::kill()
{
	::kill(pid_, SIGKILL);
	wait();
}

} /* namespace heapflow::test */
