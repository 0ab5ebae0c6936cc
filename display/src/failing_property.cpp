/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "failing_property.h"

#include <algorithm>

namespace heapflow
{

namespace
{

template<typename Keep>
AtomicRequest subset(const AtomicRequest &request, Keep keep)
{
	AtomicRequest part;
	uint32_t object = 0;
	for (size_t i = 0; i < request.size(); i++) {
		if (!keep(i))
			continue;
		const AtomicRequest::Entry entry = request.entry(i);
		if (entry.object != object)
			part.object(object = entry.object);
		part.set(entry.property, entry.value);
	}
	return part;
}

} /* namespace */

std::optional<size_t> findFailingProperty(const AtomicRequest &request,
					  const std::function<int(const AtomicRequest &)> &test)
{
	const size_t size = request.size();
	if (!size || !test(request))
		return std::nullopt;
	for (size_t left = size; left-- > 0;) {
		const AtomicRequest rest = subset(request, [&](size_t i) { return i != left; });
		if (!rest.empty() && !test(rest))
			return left;
	}

	/* Passes: [0, good). Fails: [0, bad). */
	size_t good = 0, bad = size;
	while (bad - good > 1) {
		const size_t middle = good + (bad - good) / 2;
		const bool fails = test(subset(request, [&](size_t i) { return i < middle; }));
		(fails ? bad : good) = middle;
	}
	return bad - 1;
}

} /* namespace heapflow */
