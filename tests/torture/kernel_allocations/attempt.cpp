/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt.h"

#include "fail_nth.h"
#include "fault_stack.h"
#include "kernel_memory.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <ranges>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace
{

constexpr auto hangs = 60s;
/* The kernel gives some things back in a worker of its own. */
constexpr auto givesBack = 5s;

/* What each descriptor is, without numbers that differ from one to the next. */
std::map<std::string, int> openDescriptors()
{
	std::map<std::string, int> count;
	for (const auto &entry : fs::directory_iterator("/proc/self/fd")) {
		std::error_code gone;
		std::string target = fs::read_symlink(entry.path(), gone).string();
		count[target.substr(0, target.find(":["))]++;
	}
	return count;
}

std::string moreThan(const std::map<std::string, int> &before)
{
	std::string text;
	for (const auto &[kind, count] : openDescriptors()) {
		const auto was = before.find(kind);
		const int more = count - (was == before.end() ? 0 : was->second);
		if (more > 0)
			text += (text.empty() ? "" : ", ") + std::to_string(more) + " " + kind;
	}
	return text;
}

std::vector<pid_t> threadsInOrder()
{
	std::vector<pid_t> threads;
	for (const auto &entry : fs::directory_iterator("/proc/self/task"))
		threads.push_back(std::stoi(entry.path().filename()));
	std::ranges::sort(threads);
	return threads;
}

std::string withoutNewlines(std::string text)
{
	std::ranges::replace(text, '\n', ' ');
	return text;
}

/* The child's side: runs the parts and tells the parent, a line each: WORD REST. */
class Child
{
public:
	Child(const CameraToScreenOptions &options, const Fault &fault, int report)
		: fault_(fault), report_(report), session_(options)
	{
	}

	void run();

private:
	bool part(Phase phase, Result<void> (CameraToScreen::*function)());
	void tell(const char *word, const std::string &text) const
	{
		dprintf(report_, "%s %s\n", word, withoutNewlines(text).c_str());
	}

	const Fault &fault_;
	int report_;
	CameraToScreen session_;
};

/* False when the rest makes no sense. */
bool Child::part(Phase phase, Result<void> (CameraToScreen::*function)())
{
	if (phase != fault_.phase) {
		if (const auto done = (session_.*function)(); !done) {
			tell("broken", std::string(phaseName(phase)) +
					       ", which had no fault: " + done.error().text());
			return false;
		}
		return true;
	}
	const auto threads = threadsInOrder();
	if (fault_.thread >= threads.size())
		return true;
	auto nth = FailNth::of(threads[fault_.thread]);
	if (!nth || !nth->arm(fault_.nth)) {
		tell("broken", "fail-nth cannot be set");
		return false;
	}
	const auto done = (session_.*function)();
	const auto injected = nth->disarm();
	if (injected && *injected)
		tell("injected", "");
	if (done)
		return true;
	tell("error", done.error().text());
	if (done.error().code <= 0 || done.error().message.empty())
		tell("broken", "an error that says nothing");
	return false;
}

void Child::run()
{
	const auto before = openDescriptors();
	if (part(Phase::Start, &CameraToScreen::start)) {
		tell("threads", std::to_string(threadsInOrder().size()));
		part(Phase::Play, &CameraToScreen::play);
		part(Phase::Stop, &CameraToScreen::stop);
	}
	part(Phase::Close, &CameraToScreen::close);
	if (const std::string open = moreThan(before); !open.empty())
		tell("broken", "still open: " + open);
	tell("end", "");
}

pid_t fork(const CameraToScreenOptions &options, const Fault &fault, int report)
{
	const pid_t child = ::fork();
	if (child == 0) {
		Child(options, fault, report).run();
		/* As an application ends: destructors of statics run, and sanitizers look. */
		std::exit(0);
	}
	return child;
}

/* Empty when it ended as it should. */
std::string waitForEnd(pid_t child)
{
	int status = 0;
	for (auto waited = 0ms; waitpid(child, &status, WNOHANG) == 0; waited += 5ms) {
		if (waited >= hangs) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return "hangs";
		}
		std::this_thread::sleep_for(5ms);
	}
	if (WIFSIGNALED(status))
		return std::string("crashed: ") + strsignal(WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? "" : "exit status " + std::to_string(WEXITSTATUS(status));
}

/* Once nothing changes any more, or it is all back. */
KernelMemory settledMemory(const KernelMemory &before)
{
	KernelMemory after = KernelMemory::now();
	for (auto waited = 0ms; after != before && waited < givesBack; waited += 50ms) {
		std::this_thread::sleep_for(50ms);
		after = KernelMemory::now();
	}
	return after;
}

/* "vb2_dc_attach_dmabuf < __prepare_dmabuf < ..." */
std::string inWords(const std::vector<std::string> &functions)
{
	constexpr size_t most = 8;
	std::string text;
	for (const std::string &function : functions | std::views::take(most))
		text += (text.empty() ? "" : " < ") + function;
	return text;
}

/* Memory that did not come back is a fault of ours, but for the one dma-buf of a fault of the
 * kernel's. */
void judgeMemory(const KernelMemory &before, uint64_t framePages,
		 const std::vector<std::string> &functions, Outcome &outcome)
{
	const KernelMemory after = settledMemory(before);
	if (after == before || !outcome.broken.empty())
		return;
	const std::string_view why = keptByTheKernel(functions);
	const bool oneFrame = after.dmabufs == before.dmabufs + 1 &&
			      before.freeCmaPages <= after.freeCmaPages + framePages;
	if (!why.empty() && oneFrame)
		outcome.kept = why;
	else
		outcome.broken = "before: " + before.text() + ", after: " + after.text();
}

void readReport(int report, Outcome &outcome)
{
	std::string text;
	char buffer[4096];
	for (ssize_t n; (n = read(report, buffer, sizeof(buffer))) > 0;)
		text.append(buffer, static_cast<size_t>(n));
	bool ended = false;
	for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
		const std::string line = text.substr(at, end - at);
		const std::string word = line.substr(0, line.find(' '));
		const std::string rest = line.substr(word.size() + 1);
		ended |= word == "end";
		if (word == "injected")
			outcome.injected = true;
		else if (word == "threads")
			outcome.threads = static_cast<unsigned>(std::stoul(rest));
		else if (word == "error")
			outcome.error = rest;
		else if (word == "broken" && outcome.broken.empty())
			outcome.broken = rest;
	}
	if (!ended && outcome.broken.empty())
		outcome.broken = "did not come to its end";
}

} /* namespace */

