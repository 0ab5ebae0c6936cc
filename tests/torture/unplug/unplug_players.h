/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vivid on a screen, by elements and by the libraries, while either is unplugged. */
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace heapflow::torture
{

/** \brief A player from its construction until stop() */
class Player
{
public:
	virtual ~Player() = default;

	/** \brief Frames that were on the screen so far */
	virtual uint64_t shown() = 0;
	/** \brief The first error it told of, until now */
	virtual std::optional<std::string> error() = 0;
	/** \brief Ends it; false when it hangs, which ends the program, too */
	virtual void stop() = 0;

	/** \brief Wait until so many frames more were shown than `before`; false after an error */
	bool waitShown(uint64_t count, std::chrono::milliseconds timeout);
	/** \brief Wait for its first error */
	std::optional<std::string> waitError(std::chrono::milliseconds timeout);
};

struct PlayerOptions {
	std::string display; /**< node */
	std::string heap;
	bool waitsForCamera = false; /**< of pipelines only */
	bool waitsForScreen = false;
};

/** \brief heapcamerasrc ! heapkmssink */
std::unique_ptr<Player> playPipeline(const PlayerOptions &options);
/** \brief An application with heapflow-camera and heapflow-display */
std::unique_ptr<Player> playLibraries(const PlayerOptions &options);

} /* namespace heapflow::torture */
