/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hours of video in simulated time (board/run --simulated-time --kernel-arg vivid.n_devs=2): two
 * cameras on two layers, with formats and heaps that change, cameras that are pulled out and
 * a screen that is. Nothing may grow: not memory, not descriptors, not latency. Each minute is a
 * line on stdout, at the end: the host answers a write when it likes, which would cost time.
 */
#include "soak_viewer.h"

#include "board.h"
#include "vkms_device.h"

#include <charconv>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>

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
constexpr size_t mallocSlack = 64 << 10; /* bytes: lists that grow once, stdio */
constexpr long rssSlack = 2 << 10;       /* KiB */

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
	Soak();

	bool hour(unsigned number, unsigned eras);
	bool playEra();
	void sample();
	bool compare(const Rest &before, const Rest &after);

	test::VkmsDevice display{{.overlay = true}};
	std::vector<std::unique_ptr<SoakViewer>> viewers;
	SoakCounts total;
	unsigned minute = 0;
	unsigned screenUnplugged = 0;
	unsigned latencyAtFirst = 0; /* ms, the 99th of 100 in the first era */
	unsigned latencyNow = 0;
};

std::vector<std::string> vivids()
{
	std::vector<std::string> nodes;
	for (const auto &camera : listCameras().value_or(std::vector<CameraInfo>()))
		if (camera.model == "vivid")
			nodes.push_back(camera.id);
	return nodes;
}

Soak::Soak()
{
	int32_t x = 0;
	for (const std::string &node : vivids()) {
		viewers.push_back(std::make_unique<SoakViewer>(SoakViewerOptions{
			node, display.node(), {x, 0, 320, 180}, uint64_t(x + 1)}));
		x += 320;
	}
}

/* One line for each camera and minute. */
void Soak::sample()
{
	latencyNow = 0;
	for (size_t i = 0; i < viewers.size(); i++) {
		const SoakCounts counts = viewers[i]->takeCounts();
		say("minute %u camera %zu captured %" PRIu64 " lost %" PRIu64 " shown %" PRIu64
		    " settled %" PRIu64 " unplugged %" PRIu64
		    " latency-p50 %u ms latency-p99 %u ms worst %" PRId64 " ms\n",
		    minute, i, counts.captured, counts.lost, counts.shown, counts.settled,
		    counts.unplugged, counts.latencyQuantile(0.5), counts.latencyQuantile(0.99),
		    (counts.worstLatency + 500'000) / 1'000'000);
		total.captured += counts.captured;
		total.lost += counts.lost;
		total.shown += counts.shown;
		total.settled += counts.settled;
		total.unplugged += counts.unplugged;
		latencyNow = std::max(latencyNow, counts.latencyQuantile(0.99));
	}
}

/* \return false when a camera or a screen failed */
bool Soak::playEra()
{
	const int64_t begin = now();
	for (auto &viewer : viewers)
		viewer->run(begin + era);
	const auto untilMinute = [&](int64_t time) {
		for (; begin + (int64_t(minute % 10) + 1) * 60 * second <= time;) {
			sleepUntil(begin + (int64_t(minute % 10) + 1) * 60 * second);
			sample();
			minute++;
			if (minute % 10 == 0)
				return;
		}
	};
	untilMinute(begin + unplugAfter);
	sleepUntil(begin + unplugAfter);
	display.unplug();
	sleepUntil(begin + unplugAfter + unplugFor);
	display.plug();
	screenUnplugged++;
	untilMinute(begin + era);
	bool fine = true;
	for (auto &viewer : viewers)
		if (auto finished = viewer->finish(); !finished) {
			say("error %s\n", finished.error().text().c_str());
			fine = false;
		}
	return fine;
}

bool Soak::compare(const Rest &before, const Rest &after)
{
	say("rest after minute %u: %zu descriptors, %zu bytes of malloc, %ld MiB resident\n",
	    minute, after.resources.allDescriptors(), after.allocated, after.resident / 1024);
	bool same = true;
	const auto check = [&](bool holds, const char *what) {
		if (!holds)
			say("error %s grew\n", what);
		same = same && holds;
	};
	check(after.resources == before.resources, "descriptors or memory of a heap");
	check(after.allocated <= before.allocated + mallocSlack, "malloc's memory");
	check(after.resident <= before.resident + rssSlack, "resident memory");
	check(latencyNow <= latencyAtFirst + 1, "latency");
	return same;
}

int run(unsigned eras)
{
	Soak soak;
	if (soak.viewers.size() != 2) {
		say("not ok 1 - there are %zu vivid cameras, not 2: --kernel-arg "
		    "vivid.n_devs=2\n",
		    soak.viewers.size());
		return 1;
	}
	bool fine = true;
	std::optional<Rest> first;
	for (unsigned i = 0; fine && i < eras; i++) {
		fine = soak.playEra();
		const Rest rest;
		if (!first) {
			/* What a process makes once is there after the first. */
			first.emplace(rest);
			soak.latencyAtFirst = soak.latencyNow;
		}
		fine = soak.compare(*first, rest) && fine;
	}
	const SoakCounts &total = soak.total;
	say("%s 1 - soak: %u minutes, %" PRIu64 " frames captured, %" PRIu64 " lost, %" PRIu64
	    " shown, settled %" PRIu64 " times, cameras pulled out %" PRIu64
	    " times, the screen %u times\n",
	    fine ? "ok" : "not ok", soak.minute, total.captured, total.lost, total.shown,
	    total.settled, total.unplugged, soak.screenUnplugged);
	const uint64_t changes = total.settled + total.unplugged + soak.screenUnplugged;
	say("torture\tsoak of %u minutes\t%" PRIu64 "\t%" PRIu64 "\t%s\n", soak.minute, changes,
	    fine ? changes : 0, "the picture goes on");
	return fine ? 0 : 1;
}

} /* namespace */

int main(int argc, char **argv)
{
	/* The list of cameras is not what is looked at. */
	setenv("LIBCAMERA_LOG_LEVELS", "*:ERROR", 0);
	unsigned minutes = 60;
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		printf("usage: soak [MINUTES]\n"
		       "Plays two vivid cameras on two layers for MINUTES (60) of simulated time, "
		       "in tens.\n");
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	if (argc == 2) {
		const char *end = argv[1] + strlen(argv[1]);
		const auto [stop, code] = std::from_chars(argv[1], end, minutes);
		if (code != std::errc() || stop != end || minutes < 10 || minutes % 10) {
			fprintf(stderr, "soak: %s is no number of minutes, 10, 20 and so on\n",
				argv[1]);
			return 2;
		}
	}
	const int status = run(minutes / 10);
	fputs(lines.c_str(), stdout);
	return status;
}