const char *phaseName(Phase phase)
{
	switch (phase) {
	case Phase::Start:
		return "start";
	case Phase::Play:
		return "play";
	case Phase::Stop:
		return "stop";
	case Phase::Close:
		return "close";
	case Phase::None:
		break;
	}
	return "none";
}

Outcome attempt(const CameraToScreenOptions &options, const Fault &fault)
{
	Outcome outcome;
	const KernelMemory before = KernelMemory::now();
	const auto log = KernelMessages::fromNow();
	int report[2];
	if (!log || pipe(report) < 0) {
		outcome.broken =
			log ? std::string("no pipe: ") + strerror(errno) : log.error().text();
		return outcome;
	}
	const pid_t child = fork(options, fault, report[1]);
	close(report[1]);
	const std::string end = waitForEnd(child);
	readReport(report[0], outcome);
	close(report[0]);
	if (!end.empty())
		outcome.broken = end;
	const auto functions = functionsOfFault(log->read());
	outcome.where = inWords(functions);
	/* Four bytes a pixel. */
	const uint64_t frameBytes = uint64_t{4} * options.width * options.height;
	const auto pageSize = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	judgeMemory(before, (frameBytes + pageSize - 1) / pageSize, functions, outcome);
	return outcome;
}

} /* namespace heapflow::torture */
