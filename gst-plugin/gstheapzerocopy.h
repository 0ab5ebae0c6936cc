/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The property require-zero-copy of our elements: no CPU between camera and screen. */
#pragma once

#include "tracer/frame_watch.h"
#include "tracer/pipeline_path.h"

#include <memory>
#include <string>

namespace heapflow::gst
{

/**
 * \brief Holds the pipeline around an element to its promise
 *
 * Required, the first map or copy of a frame by the CPU, in any element on the way between camera
 * and screen, is an error of the owner that names that element, the reason and the way out. Not
 * required, nothing is watched; but if somebody else has the watch running (GST_TRACERS=heapflow),
 * the first copy in each of these elements is said once, as message `heapflow-copy` and as a
 * warning.
 *
 * A source that draws its frames by CPU is where they begin, and not between.
 *
 * Threads: any.
 */
class ZeroCopyContract
{
public:
	/** \param[in] owner Has this for a part, up to its finalisation */
	ZeroCopyContract(GstElement *owner, ContractScope scope);
	~ZeroCopyContract();

	ZeroCopyContract(const ZeroCopyContract &) = delete;
	ZeroCopyContract &operator=(const ZeroCopyContract &) = delete;

	void require(bool required);
	bool isRequired() const;
	/** \brief The error was posted: the owner is to end the stream */
	bool isBroken() const;
	/** \brief A new run begins */
	void restart();

private:
	class Watcher;
	/* May outlive us by a call that another thread is at. */
	std::shared_ptr<Watcher> watcher_;
};

/** \brief What the CPU did, as "videoconvert0 copies frames in …": for messages */
std::string touchText(const ElementTouch &touch);

/** \brief Installs the property `require-zero-copy` */
void installRequireZeroCopy(GObjectClass *object, guint id);

} /* namespace heapflow::gst */
