/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Camera and screen are unplugged at random moments, both at once too, while elements or the
 * libraries play, and plugged in again. Runs on the board, in simulated time; vimc in real time,
 * because simulated time stands still for ever when libcamera's camera goes.
 */
#include "board_rest.h"
#include "command_line.h"
#include "fault_rows.h"
#include "random_draw.h"
#include "unplug_players.h"
#include "unplug_vimc.h"
#include "usable_screen.h"

#include "vivid.h"
#include "vkms_device.h"

#include <CLI/CLI.hpp>
#include <gst/gst.h>

#include <cstdio>
#include <cstdlib>
#include <format>
#include <fstream>
#include <optional>
#include <regex>
#include <thread>

using namespace heapflow;
using namespace heapflow::torture;
using namespace std::chrono_literals;

namespace
{

constexpr auto bounded = 10s;
constexpr const char *heaps[] = {"video@42000000", "system", "memory@48000000-contiguous"};

enum class CameraFault { None, Disconnected, Unbound };
enum class ScreenFault { None, Unplugged, Removed };

struct Kind {
	const char *name;
	CameraFault camera;
	ScreenFault screen;
	unsigned weight;
};
constexpr Kind kinds[] = {
	{"camera disconnected", CameraFault::Disconnected, ScreenFault::None, 4},
	{"camera unbound", CameraFault::Unbound, ScreenFault::None, 4},
	{"screen unplugged", CameraFault::None, ScreenFault::Unplugged, 6},
	{"display removed", CameraFault::None, ScreenFault::Removed, 2},
	{"camera disconnected, screen unplugged", CameraFault::Disconnected, ScreenFault::Unplugged,
	 4},
	{"camera unbound, screen unplugged", CameraFault::Unbound, ScreenFault::Unplugged, 4},
	{"camera unbound, display removed", CameraFault::Unbound, ScreenFault::Removed, 1},
};

void bindVivid(const char *how)
{
	std::ofstream("/sys/bus/platform/drivers/vivid/" + std::string(how))
		<< "vivid.0" << std::flush;
}

class Attempt
{
public:
	Attempt(const Kind &kind, RandomDraw &random, std::unique_ptr<test::VkmsDevice> &display)
		: kind_(kind),
		  display_(display),
		  library_(random.oneIn(2)),
		  options_{.display = display->node(),
			   .heap = heaps[random.below(std::ssize(heaps))],
			   .waitsForCamera = !library_ && random.oneIn(2),
			   .waitsForScreen = random.oneIn(2)},
		  cameraFirst_(random.oneIn(2)),
		  playing_(!random.oneIn(3)),
		  when_(random.within(playing_ ? 200ms : 60ms)),
		  away_(random.within(700ms))
	{
	}

	/* Empty: survived. */
	std::string run();
	std::string text() const;
	const std::string &saw() const { return saw_; }
	const char *player() const { return library_ ? "libraries" : "pipeline"; }

private:
	void pullCamera() const;
	void pullOut() const;
	void plugIn() const;
	std::string judge(Player &player);
	std::string judgeEnd(Player &player);
	std::unique_ptr<Player> play(const PlayerOptions &options) const
	{
		return library_ ? playLibraries(options) : playPipeline(options);
	}

