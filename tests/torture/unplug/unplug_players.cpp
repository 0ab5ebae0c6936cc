/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unplug_players.h"

#include "camera_to_screen.h"
#include "pipeline.h"

#include <format>
#include <thread>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr auto look = 5ms;

class PipelinePlayer : public Player
{
public:
	explicit PipelinePlayer(const PlayerOptions &options)
		: pipeline_(std::format(
			  "heapcamerasrc name=source camera-name=vivid heap={} wait-for-camera={} "
			  "! video/x-raw,width=320,height=180,framerate=60/1 "
			  "! heapkmssink name=sink sync=false device={} wait-for-connector={}",
			  options.heap, options.waitsForCamera, options.display,
			  options.waitsForScreen))
	{
		pipeline_.setState(GST_STATE_PLAYING);
	}

	uint64_t shown() override { return uint64_t(pipeline_.stat("shown")); }
	std::optional<std::string> error() override
	{
		pipeline_.readMessages();
		if (pipeline_.errors().empty())
			return std::nullopt;
		const test::Posted &first = pipeline_.errors().front();
		return first.message + " " + first.debug;
	}
	void stop() override { pipeline_.setState(GST_STATE_NULL); }

private:
	test::Pipeline pipeline_;
};

class LibraryPlayer : public Player
{
public:
	explicit LibraryPlayer(const PlayerOptions &options)
		: session_({.heap = options.heap,
			    .camera = "vivid",
			    .device = options.display,
			    .waitForScreen = options.waitsForScreen,
			    .width = 320,
			    .height = 180,
			    .rate = {60, 1},
			    .frames = 0}),
		  thread_([this] { run(); })
	{
	}
	~LibraryPlayer() override { LibraryPlayer::stop(); }

	uint64_t shown() override { return session_.shown(); }
	std::optional<std::string> error() override
	{
		const std::scoped_lock lock(mutex_);
		return error_;
	}
	void stop() override
	{
		session_.cancel();
		if (thread_.joinable())
			thread_.join();
	}

private:
	void run();
	/* Only the first is told: what comes after it is its consequence. */
	bool keep(const Result<void> &result)
	{
		const std::scoped_lock lock(mutex_);
		if (!result && !error_)
			error_ = result.error().text();
		return result.has_value();
	}

	std::mutex mutex_;
	std::optional<std::string> error_;
	CameraToScreen session_;
	std::thread thread_;
};

void LibraryPlayer::run()
{
	if (keep(session_.start()))
		keep(session_.play());
	keep(session_.stop());
	keep(session_.close());
}

} /* namespace */

bool Player::waitShown(uint64_t count, std::chrono::milliseconds timeout)
{
	for (auto waited = 0ms; waited < timeout; waited += look) {
		if (shown() >= count)
			return true;
		if (error())
			return false;
		std::this_thread::sleep_for(look);
	}
	return false;
}

std::optional<std::string> Player::waitError(std::chrono::milliseconds timeout)
{
	for (auto waited = 0ms; waited < timeout && !error(); waited += look)
		std::this_thread::sleep_for(look);
	return error();
}

std::unique_ptr<Player> playPipeline(const PlayerOptions &options)
{
	return std::make_unique<PipelinePlayer>(options);
}

std::unique_ptr<Player> playLibraries(const PlayerOptions &options)
{
	return std::make_unique<LibraryPlayer>(options);
}

} /* namespace heapflow::torture */
