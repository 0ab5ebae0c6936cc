/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ending_signals.h"

#include <cerrno>
#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

namespace heapflow::tool
{

Result<UniqueFd> watchSignals()
{
	sigset_t ends;
	sigemptyset(&ends);
	for (const int signal : {SIGHUP, SIGINT, SIGTERM})
		sigaddset(&ends, signal);
	sigprocmask(SIG_BLOCK, &ends, nullptr);
	UniqueFd signals(signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
	if (!signals.valid())
		return fail(errno, "cannot wait for signals");
	return signals;
}

std::optional<int> endedBySignal(const UniqueFd &signals)
{
	signalfd_siginfo info{};
	if (read(signals.get(), &info, sizeof(info)) != sizeof(info))
		return std::nullopt;
	return 128 + static_cast<int>(info.ssi_signo);
}

} /* namespace heapflow::tool */
