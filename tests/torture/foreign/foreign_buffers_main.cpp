/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hands dma-bufs that are foreign, short, wrongly described, no dma-bufs at all or closed behind
 * our back to everything that takes one. Each is shown or refused with an error that says what is
 * wrong; and whoever got it works with a good one afterwards.
 */
#include "board_node.h"
#include "command_line.h"
#include "foreign_users.h"
#include "player.h"
#include "tally.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <format>
#include <functional>
#include <string>
#include <vector>

using namespace heapflow;
using namespace heapflow::torture;

namespace
{

struct Options {
	uint64_t seed = 1;
	bool brief = false;
	std::string only;
};

constexpr Loss losses[] = {Loss::Closed, Loss::AnotherDmabuf, Loss::ShorterDmabuf, Loss::NoDmabuf};
/* Linux 7.3 loses a dma-buf that is too short for the queue it is put into (__prepare_dmabuf() in
 * videobuf2-core.c), and a camera cannot know that the descriptor is of another one by now. */
constexpr Loss lossesOfCameras[] = {Loss::Closed, Loss::AnotherDmabuf, Loss::NoDmabuf};

/* Elements that copy read the pixels themselves: then a memfd of the right size is as good. */
struct Line {
	const char *name;
	const char *behind;
	bool copies;
};
constexpr Line lines[] = {
	{"heapkmssink", "heapkmssink name=sink sync=false", false},
	{"heapkmssink copy=allow", "heapkmssink name=sink sync=false copy=allow", true},
	{"heapalloc mode=pass", "heapalloc heap=video@* ! heapkmssink name=sink sync=false", false},
	{"heapalloc mode=copy",
	 "heapalloc heap=video@* mode=copy ! heapkmssink name=sink sync=false", true},
};

/* Raw V4L2, and libcamera without hardware. */
std::vector<std::string> quickCameras()
{
	return {vividNode(), "Virtual0"};
}

/* libcamera on V4L2, which takes 0.15 s of a processor for a frame. */
constexpr const char *slowCamera = "platform/vimc.0 Sensor B";

class Campaign
{
public:
	explicit Campaign(const Options &options) : options_(options), random_(options.seed) {}

	bool run();

	bool triedAny() const { return tried_; }
	const std::vector<std::string> &names() const { return names_; }

private:
	void row(const std::string &name, const std::function<void(Tally &)> &cases);
	void memories(const std::string &user, const std::function<Verdict(MakeMemory)> &use,
		      bool copies = false);
	void claims(const Line &line);
	void claimsForTheScreen();
	void losses(const Line &line);
	void lossesInPlay();

