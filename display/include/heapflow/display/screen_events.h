/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a Screen tells while it shows frames, and what it counts. */
#pragma once

#include "heapflow/heap/error.h"

#include <array>
#include <cstdint>
#include <string>

namespace heapflow
{

/** \brief A frame reached the screen, or will never do so */
struct FlipEvent {
	/** Of the frame shown, as given to show(); 0: none was, `released` was dropped unseen */
	uint64_t cookie = 0;
	/** Cookie of the frame that may be reused; 0: none, or the same again */
	uint64_t released = 0;
	/** Vblank counter; 0 in the first event after a modeset on some drivers */
	uint64_t sequence = 0;
	int64_t timestamp = 0; /**< ns, CLOCK_MONOTONIC, as the driver says; 0 like sequence */
	int64_t arrival = 0;   /**< ns, CLOCK_MONOTONIC, when the event was read */
};

/** \brief Something happened to the screen that its user should know; no error by itself */
struct ScreenNotice {
	enum class Kind {
		Unplugged,   /**< frames are taken and dropped until it is plugged in again */
		Plugged,     /**< the mode will be set again with the next frame */
		MasterLost,  /**< another program has the display; frames are dropped */
		MasterBack,  /**< and now we have it again */
		FlipOverdue, /**< a commit was accepted and its flip does not come */
		Refused,     /**< a commit was refused and the frame dropped: `error` */
		DeviceGone,  /**< for good: show() fails from now on */
	};

	Kind kind = Kind::Refused;
	std::string text; /**< a sentence */
	Error error;      /**< of Refused and DeviceGone */
};

/** \brief "unplugged", "master-lost": names of the kinds, for messages that programs read */
const char *noticeName(ScreenNotice::Kind kind);

/**
 * \brief How often a time fell where, in steps of a factor of two
 *
 * Bucket 0 counts below 1 ms, bucket N from 2^(N-1) ms up to 2^N ms, the last one all above.
 */
struct Histogram {
	static constexpr size_t bucketCount = 14;

	std::array<uint64_t, bucketCount> buckets = {};

	void add(int64_t nanoseconds);
	uint64_t total() const;
};

/** \brief Counts since open(), of one layer where not said otherwise */
struct ScreenStatistics {
	uint64_t shown = 0;    /**< flips to a frame that was given to show() */
	uint64_t dropped = 0;  /**< frames that never reached the screen, for any reason */
	uint64_t replaced = 0; /**< of these: a newer frame came before the vblank */
	uint64_t dark = 0;     /**< of these: no screen, or another program's */
	uint64_t refused = 0;  /**< of these: the driver refused the commit */
	uint64_t late = 0;     /**< shown more than one and a half periods after they were due */
	uint64_t repeated = 0; /**< vblanks that showed the frame of the one before */

	/* Of the whole CRTC. */
	uint64_t commits = 0;
	uint64_t testCommits = 0;
	uint64_t busy = 0;        /**< EBUSY: another commit was not over; tried again */
	uint64_t interrupted = 0; /**< EINTR and EAGAIN; tried again */
	uint64_t noSpace = 0;     /**< ENOSPC: no bandwidth; another arrangement was tried */
	uint64_t overdue = 0;     /**< flips that did not come in time */

	int64_t commitTimeTotal = 0;   /**< ns spent in commits, of the CRTC */
	int64_t commitTimeMaximum = 0; /**< ns, the longest */
	Histogram latency;             /**< from capture to scan-out; frames that say when */
};

} /* namespace heapflow */
