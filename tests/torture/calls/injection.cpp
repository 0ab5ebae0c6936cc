/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "injection.h"

#include "leftovers.h"
#include "optional_calls.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <format>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

using namespace std::chrono_literals;

/* In simulated time; longer than all waits of a scenario one after the other. */
constexpr int timeLimit = 40'000; /* ms */

void put(std::span<char> field, const std::string &text)
{
	const size_t size = std::min(text.size(), field.size() - 1);
	std::memcpy(field.data(), text.data(), size);
	field[size] = '\0';
}

/* Says that the device itself cannot be used; others are of the process, or of the system. */
bool isOfDevice(int code)
{
	return code == EACCES || code == EPERM || code == ENODEV || code == ENXIO ||
	       code == ENOENT || code == EBUSY || code == EIO;
}

/* A waitpid() that ends: the child's descriptor is readable when it is over. */
bool waitEnded(pid_t child)
{
	const int descriptor = int(syscall(SYS_pidfd_open, child, 0));
	pollfd ended{descriptor, POLLIN, 0};
	int ready;
	do
		ready = poll(&ended, 1, timeLimit);
	while (ready < 0 && errno == EINTR);
	close(descriptor);
	return ready > 0;
}

} /* namespace */

std::string textOf(const Target &target)
{
	return std::format("{}#{}:{}:{}", nameOf(target.kind), target.occurrence,
			   errnoName(target.code), target.times == 1 ? "once" : "ever");
}

Injector::Injector(const Scenario &scenario) : scenario_(scenario)
{
	char path[] = "/dev/shm/heapflow-torture.XXXXXX";
	const int file = mkstemp(path);
	if (file < 0 || ftruncate(file, sizeof(FaultPlan)) != 0)
		std::abort();
	planFile_ = path;
	void *memory =
		mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (memory == MAP_FAILED)
		std::abort();
	plan_ = new (memory) FaultPlan;
	if (scenario_.executes)
		setenv(planVariable, planFile_.c_str(), 1);
	else
		setPlanOfProcess(plan_);
	if (scenario_.prepare)
		scenario_.prepare();
}

Injector::~Injector()
{
	setPlanOfProcess(nullptr);
	unlink(planFile_.c_str());
	munmap(plan_, sizeof(FaultPlan));
}

void Injector::begin(PlanMode mode, const Target &target)
{
	plan_->mode = PlanMode::Off;
	plan_->target = target;
	plan_->seen = 0;
	plan_->injected = 0;
	plan_->ended = false;
	plan_->succeeded = false;
	plan_->text[0] = plan_->left[0] = '\0';
	if (mode == PlanMode::Record)
		plan_->siteCount = 0;
	plan_->mode = mode;
}

void Injector::runAndTell()
{
	const PlanMode mode = plan_->mode;
	plan_->mode = PlanMode::Off;
	const Holdings before = holdings();
	plan_->mode = mode;
	const Result<void> result = scenario_.run();
	plan_->mode = PlanMode::Off;
	plan_->succeeded = result.has_value();
	if (!result)
		put(plan_->text, result.error().text());
	put(plan_->left, leftOverSince(before));
	plan_->ended = true;
}

void Injector::runAndExit()
{
	/* What libraries say on the side is not what is judged; and none may wait for input. */
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(nothing, STDIN_FILENO);
	if (!getenv("TORTURE_VERBOSE")) {
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
	}
	runAndTell();
	_exit(0);
}

Injector::Ended Injector::runInChild()
{
	const pid_t child = fork();
	if (child == 0)
		runAndExit();
	if (child < 0)
		return {End::Exited, 1};
	Ended ended;
	if (!waitEnded(child)) {
		ended.end = End::Hung;
		kill(child, SIGKILL);
	}
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	plan_->mode = PlanMode::Off;
	if (ended.end == End::Exited && WIFSIGNALED(status))
		ended = {End::Signalled, WTERMSIG(status)};
	else if (ended.end == End::Exited)
		ended.status = WEXITSTATUS(status);
	return ended;
}

