/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the watch keeps with pads and threads. */
#pragma once

#include "frame_watch.h"

#include <optional>
#include <vector>

namespace heapflow::gst
{

/* What is kept with a pad, and dies with it. */
struct FrameWatch::PadFacts {
	PadId id = 0; /* 0: of a bin; frames only pass */
	ElementId element = 0;
	GstCaps *caps = nullptr;

	~PadFacts() { gst_clear_caps(&caps); }
};

/* A call of an element's chain function, or one of its pulling. */
struct FrameWatch::Activation {
	GstPad *pad;
	ElementId element;
	PadId sink;
	int64_t began;
	PadId sourceBefore;    /* of the frame that is on its way outside */
	int64_t elsewhere = 0; /* ns in elements after it */
	int64_t pushed = 0;
	std::optional<int64_t> born = {}; /* of the frame; none: it does not count */
};

struct FrameWatch::Thread {
	std::vector<Activation> stack;
	std::vector<size_t> depths; /* of the stack, at each push that is going on */
	ElementId home = 0;         /* the element whose task this is */
	PadId source = 0;           /* where the frame on its way was pushed */
	std::vector<Touch> touches; /* to be delivered at the next hook in this thread */

	ElementId runs() const { return stack.empty() ? home : stack.back().element; }
};

} /* namespace heapflow::gst */
