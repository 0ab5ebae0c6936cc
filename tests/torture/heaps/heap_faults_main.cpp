/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A heap that is exhausted, in pieces, not allowed any more or not there any more, before a
 * pipeline starts, while it starts, in play and while it changes; and too little memory for the
 * program itself. Frames that need no new memory go on; otherwise there is an error with the heap,
 * the numbers and the errno; and when the fault is over, all of it works again.
 */
#include "board_node.h"
#include "command_line.h"
#include "heap_adversary.h"
#include "memory_limit.h"
#include "moment.h"
#include "player.h"
#include "tally.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <format>
#include <functional>
#include <random>
#include <string>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::torture;

namespace
{

constexpr const char *heap = "memory@48000000-contiguous";
constexpr unsigned frames = 40;

struct Fault {
	const char *name;
	void (HeapAdversary::*begin)();
	/** What an error must say: the heap, the errno, what is wrong and what to do */
	const char *says;
	bool asNobody = false; /* root may do anything */
};

constexpr Fault faults[] = {
	{"exhausted", &HeapAdversary::exhaust,
	 "^(?=.*memory@48000000-contiguous)(?=.*ENOMEM)(?=.*[0-9]{6,} bytes)(?=.*[Ff]ree)"},
	{"in pieces", &HeapAdversary::fragment,
	 "^(?=.*memory@48000000-contiguous)(?=.*ENOMEM)(?=.*largest run is [0-9])(?=.*[0-9]{6,} "
	 "bytes)(?=.*in pieces)"},
	{"without permission", &HeapAdversary::withdrawPermission,
	 "^(?=.*memory@48000000-contiguous)(?=.*EACCES)(?=.*root:root 0600)(?=.*SUBSYSTEM)", true},
	{"without its node", &HeapAdversary::removeNode,
	 "^(?=.*memory@48000000-contiguous)(?=.*(ENOENT|ENODEV|ENXIO))"},
};

struct Line {
	const char *name;
	std::string text;
	std::string other; /* caps of another size */
};

Line cameraLine()
{
	const char *caps = "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width={},"
			   "height={},framerate=60/1";
	const auto sized = [&](unsigned width, unsigned height) {
		return std::vformat(caps, std::make_format_args(width, height));
	};
	return {"heapcamerasrc",
		std::format("heapcamerasrc camera-name={} num-buffers={} heap={} ! "
			    "capsfilter name=filter caps={} ! "
			    "heapkmssink name=sink driver-name=vkms",
			    vividNode(), frames, heap, sized(640, 360)),
		sized(1280, 720)};
}

Line allocLine()
{
	const char *caps = "video/x-raw,format=NV12,width={},height={},framerate=60/1";
	const auto sized = [&](unsigned width, unsigned height) {
		return std::vformat(caps, std::make_format_args(width, height));
	};
	return {"v4l2src ! heapalloc",
		std::format("v4l2src device={} num-buffers={} io-mode=dmabuf-import ! "
			    "capsfilter name=filter caps={} ! heapalloc heap={} ! "
			    "heapkmssink name=sink driver-name=vkms",
			    vividNode(), frames, sized(640, 360), heap),
		sized(1280, 720)};
}

/* As a user who has the devices by their rights, and nothing else of root's. */
bool becomeNobody()
{
	/* Its own /proc/self is root's otherwise, as a program's that was started so is not. */
	return setgroups(0, nullptr) == 0 && setresgid(65534, 65534, 65534) == 0 &&
	       setresuid(65534, 65534, 65534) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0;
}

/* With the adversary there, and after it: what the fault was, then that it is over. */
using Deed = std::function<Verdict(Player &, HeapAdversary &)>;

Verdict withFault(const Line &line, const Fault &fault, const Deed &deed)
{
	HeapAdversary adversary(heap);
	if (fault.asNobody && !becomeNobody())
		return Verdict::broken("cannot become nobody");
	Player player(line.text);
	if (!player)
		return Verdict::broken("no pipeline of " + line.text);
	const Verdict verdict = deed(player, adversary);
	player.stop();
	beforeAllocation(0, {});
	adversary.undo();
	if (verdict.kind == Verdict::Kind::Broken)
		return verdict;
	player.start();
	const Verdict after = player.finish(frames / 2);
	return after.kind == Verdict::Kind::Played
		       ? verdict
		       : Verdict::broken(std::format("a new start after it: {}; before: {}",
						     after.text, verdict.text));
}

Verdict beforeStart(const Line &line, const Fault &fault)
{
	return withFault(line, fault, [&](Player &player, HeapAdversary &adversary) {
		(adversary.*fault.begin)();
		player.start();
		return player.finish(frames / 2);
	});
}

/* \param[in] nth The allocation before which it happens */
Verdict duringStart(const Line &line, const Fault &fault, unsigned nth)
{
	return withFault(line, fault, [&](Player &player, HeapAdversary &adversary) {
		beforeAllocation(nth, [&] { (adversary.*fault.begin)(); });
		player.start();
		return player.finish(frames / 2);
	});
}

Verdict inPlay(const Line &line, const Fault &fault, unsigned frame)
{
	return withFault(line, fault, [&](Player &player, HeapAdversary &adversary) {
		player.start();
		if (Verdict shown = player.waitShown(frame); shown.kind != Verdict::Kind::Played)
			return shown;
		(adversary.*fault.begin)();
		const unsigned allocations = allocationsSince();
		Verdict verdict = player.finish(frames - 2);
		if (allocationsSince() != allocations)
			verdict = Verdict::broken("memory was allocated in steady state");
		return verdict;
	});
}

Verdict whileChanging(const Line &line, const Fault &fault, unsigned frame, unsigned nth)
{
	return withFault(line, fault, [&](Player &player, HeapAdversary &adversary) {
		player.start();
		if (Verdict shown = player.waitShown(frame); shown.kind != Verdict::Kind::Played)
			return shown;
		if (nth == 0)
			(adversary.*fault.begin)();
		else
			beforeAllocation(nth, [&] { (adversary.*fault.begin)(); });
		gst_util_set_object_arg(G_OBJECT(player.element("filter")), "caps",
					line.other.c_str());
		return player.finish(frames / 2);
	});
}

struct Options {
	uint64_t seed = 1;
	bool brief = false;
	bool memoryLimits = false;
	std::string only;
};

class Campaign
{
public:
	explicit Campaign(const Options &options) : options_(options), random_(options.seed) {}

