/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A name is `HEAD[@ADDRESS][-PROPERTY...]`. Properties also stand in front
 * (`protected,secure-video`, drivers/tee/tee_heap.c), and `_cc_shared` at the end (system_heap.c).
 */
#include "heapflow/heap/heap_name.h"

#include "heapflow/heap/known_heap_names.h"

#include <algorithm>
#include <charconv>

namespace heapflow
{

namespace
{

constexpr std::string_view kCcShared = "cc_shared";

/* Takes the properties out of a list of words; what is left is joined as it stood. */
std::string takeProperties(std::string_view text, HeapName &name)
{
	std::string rest;
	char separator = 0;

	while (!text.empty()) {
		const size_t end = std::min(text.find_first_of(",-"), text.size());
		const std::string_view word = text.substr(0, end);

		if (word == "contiguous") {
			name.contiguous = true;
		} else if (word == "protected") {
			name.isProtected = true;
		} else if (word == kCcShared) {
			name.ccShared = true;
		} else {
			if (separator && !rest.empty())
				rest += separator;
			rest += word;
		}
		separator = end < text.size() ? text[end] : '\0';
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return rest;
}

/* What vendors' kernels say of a heap beyond the convention: words between '-', '_' and ','. */
void readVendorWords(std::string_view text, HeapName &name)
{
	while (!text.empty()) {
		const size_t end = std::min(text.find_first_of(",-_@"), text.size());
		const std::string_view word = text.substr(0, end);
		if (word == "uncached")
			name.cached = false;
		else if (word == "cached")
			name.cached = true;
		else if (word == "dma32")
			name.addressLimit = uint64_t{1} << 32;
		text.remove_prefix(std::min(end + 1, text.size()));
	}
}

} /* namespace */

HeapName parseHeapName(std::string_view text)
{
	HeapName name;
	name.text = text;
	readVendorWords(text, name);

	/* These are names of their own, not a usage and properties. */
	if (const KnownHeapName *known = knownHeapName(text)) {
		name.contiguous = known->contiguous.value_or(false);
		name.cached = known->cached;
		name.isProtected = known->isProtected;
		name.ccShared = known->ccShared;
		name.addressLimit = known->addressLimit;
		/* The one convention of TEE heaps: a property, a comma, the usage. */
		if (known->origin == NameOrigin::Kernel && known->isProtected)
			name.usage = text.substr(text.find(',') + 1);
		return name;
	}
	if (isSystemHeapName(text)) {
		takeProperties(text, name);
		name.ccShared = name.ccShared || text.ends_with("_cc_shared");
		return name;
	}

	std::string_view head = text;
	const size_t at = text.find('@');
	if (at != std::string_view::npos) {
		const std::string_view tail = text.substr(at + 1);
		const char *const end = tail.data() + tail.size();
		uint64_t address = 0;
		const auto [stop, error] = std::from_chars(tail.data(), end, address, 16);

		/* An address is followed by nothing or by properties: `@42zz` is no address. */
		if (error == std::errc() && (stop == end || *stop == '-' || *stop == ',')) {
			name.unitAddress = address;
			takeProperties({stop, static_cast<size_t>(end - stop)}, name);
		}
		head = text.substr(0, at);
	}

	const std::string usage = takeProperties(head, name);
	if (usage != "memory")
		name.usage = usage;
	return name;
}

bool isSystemHeapName(std::string_view text)
{
	/* Vendor kernels have system-uncached, system-dma32, qcom,system. */
	if (text.starts_with("qcom,"))
		text.remove_prefix(5);
	if (!text.starts_with("system"))
		return false;
	return text.size() == 6 || text[6] == '-' || text[6] == '_';
}

const std::vector<std::string> &defaultRegionNames()
{
	/* Documentation/userspace-api/dma-buf-heaps.rst: the first since 6.17, the others before.
	 */
	static const std::vector<std::string> names{
		"default_cma_region",
		"reserved",
		"linux,cma",
		"default-pool",
	};
	return names;
}

bool isPlausibleHeapName(std::string_view text)
{
	if (text.empty() || text.size() > 63 || text == "." || text == "..")
		return false;
	return std::ranges::none_of(text, [](char character) {
		const auto byte = static_cast<unsigned char>(character);
		return character == '/' || byte < 0x20 || byte == 0x7f;
	});
}

} /* namespace heapflow */
