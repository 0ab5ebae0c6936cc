/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hours of video in simulated time (board/run --simulated-time --kernel-arg vivid.n_devs=2): one or
 * two cameras, each on a layer, with formats and heaps that change, cameras that are pulled out and
 * a screen that is. Nothing may grow: not memory, not descriptors, not latency. Each minute is a
 * line on stdout, at the end: the host answers a write when it likes, which would cost time.
 */
#include "board_node.h"
#include "command_line.h"
#include "soak_checks.h"
#include "soak_viewer.h"

#include "board.h"
#include "vivid.h"
#include "vkms_device.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <format>
#include <fstream>
#include <functional>
#include <map>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::torture;
using heapflow::test::Resources;

namespace
{

constexpr int64_t second = 1'000'000'000;
constexpr int64_t era = 600 * second; /* between two rests */
/* The screen is away for two seconds, once an era, at a time that is no whole minute. */
constexpr int64_t unplugAfter = 250 * second + second / 2, unplugFor = 2 * second;
/* udevd takes a moment to tell of it; a camera may be about to settle meanwhile. */
constexpr DarkFrames darkWhileUnplugged = {100, 140};
constexpr size_t mallocSlack = 64 << 10; /* bytes: lists that grow once, stdio */
constexpr long rssSlack = 2 << 10;       /* KiB */
constexpr int osdTextNone = 2;           /* vivid's menu: all, counters only, none */

std::string lines;

[[gnu::format(printf, 1, 2)]] void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	lines += line;
}

int64_t now()
{
	timespec time = {};
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * second + time.tv_nsec;
}

void sleepUntil(int64_t time)
{
	const timespec until = {time / second, time % second};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0)
		;
}

