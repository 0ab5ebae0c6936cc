/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns one run of the virtual board on the host: starts its kernel, carries standard streams and
 * signals, and leaves nothing behind.
 *
 * board/run calls it with everything decided; see usage(). Exit status: the command's; 124 when the
 * time limit ended it; 125 when the board failed or its kernel complained.
 *
 * One thread. Signal handlers only set a flag; poll() is interrupted by them.
 */

#include "channel.h"
#include "kernel_log.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

using namespace board;
using Clock = std::chrono::steady_clock;

namespace
{

constexpr int exitTimeout = 124;
constexpr int exitBoard = 125;
constexpr std::chrono::seconds graceAfterSignal{5};
constexpr std::chrono::seconds graceAtPowerOff{10};
/* One Ctrl-C or one timeout(1) reaches this program more than once: through the process group, and
 * passed on by the shell that started it. Signals closer together than this are one. */
constexpr std::chrono::milliseconds oneSignal{500};

volatile sig_atomic_t caughtSignal = 0;
volatile sig_atomic_t windowChanged = 0;

void onSignal(int number)
{
	caughtSignal = number;
}
void onWindowChange(int)
{
	windowChanged = 1;
}

struct Options {
	std::string log;
	std::string known; /* file of complaints that do not fail the run */
	std::vector<int> processors;
	double timeout = 0; /* seconds; 0: none */
	bool terminal = false;
	bool readStdin = true;
	bool acceptComplaints = false;
	std::vector<char *> kernel; /* program and arguments */
};

[[noreturn]] void usage()
{
	fprintf(stderr, "usage: board-runner --log FILE [--processors N,N…] [--timeout SECONDS] "
			"[--terminal] [--no-stdin] [--accept-complaints] "
			"[--known-complaints FILE] -- KERNEL ARGUMENT…\n");
	exit(2);
}

Options parseOptions(int argc, char **argv)
{
	Options options;
	for (int i = 1; i < argc; i++) {
		const std::string word = argv[i];
		auto value = [&]() -> std::string {
			if (i + 1 >= argc)
				usage();
			return argv[++i];
		};
		if (word == "--log") {
			options.log = value();
		} else if (word == "--known-complaints") {
			options.known = value();
		} else if (word == "--processors") {
			const std::string list = value();
			for (size_t at = 0; at < list.size(); at = list.find(',', at) + 1) {
				options.processors.push_back(atoi(list.c_str() + at));
				if (list.find(',', at) == std::string::npos)
					break;
			}
		} else if (word == "--timeout") {
			options.timeout = atof(value().c_str());
		} else if (word == "--terminal") {
			options.terminal = true;
		} else if (word == "--no-stdin") {
			options.readStdin = false;
		} else if (word == "--accept-complaints") {
			options.acceptComplaints = true;
		} else if (word == "--") {
			options.kernel.assign(argv + i + 1, argv + argc);
			break;
		} else {
			usage();
		}
	}
	if (options.log.empty() || options.kernel.empty())
		usage();
	options.kernel.push_back(nullptr);
	return options;
}

/* The terminal of the caller as it was, put back whatever happens. */
class RawTerminal
{
public:
	explicit RawTerminal(bool wanted) : active_(wanted && tcgetattr(0, &saved_) == 0)
	{
		if (!active_)
			return;
		termios raw = saved_;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
	}
	~RawTerminal()
	{
		if (active_)
			tcsetattr(0, TCSANOW, &saved_);
	}

private:
	termios saved_ = {};
	bool active_;
};

/* The kernel's process, and all that it started: this process adopts what it leaves behind. */
class KernelProcess
{
public:
	bool start(const Options &options, int line);
	~KernelProcess() { killAll(); }

