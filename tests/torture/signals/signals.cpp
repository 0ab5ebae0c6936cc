/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ctrl-C, SIGTERM, SIGKILL, and SIGSTOP with SIGCONT, to programs of heapflow at random moments:
 * from before a plugin is loaded until after they began to stop. Runs on the board, in real time,
 * because in simulated time a program starts in no time, and no signal could meet that.
 */
#include "board_node.h"
#include "command.h"
#include "command_line.h"
#include "display_fixture.h"
#include "fault_rows.h"
#include "kernel_memory.h"
#include "kms_snapshot.h"
#include "random_draw.h"
#include "signal_victims.h"
#include "usable_screen.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <format>
#include <thread>

using namespace heapflow;
using namespace heapflow::torture;
using namespace std::chrono_literals;

namespace
{

constexpr auto bounded = 20s; /* on a machine that does much else */

/* One signal, or two with a moment in between. */
struct Signals {
	const char *name;
	int first, second = 0;
	unsigned weight = 1;

	bool stops() const { return first == SIGSTOP; }
};
constexpr Signals kinds[] = {
	{"Ctrl-C", SIGINT, 0, 3},
	{"SIGTERM", SIGTERM, 0, 2},
	{"SIGKILL", SIGKILL, 0, 3},
	{"SIGSTOP, SIGCONT", SIGSTOP, SIGCONT, 2},
	{"Ctrl-C twice", SIGINT, SIGINT},
	{"Ctrl-C, SIGTERM", SIGINT, SIGTERM},
	{"Ctrl-C, SIGKILL", SIGINT, SIGKILL},
};

/* The picture goes on: framebuffers take turns. */
bool framesFlow(Command &command)
{
	std::string last = shownFramebuffer();
	unsigned changes = 0;
	for (auto waited = 0ms; waited < bounded && changes < 4; waited += 4ms) {
		std::this_thread::sleep_for(4ms);
		const std::string now = shownFramebuffer();
		changes += now != last;
		last = now;
		if (command.waitEnd(0ms))
			return false;
	}
	return changes >= 4;
}

/* Something else is on the screen than at the start, or the program has ended. */
bool firstFrame(Command &command, const std::string &before)
{
	for (auto waited = 0ms; waited < bounded; waited += 4ms) {
		const std::string now = shownFramebuffer();
		if (command.waitEnd(0ms) || (!now.empty() && now != before))
			return true;
		std::this_thread::sleep_for(4ms);
	}
	return false;
}

/* One program that is signalled, and the board before it. */
class Attempt
{
public:
	Attempt(const Victim &victim, const Signals &signals, RandomDraw &random)
		: victim_(victim),
		  signals_(signals),
		  playing_(victim.shows && random.oneIn(2)),
		  wait_(random.within(playing_ ? 200ms : victim.span)),
		  between_(random.within(signals.stops() ? 300ms : 40ms)),
		  picture_(victim.needsPicture || random.oneIn(2))
	{
	}

	/* Empty: survived. \param[in] memory Of the board at rest */
	std::string run(const KernelMemory &memory);
	std::string saw() const { return saw_; }
	std::string text() const
	{
		return std::format("{}, {} {} us after {}, then {} us{}", victim_.name,
				   signals_.name, wait_.count(),
				   playing_ ? "the first frame" : "the start", between_.count(),
				   picture_ ? ", with a picture" : "");
	}

private:
	std::string hurt(Command &command);
	std::string goesOn(Command &command);
	std::string judge(const Ending &ending) const;
	std::string aftermath(const KernelMemory &before, bool owner) const;

