/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layer_frames.h"

namespace heapflow
{

uint64_t LayerFrames::offer(const LayerFrame &frame)
{
	const uint64_t replaced = waiting_ ? waiting_->cookie : 0;
	waiting_ = frame;
	/* The same cookie again is the same loan. */
	return replaced == frame.cookie ? 0 : replaced;
}

void LayerFrames::commit()
{
	pending_ = waiting_;
	waiting_.reset();
}

uint64_t LayerFrames::refuse()
{
	const uint64_t cookie = waiting_ ? waiting_->cookie : 0;
	waiting_.reset();
	/* Shown once more, and so still lent. */
	const bool lent =
		(shown_ && shown_->cookie == cookie) || (pending_ && pending_->cookie == cookie);
	return lent ? 0 : cookie;
}

uint64_t LayerFrames::flipped()
{
	if (!pending_)
		return 0;
	/* The same cookie again is the same loan: it ends when another frame replaces it. */
	const uint64_t released = shown_ && shown_->cookie != pending_->cookie ? shown_->cookie : 0;
	shown_ = pending_;
	pending_.reset();
	return released;
}

void LayerFrames::clear()
{
	shown_.reset();
	pending_.reset();
	waiting_.reset();
}

bool LayerFrames::uses(uint32_t framebuffer) const
{
	const auto is = [&](const std::optional<LayerFrame> &frame) {
		return frame && frame->framebuffer == framebuffer;
	};
	return is(shown_) || is(pending_) || is(waiting_);
}

uint64_t LayerFrames::nextReleased() const
{
	return shown_ && waiting_ && shown_->cookie != waiting_->cookie ? shown_->cookie : 0;
}

} /* namespace heapflow */
