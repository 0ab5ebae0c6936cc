/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The board's side of a running command: its streams and signals, and the serial line to the host.
 */
#pragma once

#include "channel.h"

#include <csignal>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace board
{

/* Where the output of the command comes out on our side, and where its input goes in. */
struct Streams {
	int in = -1;
	int out = -1;
	int err = -1;
	int terminal = -1;
};

/* Moves bytes between the line and the command until the command has ended. */
class Exchange
{
public:
	Exchange(int line, pid_t command, Streams streams, int signals, bool input)
		: line_(line),
		  command_(command),
		  streams_(streams),
		  signals_(signals),
		  inputEnded_(!input)
	{
	}

	int run();
	bool passedSignal() const { return passedSignal_; }

private:
	bool forward(int &from, FrameType type);
	void drainOutput();
	void readLine();
	void handle(const FrameReader::Frame &frame);
	void feedCommand();
	bool reap();

	int line_;
	pid_t command_;
	Streams streams_;
	int signals_;
	int status_ = 0;
	FrameReader reader_;
	std::string input_; /* taken from the host, not yet by the command; at most stdinWindow */
	bool inputEnded_;
	bool passedSignal_ = false;
};

/* False when there is nothing more to come from `from` now. */
inline bool Exchange::forward(int &from, FrameType type)
{
	char buffer[maxPayload];
	const ssize_t n = read(from, buffer, sizeof(buffer));
	if (n > 0)
		return sendFrame(line_, type, buffer, static_cast<uint32_t>(n));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	/* End of file, or EIO from a terminal whose last user is gone. */
	if (from != streams_.terminal)
		close(from);
	from = -1;
	return false;
}

/* What the command wrote before it ended; a background child that holds the pipe is not waited for.
 */
inline void Exchange::drainOutput()
{
	for (auto [stream, type] : {std::pair{&streams_.out, FrameType::Stdout},
				    std::pair{&streams_.err, FrameType::Stderr}}) {
		if (*stream < 0)
			continue;
		fcntl(*stream, F_SETFL, O_NONBLOCK);
		while (*stream >= 0 && forward(*stream, type))
			;
	}
}

inline void Exchange::readLine()
{
	char buffer[4096];
	const ssize_t n = read(line_, buffer, sizeof(buffer));
	if (n > 0)
		reader_.add(buffer, static_cast<size_t>(n));
	while (auto frame = reader_.next())
		handle(*frame);
	feedCommand();
}

inline void Exchange::handle(const FrameReader::Frame &frame)
{
	if (frame.type == FrameType::Stdin) {
		input_ += frame.payload;
	} else if (frame.type == FrameType::StdinEnd) {
		inputEnded_ = true;
	} else if (frame.type == FrameType::Signal && frame.payload.size() == sizeof(int32_t)) {
		int32_t number;
		memcpy(&number, frame.payload.data(), sizeof(number));
		kill(-command_, number);
		passedSignal_ = true;
	} else if (frame.type == FrameType::Resize &&
		   frame.payload.size() == 2 * sizeof(uint16_t)) {
		winsize size = {};
		memcpy(&size.ws_row, frame.payload.data(), sizeof(uint16_t));
		memcpy(&size.ws_col, frame.payload.data() + sizeof(uint16_t), sizeof(uint16_t));
		if (streams_.terminal >= 0)
			ioctl(streams_.terminal, TIOCSWINSZ, &size);
	}
}

inline void Exchange::feedCommand()
{
	uint32_t taken = 0;
	while (streams_.in >= 0 && !input_.empty()) {
		const ssize_t n = write(streams_.in, input_.data(), input_.size());
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) { /* EPIPE: it reads no more; take and forget the rest */
			taken += static_cast<uint32_t>(input_.size());
			input_.clear();
			break;
		}
		taken += static_cast<uint32_t>(n);
		input_.erase(0, static_cast<size_t>(n));
	}
	if (taken > 0)
		sendFrame(line_, FrameType::StdinTaken, &taken, sizeof(taken));
	if (inputEnded_ && input_.empty() && streams_.in >= 0 && streams_.terminal < 0) {
		close(streams_.in);
		streams_.in = -1;
	}
}

inline bool Exchange::reap()
{
	signalfd_siginfo info;
	(void)!read(signals_, &info, sizeof(info));
	int status;
	bool ended = false;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid == command_) {
			status_ =
				WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			ended = true;
		}
	}
	return ended;
}

inline int Exchange::run()
{
	feedCommand(); /* closes its input when there is none */
	for (bool ended = false; !ended;) {
		pollfd fds[] = {
			{line_, POLLIN, 0},
			{signals_, POLLIN, 0},
			{streams_.out, POLLIN, 0},
			{streams_.err, POLLIN, 0},
			{input_.empty() ? -1 : streams_.in, POLLOUT, 0},
		};
		if (poll(fds, 5, -1) < 0)
			continue;
		if (fds[0].revents)
			readLine();
		if (fds[2].revents)
			forward(streams_.out, FrameType::Stdout);
		if (fds[3].revents)
			forward(streams_.err, FrameType::Stderr);
		if (fds[4].revents)
			feedCommand();
		if (fds[1].revents)
			ended = reap();
	}
	drainOutput();
	return status_;
}

} /* namespace board */