	Options options_;
	Random random_;
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
	good_ &= tally.finish(screenStillUsable());
}

void Campaign::memories(const std::string &user, const std::function<Verdict(MakeMemory)> &use,
			bool copies)
{
	row("foreign memory: " + user, [&](Tally &tally) {
		for (const ForeignMemory &memory : foreignMemories()) {
			const bool readable = copies && std::string(memory.name) == "a memfd";
			tally.add(memory.name, apart([&] { return use(memory.make); }),
				  readable ? Promise::Either : memory.promise, memory.says);
		}
	});
}

void Campaign::claims(const Line &line)
{
	const auto use = [&](Tally &tally, const Claim &claim, Promise promise) {
		Verdict verdict =
			apart([&] { return pipelineShows(line.behind, goodMemory, claim); });
		if (verdict.kind == Verdict::Kind::Played && !claim.holdsIn(bufferBytes))
			verdict = Verdict::broken("shown although it is beyond its memory");
		tally.add(std::format("{} ({})", claim.name, claim.text()), verdict, promise,
			  claim.says);
	};
	row(std::format("wrong metadata: {}", line.name), [&](Tally &tally) {
		for (const Claim &claim : wrongClaims())
			use(tally, claim, Promise::Refused);
		for (unsigned i = 0; i < (options_.brief ? 5 : 60); i++)
			use(tally, randomClaim(random_), Promise::Either);
	});
}

void Campaign::claimsForTheScreen()
{
	row("wrong layouts: display library", [&](Tally &tally) {
		unsigned accepted = 0;
		for (const Claim &claim : wrongClaims()) {
			if (!claim.layout())
				continue;
			tally.add(std::format("{} ({})", claim.name, claim.text()),
				  apart([&] { return screenTakesClaims({&claim, 1}, accepted); }),
				  Promise::Refused, claim.says);
		}
		for (unsigned round = 0; round < (options_.brief ? 2 : 40); round++) {
			std::vector<Claim> lot;
			for (unsigned i = 0; i < 100; i++)
				lot.push_back(randomClaim(random_));
			tally.add("a hundred by lot",
				  apart([&] { return screenTakesClaims(lot, accepted); }));
		}
	});
}

void Campaign::losses(const Line &line)
{
	row(std::format("descriptors lost: {}", line.name), [&](Tally &tally) {
		for (const Loss loss : ::losses)
			tally.add(std::format("the descriptor is {}", nameOf(loss)),
				  apart([&] { return pipelineShowsAgain(line.behind, loss); }));
	});
}

void Campaign::lossesInPlay()
{
	row("descriptors lost: heapkmssink, 20 frames", [&](Tally &tally) {
		for (const Loss loss : ::losses)
			tally.add(std::format("each descriptor is {}", nameOf(loss)),
				  apart([&] { return pipelineForgets(loss, 20); }), Promise::Works);
	});
	row("descriptors lost: heapcamerasrc ! heapkmssink", [&](Tally &tally) {
		for (const Loss loss : lossesOfCameras) {
			const unsigned frame = unsigned(1 + random_() % 20);
			tally.add(std::format("from frame {} on it is {}", frame, nameOf(loss)),
				  apart([&] { return cameraPipelineLoses(loss, frame); }));
		}
	});
	for (const std::string &camera : quickCameras())
		row("descriptors lost: camera " + camera, [&](Tally &tally) {
			for (const Loss loss : lossesOfCameras)
				tally.add(std::format("the descriptor is {}", nameOf(loss)),
					  apart([&] { return cameraLoses(camera, loss); }));
		});
}

bool Campaign::run()
{
	memories("libheap", heapLibraryUses);
	memories("display library", screenShows);
	std::vector<std::string> cameras = quickCameras();
	if (!options_.brief)
		cameras.push_back(slowCamera);
	for (const std::string &camera : cameras) {
		const unsigned which = unsigned(random_());
		memories("camera " + camera,
			 [&](MakeMemory make) { return cameraCaptures(camera, make, which); });
	}
	/* In brief, one that shows and one that copies. */
	const auto chosen = options_.brief ? std::vector<Line>{lines[0], lines[3]}
					   : std::vector<Line>(std::begin(lines), std::end(lines));
	for (const Line &line : chosen)
		memories(
			line.name,
			[&](MakeMemory make) { return pipelineShows(line.behind, make); },
			line.copies);
	claimsForTheScreen();
	for (const Line &line : chosen)
		claims(line);
	for (const Line &line : chosen)
		losses(line);
	lossesInPlay();
	return good_;
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Hands foreign and wrong dma-bufs to everything that takes one");
	Options options;
	app.add_option("--seed", options.seed, "what is drawn by lot")->capture_default_str();
	app.add_flag("--brief", options.brief, "the short form: fewer cases by lot");
	app.add_option("--only", options.only, "only rows whose name has this in it");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;

	std::printf("# seed %llu\n", static_cast<unsigned long long>(options.seed));
	std::fflush(stdout);
	preparePipelines();
	Campaign campaign(options);
	const bool good = campaign.run();
	if (!campaign.triedAny())
		return nothingFits("foreign-buffers", options.only, campaign.names());
	return good ? 0 : 1;
}