	const Kind &kind_;
	std::unique_ptr<test::VkmsDevice> &display_;
	const bool library_;
	const PlayerOptions options_;
	const bool cameraFirst_, playing_;
	const std::chrono::microseconds when_, away_;
	std::string saw_ = "nothing";
};

std::string Attempt::text() const
{
	return std::format("{}, {} of {}{}{}, {} us after {}, for {} us{}", kind_.name, player(),
			   options_.heap, options_.waitsForCamera ? ", waits for the camera" : "",
			   options_.waitsForScreen ? ", waits for the screen" : "", when_.count(),
			   playing_ ? "the first frames" : "the start", away_.count(),
			   cameraFirst_ ? ", the camera first" : "");
}

void Attempt::pullCamera() const
{
	if (kind_.camera == CameraFault::Disconnected)
		test::setControl(test::vividNode(), "Disconnect", 1);
	else if (kind_.camera == CameraFault::Unbound)
		bindVivid("unbind");
}

void Attempt::pullOut() const
{
	if (cameraFirst_)
		pullCamera();
	if (kind_.screen == ScreenFault::Unplugged)
		display_->unplug();
	else if (kind_.screen == ScreenFault::Removed)
		display_->remove();
	if (!cameraFirst_)
		pullCamera();
}

/* vivid's own "Disconnect" ends when nobody has its nodes open any more. */
void Attempt::plugIn() const
{
	if (kind_.camera == CameraFault::Unbound)
		bindVivid("bind");
	if (kind_.screen == ScreenFault::Unplugged)
		display_->plug();
}

/* Without the place in the source, and without numbers that differ from one time to the next. */
std::string shortened(const std::string &error)
{
	static const std::regex rest(" \\.\\./.*|[\n].*|\\. .*"),
		node("/dev/(video|dri/card)[0-9]+");
	return std::regex_replace(std::regex_replace(error, rest, ""), node, "/dev/$1N");
}

std::string Attempt::judgeEnd(Player &player)
{
	const auto error = player.waitError(bounded);
	if (!error)
		return "no error although what it plays with is gone";
	saw_ = shortened(*error);
	for (const char *word : {"is gone", "there is no camera", "ENODEV", "removed",
				 "no connector has a screen", "ENOTCONN", "there is no display"})
		if (error->contains(word))
			return {};
	return "an error that does not say what is gone: " + *error;
}

std::string Attempt::judge(Player &player)
{
	const bool cameraEnds = kind_.camera != CameraFault::None && !options_.waitsForCamera;
	if (cameraEnds || kind_.screen == ScreenFault::Removed)
		return judgeEnd(player);
	/* All that went comes back, and so do the frames. */
	const uint64_t before = player.shown();
	if (player.waitShown(before + 5, bounded)) {
		saw_ = "the picture comes back";
		return {};
	}
	/* One that does not wait may have been started just without its screen. */
	if (!playing_ && !options_.waitsForScreen && kind_.screen != ScreenFault::None &&
	    player.error())
		return judgeEnd(player);
	return "no frames after it was plugged in again: " + player.error().value_or("no error");
}

std::string Attempt::run()
{
	std::string broken;
	{
		const auto player = play(options_);
		if (playing_ && !player->waitShown(2, bounded))
			return "does not play: " + player->error().value_or("no error");
		std::this_thread::sleep_for(when_);
		pullOut();
		std::this_thread::sleep_for(away_);
		plugIn();
		broken = judge(*player);
		player->stop();
	}
	if (kind_.screen == ScreenFault::Removed) {
		display_.reset();
		display_ =
			std::make_unique<test::VkmsDevice>(test::VkmsDescription{.overlay = true});
	}
	return broken;
}

void prepare()
{
	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	g_log_set_always_fatal(GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
	gst_init(nullptr, nullptr);
}

bool run(uint64_t seed, unsigned count, unsigned first, bool verbose)
{
	RandomDraw random(seed);
	FaultRows rows;
	auto display = std::make_unique<test::VkmsDevice>(test::VkmsDescription{.overlay = true});
	std::optional<BoardRest> rest;
	for (unsigned i = 0; i < count; i++) {
		const uint64_t own = uint64_t(random.below(int64_t(1) << 62));
		if (i < first)
			continue;
		RandomDraw lot(own);
		const Kind &kind = lot.weighted(kinds);
		Attempt attempt(kind, lot, display);
		if (verbose)
			std::fprintf(stderr, "number %u: %s\n", i, attempt.text().c_str());
		std::string broken = attempt.run();
		/* What a process makes once is there after the first. */
		if (!rest)
			rest = BoardRest::settled();
		if (broken.empty())
			broken = rest->lost();
		if (broken.empty())
			if (const auto usable = lightAndFlip(display->node()); !usable)
				broken = "the screen is not usable: " + usable.error().text();
		rows.add(std::format("{}: {}", kind.name, attempt.player()), attempt.saw(),
			 broken.empty()
				 ? ""
				 : std::format("number {}: {}: {}", i, attempt.text(), broken));
		if ((i + 1) % 50 == 0)
			std::printf("# %u of %u\n", i + 1, count);
		std::fflush(stdout);
	}
	if (const auto player = playLibraries({.display = display->node(), .heap = heaps[0]});
	    !player->waitShown(5, bounded))
		rows.add("played anew after all", player->error().value_or("no error"),
			 "no frames are shown");
	return rows.print();
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Unplugs camera and screen at random moments");
	uint64_t seed = 1;
	unsigned count = 500, first = 0;
	unsigned vimc = 0;
	bool verbose = false;
	app.add_option("--seed", seed, "of the lot")->capture_default_str();
	app.add_option("--count", count, "times to unplug vivid or a screen")
		->capture_default_str()
		->check(oneOrMore);
	app.add_option("--from", first, "leave out those before this number")
		->capture_default_str();
	app.add_option("--vimc", vimc, "unplug vimc instead, so many times; not in simulated time")
		->check(oneOrMore);
	app.add_flag("--verbose", verbose, "say on stderr what comes next");
	if (const auto status = parseCommandLine(app, argc, argv))
		return *status;
	if (first >= count) {
		std::fprintf(stderr, "torture-unplug: --from %u leaves none of %u\n", first, count);
		return badUsage;
	}
	std::printf("# seed %llu\n", static_cast<unsigned long long>(seed));
	if (vimc) {
		RandomDraw random(seed);
		FaultRows rows;
		unplugVimc(random, vimc, rows);
		return rows.print() ? 0 : 1;
	}
	prepare();
	return run(seed, count, first, verbose) ? 0 : 1;
}