	bool running();
	void killAll();

private:
	pid_t pid_ = -1;
};

bool KernelProcess::start(const Options &options, int line)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	const pid_t parent = getpid();
	pid_ = fork();
	if (pid_ != 0)
		return pid_ > 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0); /* the terminal's signals are for this program, which passes them on */
	if (!options.processors.empty()) {
		cpu_set_t set;
		CPU_ZERO(&set);
		for (int number : options.processors)
			CPU_SET(static_cast<size_t>(number), &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	const int log = open(options.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
	const int null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	/* 3 is what "ssl0=fd:3" on the kernel's command line names. */
	if (line != 3)
		dup2(line, 3);
	else
		fcntl(3, F_SETFD, 0);
	execv(options.kernel[0], options.kernel.data());
	dprintf(2, "board: cannot run %s: %s\n", options.kernel[0], strerror(errno));
	_exit(127);
}

bool KernelProcess::running()
{
	if (pid_ <= 0)
		return false;
	for (pid_t pid; (pid = waitpid(-1, nullptr, WNOHANG)) > 0;) {
		if (pid == pid_)
			pid_ = -1;
	}
	return pid_ > 0;
}

void KernelProcess::killAll()
{
	/* The kernel runs each guest process in a host process of its own; adopted ones are
	 * children too. */
	for (int round = 0; round < 100; round++) {
		std::ifstream children("/proc/self/task/" + std::to_string(getpid()) + "/children");
		pid_t pid;
		bool any = false;
		while (children >> pid) {
			kill(pid, SIGKILL);
			any = true;
		}
		if (pid_ > 0)
			kill(pid_, SIGKILL);
		while (waitpid(-1, nullptr, any ? 0 : WNOHANG) > 0 && !any)
			;
		if (!any)
			break;
	}
	pid_ = -1;
}

/* The exchange with the board until it said Exit, or was ended. */
class Run
{
public:
	Run(const Options &options, KernelProcess &kernel, int line)
		: options_(options), kernel_(kernel), line_(line), stdinOpen_(options.readStdin)
	{
	}

	int run();

private:
	void readStdin();
	bool readLine();
	bool handle(const FrameReader::Frame &frame);
	bool passSignals();
	int pollTimeout() const;
	void setDeadline(std::chrono::milliseconds after, int status);

	const Options &options_;
	KernelProcess &kernel_;
	int line_;
	FrameReader reader_;
	uint32_t window_ = stdinWindow;
	bool ready_ = false;
	bool stdinOpen_;
	Clock::time_point signalSeen_ = Clock::time_point::max();
	Clock::time_point deadline_ = Clock::time_point::max();
	int statusAtDeadline_ = exitBoard;
	bool timedOut_ = false;
	int status_ = exitBoard;
};

void Run::setDeadline(std::chrono::milliseconds after, int status)
{
	deadline_ = Clock::now() + after;
	statusAtDeadline_ = status;
}

void Run::readStdin()
{
	char buffer[maxPayload];
	const ssize_t n = read(0, buffer, std::min<size_t>(sizeof(buffer), window_));
	if (n > 0) {
		sendFrame(line_, FrameType::Stdin, buffer, static_cast<uint32_t>(n));
		window_ -= static_cast<uint32_t>(n);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		sendFrame(line_, FrameType::StdinEnd);
		stdinOpen_ = false;
	}
}

/* False when the run is over. */
bool Run::readLine()
{
	char buffer[65536];
	const ssize_t n = read(line_, buffer, sizeof(buffer));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	reader_.add(buffer, static_cast<size_t>(n));
	while (auto frame = reader_.next()) {
		if (!handle(*frame))
			return false;
	}
	return true;
}

bool Run::handle(const FrameReader::Frame &frame)
{
	switch (frame.type) {
	case FrameType::Ready:
		ready_ = true;
		return true;
	case FrameType::Stdout:
		writeAll(1, frame.payload.data(), frame.payload.size());
		return true;
	case FrameType::Stderr:
		writeAll(2, frame.payload.data(), frame.payload.size());
		return true;
	case FrameType::StdinTaken: {
		uint32_t taken = 0;
		if (frame.payload.size() == sizeof(taken))
			memcpy(&taken, frame.payload.data(), sizeof(taken));
		window_ += taken;
		return true;
	}
	case FrameType::Exit: {
		int32_t status = exitBoard;
		if (frame.payload.size() == sizeof(status))
			memcpy(&status, frame.payload.data(), sizeof(status));
		status_ = timedOut_ ? exitTimeout : status;
		return false;
	}
	case FrameType::Failure:
		fprintf(stderr, "board: %s\n", frame.payload.c_str());
		status_ = exitBoard;
		return false;
	default:
		fprintf(stderr, "board: a frame of unknown type %u\n",
			static_cast<unsigned>(frame.type));
		status_ = exitBoard;
		return false;
	}
}

/* The first signal is the command's to handle; a second one, or five seconds, ends the board. */
bool Run::passSignals()
{
	if (windowChanged) {
		windowChanged = 0;
		winsize size;
		if (ioctl(0, TIOCGWINSZ, &size) == 0) {
			const uint16_t rowsAndColumns[2] = {size.ws_row, size.ws_col};
			sendFrame(line_, FrameType::Resize, rowsAndColumns, sizeof(rowsAndColumns));
		}
	}
	if (!caughtSignal)
		return true;
	const int32_t number = caughtSignal;
	caughtSignal = 0;
	if (signalSeen_ == Clock::time_point::max())
		status_ = 128 + number;
	if (!ready_)
		return false;
	const auto now = Clock::now();
	if (signalSeen_ != Clock::time_point::max())
		return now - signalSeen_ < oneSignal;
	signalSeen_ = now;
	sendFrame(line_, FrameType::Signal, &number, sizeof(number));
	setDeadline(graceAfterSignal, 128 + number);
	return true;
}

int Run::pollTimeout() const
{
	if (deadline_ == Clock::time_point::max())
		return 1000;
	const auto left =
		std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
	return static_cast<int>(std::clamp<int64_t>(left.count() + 1, 0, 1000));
}

int Run::run()
{
	if (options_.timeout > 0)
		setDeadline(
			std::chrono::milliseconds(static_cast<int64_t>(options_.timeout * 1000)),
			exitTimeout);
	for (;;) {
		pollfd fds[] = {
			{line_, POLLIN, 0},
			{ready_ && stdinOpen_ && window_ > 0 ? 0 : -1, POLLIN, 0},
		};
		const int ready = poll(fds, 2, pollTimeout());
		if (!passSignals())
			return status_;
		if (Clock::now() >= deadline_) {
			if (statusAtDeadline_ != exitTimeout || timedOut_)
				return statusAtDeadline_;
			timedOut_ = true;
			fprintf(stderr, "board: the time limit of %g s has passed\n",
				options_.timeout);
			const int32_t term = SIGTERM;
			sendFrame(line_, FrameType::Signal, &term, sizeof(term));
			setDeadline(std::chrono::seconds(2), exitTimeout);
		}
		if (ready > 0 && fds[0].revents && !readLine())
			break;
		if (ready > 0 && fds[1].revents)
			readStdin();
		if (!kernel_.running())
			break;
	}
	const auto end = Clock::now() + graceAtPowerOff;
	while (kernel_.running() && Clock::now() < end && !caughtSignal)
		poll(nullptr, 0, 2);
	return status_;
}

void installSignalHandlers()
{
	struct sigaction action = {};
	action.sa_handler = onSignal;
	for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
		sigaction(number, &action, nullptr);
	action.sa_handler = onWindowChange;
	sigaction(SIGWINCH, &action, nullptr);
	signal(SIGPIPE, SIG_IGN);
}

} /* namespace */

int main(int argc, char **argv)
{
	const Options options = parseOptions(argc, argv);
	installSignalHandlers();

	int line[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) < 0) {
		perror("board: cannot make a socket pair");
		return exitBoard;
	}
	/* So large that the board's side never waits: a wait would make simulated time depend on
	 * us. */
	const int large = 8 << 20;
	setsockopt(line[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));

	int status;
	{
		KernelProcess kernel;
		if (!kernel.start(options, line[1])) {
			perror("board: cannot start the kernel");
			return exitBoard;
		}
		close(line[1]);
		RawTerminal raw(options.terminal);
		status = Run(options, kernel, line[0]).run();
	}
	const KernelLog log = readKernelLog(options.log, readKnownComplaints(options.known));
	if (status == exitBoard && !log.reachedInit)
		fprintf(stderr, "board: the kernel did not start:\n%s", log.lastLines.c_str());
	for (const std::string &line : log.passedOver)
		fprintf(stderr, "board: passed over a known complaint: %s\n", line.c_str());
	if (!log.complaints.empty()) {
		fprintf(stderr, "board: the kernel complained:\n%s", log.complaints.c_str());
		if (!options.acceptComplaints && status != exitTimeout)
			status = exitBoard;
	}
	return status;
}