long residentKib()
{
	long pages = 0, resident = 0;
	std::ifstream("/proc/self/statm") >> pages >> resident;
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* With all cameras and screens closed. */
struct Rest {
	Resources resources = Resources::now();
	size_t allocated = mallinfo2().uordblks;
	long resident = residentKib();
};

struct Soak {
	explicit Soak(unsigned cameras);

	void playEra();
	void sample();
	std::optional<SoakBuffers> playing();
	void lookInPlay();
	void closeEra();
	void compare(const Rest &before, const Rest &after);
	/* \param[in] what Is not as promised; empty: all is */
	void object(const std::string &of, const std::string &what);

	test::VkmsDevice display{{.overlay = true}};
	std::vector<std::unique_ptr<SoakViewer>> viewers;
	std::array<SoakCounts, 2> ofEra; /* by camera */
	SoakCounts total;
	std::optional<InPlay> firstInPlay;
	bool fine = true;
	unsigned minute = 0;
	unsigned screenUnplugged = 0;
	unsigned latencyAtFirst = 0; /* ms, the 99th of 100 in the first minute */
};

std::vector<std::string> vivids()
{
	std::vector<std::string> nodes;
	for (const auto &camera : listCameras().value_or(std::vector<CameraInfo>()))
		if (camera.model == "vivid")
			nodes.push_back(camera.id);
	return nodes;
}

Soak::Soak(unsigned cameras)
{
	int32_t x = 0;
	for (const std::string &node : vivids()) {
		if (viewers.size() == cameras)
			break;
		/* vivid draws it into each frame by CPU, a sixth of all that is done here. */
		test::setControl(node, "OSD Text Mode", osdTextNone);
		viewers.push_back(std::make_unique<SoakViewer>(SoakViewerOptions{
			node, display.node(), {x, 0, 320, 180}, uint64_t(x + 1)}));
		x += 320;
	}
}

/* One line for each camera and minute. */
void Soak::sample()
{
	unsigned latency = 0;
	for (size_t i = 0; i < viewers.size(); i++) {
		const SoakCounts counts = viewers[i]->takeCounts();
		say("minute %u camera %zu captured %" PRIu64 " lost %" PRIu64 " shown %" PRIu64
		    " settled %" PRIu64 " unplugged %" PRIu64
		    " latency-p50 %u ms latency-p99 %u ms worst %" PRId64 " ms dark %" PRIu64
		    " at-settlement %" PRIu64 "\n",
		    minute, i, counts.captured, counts.lost, counts.shown, counts.settled,
		    counts.unplugged, counts.latencyQuantile(0.5), counts.latencyQuantile(0.99),
		    (counts.worstLatency + 500'000) / 1'000'000, counts.unseen,
		    counts.atSettlement);
		const bool away = minute % 10 == unplugAfter / (60 * second);
		object(std::format("camera {}", i),
		       objectionTo(counts, away ? darkWhileUnplugged : DarkFrames{}));
		ofEra[i].add(counts);
		latency = std::max(latency, counts.latencyQuantile(0.99));
	}
	if (!latencyAtFirst)
		latencyAtFirst = latency;
	if (latency > latencyAtFirst + 1)
		object("latency", std::format("the 99th of 100 is {} ms, {} in the first minute",
					      latency, latencyAtFirst));
	minute++;
}

/* All play, and none is just settling: nothing comes and goes. */
std::optional<SoakBuffers> Soak::playing()
{
	for (int64_t limit = now() + 5 * second; now() < limit; sleepUntil(now() + second / 10)) {
		SoakBuffers all;
		size_t steady = 0;
		for (auto &viewer : viewers)
			if (const auto own = viewer->playing()) {
				all = {all.count + own->count, all.bytes + own->bytes};
				steady++;
			}
		if (steady == viewers.size())
			return all;
	}
	return std::nullopt;
}

void Soak::lookInPlay()
{
	const auto own = playing();
	if (!own) {
		object("in play", "a camera does not play");
		return;
	}
	const InPlay here = InPlay::now(*own, debugOf(display.node()));
	say("in play in minute %u: %" PRIu64 " buffers, %" PRIu64 " framebuffers, %" PRIu64
	    " dma-bufs of %" PRIu64 " bytes, %" PRIu64 " descriptors, %zu bytes of malloc\n",
	    minute, here.own.count, here.framebuffers, here.dmabufs.count, here.dmabufs.bytes,
	    here.descriptors, here.allocated);
	if (!firstInPlay)
		firstInPlay = here;
	object("in play", objectionTo(*firstInPlay, here));
}

/* With everything closed: what came after the last minute is counted, too. */
void Soak::closeEra()
{
	for (size_t i = 0; i < viewers.size(); i++) {
		if (auto finished = viewers[i]->finish(); !finished)
			object(std::format("camera {}", i), finished.error().text());
		ofEra[i].add(viewers[i]->takeCounts());
		object(std::format("camera {}", i), objectionTo(ofEra[i], viewers[i]->ofDisplay()));
		total.add(ofEra[i]);
		ofEra[i] = {};
	}
}

void Soak::playEra()
{
	std::multimap<int64_t, std::function<void()>> schedule;
	for (int64_t i = 0; i < 10; i++) {
		/* In the middle of a viewer's half minutes. */
		schedule.emplace((60 * i + 15) * second, [this] { lookInPlay(); });
		schedule.emplace((60 * i + 45) * second, [this] { lookInPlay(); });
		schedule.emplace((60 * i + 60) * second, [this] { sample(); });
	}
	schedule.emplace(unplugAfter, [this] { display.unplug(); });
	schedule.emplace(unplugAfter + unplugFor, [this] {
		display.plug();
		screenUnplugged++;
	});
	const int64_t begin = now();
	for (auto &viewer : viewers)
		viewer->run(begin + era);
	for (const auto &[time, act] : schedule) {
		sleepUntil(begin + time);
		act();
	}
	closeEra();
}

void Soak::object(const std::string &of, const std::string &what)
{
	if (what.empty())
		return;
	fine = false;
	say("# broken: minute %u: %s: %s\n", minute, of.c_str(), what.c_str());
}

void Soak::compare(const Rest &before, const Rest &after)
{
	uint64_t freePages = 0;
	for (const auto &[area, pages] : after.resources.freePages)
		freePages += pages;
	say("rest after minute %u: %zu descriptors, %zu bytes of malloc, %ld MiB resident, %" PRIu64
	    " KiB free in heaps\n",
	    minute, after.resources.allDescriptors(), after.allocated, after.resident / 1024,
	    freePages * uint64_t(sysconf(_SC_PAGESIZE)) / 1024);
	const auto check = [&](bool holds, const char *what) {
		if (!holds)
			object("at rest", std::string(what) + " grew");
	};
	check(after.resources == before.resources, "descriptors or memory of a heap");
	check(after.allocated <= before.allocated + mallocSlack, "malloc's memory");
	check(after.resident <= before.resident + rssSlack, "resident memory");
}

int run(unsigned eras, unsigned cameras)
{
	Soak soak(cameras);
	if (soak.viewers.size() != cameras) {
		say("not ok 1 - there are %zu vivid cameras, not %u: --kernel-arg "
		    "vivid.n_devs=%u\n",
		    soak.viewers.size(), cameras, cameras);
		return 1;
	}
	std::optional<Rest> first;
	for (unsigned i = 0; soak.fine && i < eras; i++) {
		soak.playEra();
		const Rest rest;
		/* What a process makes once is there after the first. */
		if (!first)
			first.emplace(rest);
		soak.compare(*first, rest);
	}
	const bool fine = soak.fine;
	const SoakCounts &total = soak.total;
	say("%s 1 - soak: %u minutes, %" PRIu64 " frames captured, %" PRIu64 " lost, %" PRIu64
	    " shown, %" PRIu64 " given back unshown, %" PRIu64 " at a settlement, settled %" PRIu64
	    " times, cameras pulled out %" PRIu64 " times, the screen %u times\n",
	    fine ? "ok" : "not ok", soak.minute, total.captured, total.lost, total.shown,
	    total.unseen, total.atSettlement, total.settled, total.unplugged, soak.screenUnplugged);
	const uint64_t changes = total.settled + total.unplugged + soak.screenUnplugged;
	say("torture\tsoak of %u minutes\t%" PRIu64 "\t%" PRIu64 "\t%s\n", soak.minute, changes,
	    fine ? changes : 0, "the picture goes on");
	return fine ? 0 : 1;
}

/*
 * mallinfo2() takes what a thread keeps of freed memory (glibc's tcache) for memory in use: a text
 * of /proc that is longer by a digit would be 16 bytes more, in one run and not in the next. The
 * cache can only be turned off before the program begins.
 */
void startAgainWithoutMallocCache(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	execv("/proc/self/exe", argv);
	perror("soak: /proc/self/exe");
}

} /* namespace */

int main(int argc, char **argv)
{
	startAgainWithoutMallocCache(argv);
	CLI::App app("Plays vivid cameras on layers of vkms for hours of simulated time\n"
		     "(board/run --simulated-time --kernel-arg vivid.n_devs=2 soak 60)");
	unsigned minutes = 60, cameras = 2;
	app.add_option("minutes", minutes, "of simulated time, in tens")
		->capture_default_str()
		->check(oneOrMore)
		->check([](const std::string &text) {
			return text.ends_with('0') ? "" : text + " is not 10, 20 and so on";
		});
	app.add_option("--cameras", cameras, "how many at once")
		->capture_default_str()
		->check(CLI::Range(1, 2));
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	/* The list of cameras is not what is looked at. */
	setenv("LIBCAMERA_LOG_LEVELS", "*:ERROR", 0);
	/* A text that grows would be taken for memory that does. */
	lines.reserve(size_t(minutes) * (cameras + 3) * 256);
	const int status = run(minutes / 10, cameras);
	fputs(lines.c_str(), stdout);
	return status;
}