std::vector<CallSite> Injector::record()
{
	begin(PlanMode::Record, {});
	const Ended ended = runInChild();
	if (ended.end != End::Exited || !plan_->ended || !plan_->succeeded) {
		std::fprintf(stderr, "%s does not work without a fault: %s\n", scenario_.name,
			     plan_->text.data());
		return {};
	}
	return {plan_->sites.begin(), plan_->sites.begin() + plan_->siteCount};
}

Run Injector::judge(const Ended &ended, const Target &target, Meaning meaning) const
{
	Run run{.reached = plan_->injected > 0};
	const std::string text = plan_->text.data();
	if (ended.end == End::Hung)
		return {true, false, std::format("HUNG: {} calls failed", plan_->injected.load())};
	if (ended.end == End::Signalled)
		return {true, false,
			std::format("CRASHED: {} {}", sigabbrev_np(ended.status), text)};
	if (ended.status == spinStatus || plan_->injected > spinLimit)
		return {true, false, "SPINS: the call that fails is repeated for ever"};
	if (!plan_->ended)
		return {true, false, std::format("EXITED with status {}", ended.status)};
	if (plan_->left[0])
		return {run.reached, false,
			std::format("LEAKS: {}after: {}", plan_->left.data(), text)};
	/* Less than there is, is right when the system says that there is no more. */
	if (text.starts_with("WRONG") ||
	    (text.starts_with("INCOMPLETE") && meaning != Meaning::Answer))
		return {run.reached, false, text};
	/* A list of what can be used is right without what cannot be. */
	if (text.starts_with("LEFT OUT") && !isOfDevice(target.code) && meaning != Meaning::Answer)
		return {run.reached, false, text};
	if (text.starts_with("LEFT OUT"))
		return {run.reached, true, "nothing: is not in the list"};
	if (plan_->succeeded)
		return judgeSuccess(run, target, meaning);
	run.saw = text;
	if (meaning == Meaning::Retry)
		run.saw = "NOT REPEATED: " + text;
	else if (meaning == Meaning::Fails && !text.contains(errnoName(target.code)))
		run.saw = std::format("DOES NOT NAME {}: {}", errnoName(target.code), text);
	else
		run.survived = true;
	return run;
}

Run Injector::judgeSuccess(Run run, const Target &target, Meaning meaning) const
{
	run.survived = true;
	if (meaning == Meaning::Retry) {
		run.saw = "nothing: repeated";
		return run;
	}
	run.saw = "nothing: went on";
	/*
	 * What fails once, or at one place only, something else may have made good: the same call a
	 * second time, or at another place.
	 */
	if (!run.reached || meaning != Meaning::Fails || target.times == 1 || target.stack)
		return run;
	if (const char *reason = whyOptional(scenario_.name, target.kind, target.code))
		run.saw += std::format(" ({})", reason);
	else
		run = {run.reached, false, "IGNORED: it never works, and there is no error"};
	return run;
}

Run Injector::run(const Target &target, Meaning meaning)
{
	begin(PlanMode::Inject, target);
	return judge(runInChild(), target, meaning);
}

Run Injector::runClean()
{
	begin(PlanMode::Off, {});
	const Ended ended = runInChild();
	Run run = judge(ended, {}, Meaning::Retry);
	run.reached = true;
	return run;
}

int Injector::runHere(const Target &target)
{
	begin(PlanMode::Inject, target);
	runAndTell();
	std::printf("%u injected; %s%s%s%s\n", plan_->injected.load(),
		    plan_->succeeded ? "success" : plan_->text.data(),
		    plan_->left[0] ? "; left: " : "", plan_->left.data(), "");
	if (plan_->injected == 0)
		std::fprintf(stderr, "torture-calls: this time the call was not made so often: "
				     "nothing has failed\n");
	return plan_->left[0] || plan_->injected == 0 ? 1 : 0;
}

} /* namespace heapflow::torture */