	bool run();

	bool triedAny() const { return tried_; }
	const std::vector<std::string> &names() const { return names_; }

private:
	void row(const std::string &name, const std::function<void(Tally &)> &cases);
	void heapFault(const Line &line, const Fault &fault);
	void otherHeapServes();
	void memoryLimits(const std::string &from);
	unsigned upTo(unsigned most) { return unsigned(1 + random_() % most); }

	Options options_;
	std::mt19937_64 random_;
	std::vector<std::string> names_; /* of all rows */
	bool tried_ = false;
	bool good_ = true;
};

void Campaign::row(const std::string &name, const std::function<void(Tally &)> &cases)
{
	names_.push_back(name);
	if (!name.contains(options_.only))
		return;
	tried_ = true;
	Tally tally(name);
	cases(tally);
	const std::string camera = stillUsable(heap);
	good_ &= tally.finish(camera.empty() ? screenStillUsable() : camera);
}

void Campaign::heapFault(const Line &line, const Fault &fault)
{
	row(std::format("heap {}: {}", fault.name, line.name), [&](Tally &tally) {
		tally.add("before the start", apart([&] { return beforeStart(line, fault); }),
			  Promise::Refused, fault.says);
		for (unsigned nth = 1; nth <= 6; nth += options_.brief ? 3 : 1)
			tally.add(std::format("before allocation {} of the start", nth),
				  apart([&] { return duringStart(line, fault, nth); }),
				  Promise::Either, fault.says);
		for (unsigned i = 0; i < (options_.brief ? 1 : 4); i++) {
			const unsigned frame = upTo(frames - 10);
			tally.add(std::format("at frame {}", frame),
				  apart([&] { return inPlay(line, fault, frame); }),
				  Promise::Works);
		}
		for (unsigned i = 0; i < (options_.brief ? 2 : 10); i++) {
			const unsigned frame = upTo(frames / 2), nth = unsigned(random_() % 6);
			tally.add(nth ? std::format("before allocation {} of a change after frame "
						    "{}",
						    nth, frame)
				      : std::format("before a change after frame {}", frame),
				  apart([&] { return whileChanging(line, fault, frame, nth); }),
				  Promise::Either, fault.says);
		}
	});
}

/* What a user does about it who knows that it may happen. */
void Campaign::otherHeapServes()
{
	row("another heap behind it", [&](Tally &tally) {
		Line line = cameraLine();
		line.text.replace(line.text.find(heap), std::string(heap).size(),
				  std::format("{}:system", heap));
		for (const Fault &fault : faults)
			tally.add(std::format("{} before the start", fault.name),
				  apart([&] { return beforeStart(line, fault); }), Promise::Works);
	});
}

void Campaign::memoryLimits(const std::string &from)
{
	row("memory cgroup: frames in " + from, [&](Tally &tally) {
		const auto play = [&](const MemoryLimit &limit) {
			return apart([&] {
				return runLimited(limit,
						  {"gst-launch-1.0", "-q", "heapcamerasrc",
						   "camera-name=" + vividNode(), "num-buffers=20",
						   "heap=" + from, "!",
						   "video/x-raw,format=NV12,width=1920,height=1080",
						   "!", "heapkmssink", "driver-name=vkms"});
			});
		};
		/* Five frames are 15 MiB. */
		constexpr uint64_t mebibyte = 1 << 20;
		for (unsigned i = 0; i < (options_.brief ? 3 : 16); i++) {
			const uint64_t bytes = mebibyte * upTo(20);
			tally.add(std::format("memory.max {} MiB", bytes / mebibyte),
				  play({bytes}));
		}
		for (unsigned i = 0; i < (options_.brief ? 1 : 6); i++) {
			const uint64_t bytes = mebibyte * upTo(8);
			const unsigned after = 100 * upTo(6);
			tally.add(std::format("memory.max {} MiB after {} ms", bytes / mebibyte,
					      after),
				  play({256 * mebibyte, bytes, after}));
		}
	});
}

bool Campaign::run()
{
	if (options_.memoryLimits) {
		for (const char *from : {"system", heap})
			memoryLimits(from);
		return good_;
	}
	/* Everybody's, so that only what is withdrawn is missing. */
	for (const std::string &node :
	     {std::string("/dev/dma_heap/") + heap, std::string("/dev/dma_heap/system"),
	      vividNode(), std::string("/dev/dri/card0"), std::string("/dev/dri/card1")})
		chmod(node.c_str(), 0666);
	const Line lines[] = {cameraLine(), allocLine()};
	for (const Fault &fault : faults)
		for (const Line &line : lines)
			heapFault(line, fault);
	otherHeapServes();
	return good_;
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Takes a heap, its permission and its node away from pipelines");
	Options options;
	app.add_option("--seed", options.seed, "what is drawn by lot")->capture_default_str();
	app.add_flag("--brief", options.brief, "the short form: fewer cases");
	app.add_flag("--memory-limits", options.memoryLimits,
		     "memory cgroups instead; not in simulated time, which stands still while the "
		     "kernel looks for memory");
	app.add_option("--only", options.only, "only rows whose name has this in it");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	std::printf("# seed %llu\n", static_cast<unsigned long long>(options.seed));
	std::fflush(stdout);
	preparePipelines();
	Campaign campaign(options);
	const bool good = campaign.run();
	if (!campaign.triedAny())
		return nothingFits("heap-faults", options.only, campaign.names());
	return good ? 0 : 1;
}