	const Victim &victim_;
	const Signals &signals_;
	const bool playing_; /* signalled after its first frame is on the screen */
	const std::chrono::microseconds wait_, between_;
	const bool picture_; /* of somebody else's on the screen */
	std::string before_; /* the framebuffer on the screen */
	std::string saw_;
	bool killed_ = false;
};

std::string Attempt::goesOn(Command &command)
{
	if (victim_.life == Victim::Life::Finishes)
		return {};
	if (victim_.life == Victim::Life::Plays && !framesFlow(command))
		return "no frames after SIGCONT";
	if (victim_.life == Victim::Life::Lasts && command.waitEnd(30ms))
		return "ended by SIGSTOP and SIGCONT";
	command.signal(SIGINT);
	return {};
}

std::string Attempt::hurt(Command &command)
{
	if (playing_ && !firstFrame(command, before_))
		return "no frame is shown";
	std::this_thread::sleep_for(wait_);
	command.signal(signals_.first);
	if (signals_.second) {
		std::this_thread::sleep_for(between_);
		command.signal(signals_.second);
	}
	if (signals_.stops())
		if (std::string broken = goesOn(command); !broken.empty())
			return broken;
	const auto ending = command.waitEnd(bounded);
	if (!ending)
		return "hangs";
	killed_ = ending->bySignal;
	saw_ = std::format("status {}{}", ending->status, killed_ ? " by the signal" : "");
	return judge(*ending);
}

std::string Attempt::judge(const Ending &ending) const
{
	const auto of = [&](int number) {
		return number && ending.status == 128 + number;
	};
	if (signals_.stops())
		return ending.status == victim_.finished || of(SIGINT) ? "" : "wrong status";
	if (of(signals_.first) || of(signals_.second) || ending.status == victim_.finished)
		return {};
	return "wrong status";
}

std::string Attempt::aftermath(const KernelMemory &before, bool owner) const
{
	if (const unsigned left = childrenLeft())
		return std::format("{} processes are left", left);
	KernelMemory after = KernelMemory::now();
	for (auto waited = 0ms; after != before && waited < 5s; waited += 20ms) {
		std::this_thread::sleep_for(20ms);
		after = KernelMemory::now();
	}
	if (after != before)
		return "before: " + before.text() + ", after: " + after.text();
	const size_t theirs = owner ? 1 : 0;
	if (!test::eventually([&] { return test::framebuffersOfDevice().size() == theirs; }))
		return std::format("{} framebuffers are left, {} of them somebody else's",
				   test::framebuffersOfDevice().size(), theirs);
	if (const auto usable = lightAndFlip(test::vkmsNode()); !usable)
		return "the screen is not usable: " + usable.error().text();
	return {};
}

std::string Attempt::run(const KernelMemory &memory)
{
	const UniqueFd owner(picture_ ? test::lightScreen() : -1);
	const test::KmsSnapshot screen = test::snapshotVkms();
	before_ = shownFramebuffer();
	std::string broken, output;
	{
		Command command(victim_.words);
		broken = hurt(command);
		output = command.output();
	}
	if (broken.empty() && !killed_) {
		const std::string changed = test::differences(screen, test::snapshotVkms());
		if (!changed.empty())
			broken = "the screen is not as it was: " + changed;
	}
	if (broken.empty())
		broken = aftermath(memory, owner.valid());
	if (!broken.empty())
		broken += "; it said: " + output;
	return broken;
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Sends signals to programs of heapflow at random moments");
	uint64_t seed = 1;
	unsigned count = 500;
	std::string only;
	app.add_option("--seed", seed, "of the lot")->capture_default_str();
	app.add_option("--count", count, "signals to send")
		->capture_default_str()
		->check(oneOrMore);
	app.add_option("--only", only, "programs whose name contains this");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	std::vector<Victim> victims;
	std::vector<std::string> names;
	for (const Victim &victim : signalVictims()) {
		names.emplace_back(victim.name);
		if (victim.name.contains(only))
			victims.push_back(victim);
	}
	if (victims.empty())
		return nothingFits("torture-signals", only, names);
	adoptOrphans();
	RandomDraw random(seed);
	FaultRows rows;
	const KernelMemory memory = KernelMemory::now();
	std::printf("# seed %llu\n", static_cast<unsigned long long>(seed));
	for (unsigned i = 0; i < count; i++) {
		const Victim &victim = random.weighted(victims);
		const Signals &signals = random.weighted(kinds);
		test::darkenScreen();
		Attempt attempt(victim, signals, random);
		const std::string broken = attempt.run(memory);
		rows.add(std::format("{}: {}", signals.name, victim.group), attempt.saw(),
			 broken.empty()
				 ? ""
				 : std::format("number {}: {}: {}", i, attempt.text(), broken));
		if ((i + 1) % 50 == 0)
			std::printf("# %u of %u\n", i + 1, count);
		std::fflush(stdout);
	}
	return rows.print() ? 0 : 1;
}
