/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The clock of the day is set forward and back, by seconds up to twenty years, and programs are
 * stopped for seconds, as when a machine sleeps. Runs on the board, in simulated time, where what
 * nothing disturbs is the same to the microsecond.
 */
#include "board_rest.h"
#include "command.h"
#include "command_line.h"
#include "fault_rows.h"
#include "jumping_clock.h"
#include "pipeline.h"
#include "usable_screen.h"

#include "heapflow/heap/fence.h"
#include "sync_timeline.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <regex>
#include <thread>

using namespace heapflow;
using namespace heapflow::torture;
using namespace std::chrono_literals;

namespace
{

constexpr double refresh = 1e9 / 60; /* ns */

/* What a viewer would notice, and the figures that are computed from clocks. */
struct Played {
	double shown = 0, late = 0, dropped = 0, fps = 0, latency = 0, worst = 0;
	uint64_t lost = 0;
	std::string error;

	std::string text() const
	{
		return std::format("{} shown, {} late, {} dropped, {} lost, {:.2f} fps, latency "
				   "{:.0f} us, 99th of 100 {:.0f} us {}",
				   shown, late, dropped, lost, fps, latency / 1e3, worst / 1e3,
				   error);
	}
};

Played play(unsigned frames)
{
	test::Pipeline pipeline(std::format(
		"heapcamerasrc name=source camera-name=vivid heap=video@* num-buffers={} "
		"! video/x-raw,width=320,height=180,framerate=60/1 ! heapkmssink name=sink",
		frames));
	Played played;
	uint64_t next = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number > 1)
			played.lost += GST_BUFFER_OFFSET(buffer) - next;
		next = GST_BUFFER_OFFSET(buffer) + 1;
	});
	pipeline.run(std::chrono::seconds(60 + frames / 30));
	played.shown = pipeline.stat("shown");
	played.late = pipeline.stat("late");
	played.dropped = pipeline.stat("dropped");
	played.fps = pipeline.stat("fps");
	played.latency = pipeline.stat("latency-median");
	played.worst = pipeline.stat("latency-p99");
	played.error = pipeline.errorText();
	return played;
}

/* Latency depends on how the camera's frames lie to the screen's, which each start makes anew. */
std::string compare(const Played &calm, const Played &jumped, unsigned frames)
{
	if (jumped.shown != frames || jumped.lost || jumped.dropped != calm.dropped ||
	    jumped.late != calm.late || !jumped.error.empty() ||
	    std::abs(jumped.fps - calm.fps) > 0.5 || jumped.latency <= 0 ||
	    jumped.worst > 2.5 * refresh)
		return jumped.text() + "; without jumps: " + calm.text();
	return {};
}

void jumpWhilePlaying(uint64_t seed, unsigned frames, FaultRows &rows)
{
	play(60); /* What a process makes once is there after the first. */
	const BoardRest rest = BoardRest::settled();
	const Played calm = play(frames);
	JumpingClock clock(seed);
	const Played jumped = play(frames);
	const unsigned jumps = clock.stop();
	std::string broken = compare(calm, jumped, frames);
	if (broken.empty())
		broken = rest.lost();
	if (broken.empty() && jumps == 0)
		broken = "the clock was not set meanwhile";
	rows.add("played while the clock is set",
		 std::format("{} of {} frames, none late, while it was set {} times", jumped.shown,
			     frames, jumps),
		 broken);
}

