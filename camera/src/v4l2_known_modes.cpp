/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_known_modes.h"

#include "request_fixation.h"

#include <algorithm>
#include <iterator>

namespace heapflow
{

Result<void> V4l2KnownModes::learn(const V4l2Node &node, std::span<const uint32_t> formats)
{
	const auto unknown = [&](uint32_t fourcc) {
		return !formats_.contains(fourcc);
	};
	if (all_ || (!formats.empty() && std::ranges::none_of(formats, unknown)))
		return {};
	std::vector<uint32_t> order; /* of the node */
	auto more = enumerateModes(node, [&](uint32_t fourcc) {
		order.push_back(fourcc);
		return unknown(fourcc) &&
		       (formats.empty() || std::ranges::contains(formats, fourcc));
	});
	if (!more)
		return std::unexpected(more.error());
	std::ranges::move(*more, std::back_inserter(modes_));
	/* The same whatever was asked for first. */
	std::ranges::stable_sort(modes_, {}, [&](const CaptureMode &mode) {
		return std::ranges::find(order, mode.fourcc) - order.begin();
	});
	sortByPreference(modes_, 0);
	/* A node without any format is asked again: it may have none before it is locked to a
	 * signal. */
	if (order.empty())
		return {};
	formats_.insert(formats.begin(), formats.end());
	all_ = formats.empty();
	return {};
}

Result<std::vector<CaptureMode>> V4l2KnownModes::list(const V4l2Node &node,
						      std::span<const uint32_t> formats)
{
	std::lock_guard lock(mutex_);
	if (const V4l2Source source = currentSource(node);
	    source != source_ || node.identity().needsPipelineSetUp()) {
		source_ = source;
		all_ = false;
		formats_.clear();
		modes_.clear();
	}
	if (auto learnt = learn(node, formats); !learnt)
		return std::unexpected(learnt.error());
	if (formats.empty())
		return modes_;
	std::vector<CaptureMode> some;
	std::ranges::copy_if(modes_, std::back_inserter(some), [&](const CaptureMode &mode) {
		return std::ranges::contains(formats, mode.fourcc);
	});
	return some;
}

} /* namespace heapflow */