/* Seconds that it takes, by the clock that nobody sets. */
template<typename Function>
double secondsOf(const Function &function)
{
	const gint64 begin = g_get_monotonic_time();
	function();
	return double(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
}

struct TimeOut {
	const char *name;
	double seconds;
	void (*wait)();
};

void runCommandFor(const std::vector<std::string> &words)
{
	Command(words).waitEnd(60s);
}

const TimeOut timeOuts[] = {
	{"a fence", 3,
	 [] {
		 const test::SyncTimeline timeline;
		 (void)timeline.fence(1).wait(3s);
	 }},
	{"heapctl alloc --hold 3", 3,
	 [] {
		 runCommandFor({"heapctl", "alloc", "system", "4096", "--hold", "3"});
	 }},
	{"heapctl watch --timeout 3", 3,
	 [] {
		 runCommandFor({"heapctl", "watch", "no-such-heap", "--timeout", "3"});
	 }},
};

/* Where the clock stands when it is looked at is a lot: each is tried several times. */
void jumpWhileWaiting(uint64_t seed, FaultRows &rows)
{
	constexpr uint64_t rounds = 6;
	const char *fault = "time-out while the clock is set";
	unsigned all = 0;
	for (uint64_t i = 0; i < rounds * std::size(timeOuts); i++) {
		const TimeOut &out = timeOuts[i / rounds];
		JumpingClock clock(seed + i);
		const double seconds = secondsOf(out.wait);
		const unsigned jumps = clock.stop();
		const bool right = seconds >= out.seconds && seconds < out.seconds + 0.5;
		std::string broken;
		if (!right)
			broken = std::format("{} took {} s instead of {}", out.name, seconds,
					     out.seconds);
		else if (jumps == 0)
			broken = std::format("the clock was not set during {}", out.name);
		rows.add(fault, right ? "as long as was asked" : "longer or shorter", broken);
		all += jumps;
	}
	rows.remark(fault, std::format("the clock was set {} times meanwhile", all));
}

double field(const std::string &output, const std::string &name)
{
	std::smatch found;
	const std::regex number(name + "=\\(\\w+\\)([0-9.]+)");
	return std::regex_search(output, found, number) ? std::stod(found[1]) : -1;
}

/* As when the machine sleeps, or a debugger holds it. */
std::string stopForSeconds(RandomDraw &random, std::string &saw)
{
	constexpr int frames = 400;
	Command command({"gst-launch-1.0", "-m", "heapcamerasrc", "camera-name=vivid",
			 "heap=video@*", std::format("num-buffers={}", frames), "!",
			 "video/x-raw,width=320,height=180,framerate=60/1", "!", "heapkmssink",
			 "driver-name=vkms"});
	for (auto waited = 0ms; shownFramebuffer().empty(); waited += 5ms) {
		if (waited > 20s || command.waitEnd(0ms))
			return "does not play: " + command.output();
		std::this_thread::sleep_for(5ms);
	}
	std::this_thread::sleep_for(random.within(1s));
	command.signal(SIGSTOP);
	std::this_thread::sleep_for(500ms + random.within(6s));
	command.signal(SIGCONT);
	const auto ending = command.waitEnd(60s);
	const std::string output = command.output();
	if (!ending || ending->status != 0)
		return "does not come to its end: " + output;
	const double shown = field(output, "shown"), median = field(output, "latency-median"),
		     worst = field(output, "latency-p99");
	saw = std::format("{} of {} frames or more, latency as before", frames - 8, frames);
	/* Those that waited in the camera meanwhile are late, each of its buffers once. */
	if (shown < frames - 8 || median > 2.5 * refresh || worst > 2.5 * refresh)
		return std::format("{} of {} shown, latency {} ns, 99th of 100 {} ns", shown,
				   frames, median, worst);
	return {};
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Sets the clock while frames are played, and stops programs for seconds");
	uint64_t seed = 1;
	unsigned frames = 3600, stops = 20;
	app.add_option("--seed", seed, "of the lot")->capture_default_str();
	app.add_option("--frames", frames, "to play while the clock jumps")
		->capture_default_str()
		->check(oneOrMore);
	app.add_option("--stops", stops, "programs to stop")
		->capture_default_str()
		->check(oneOrMore);
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	gst_init(nullptr, nullptr);
	std::printf("# seed %llu\n", static_cast<unsigned long long>(seed));
	FaultRows rows;
	jumpWhilePlaying(seed, frames, rows);
	jumpWhileWaiting(seed, rows);
	RandomDraw random(seed);
	for (unsigned i = 0; i < stops; i++) {
		std::string saw;
		const std::string broken = stopForSeconds(random, saw);
		rows.add("stopped for seconds", saw, broken);
	}
	return rows.print() ? 0 : 1;
}
