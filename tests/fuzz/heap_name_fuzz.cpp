/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes can be the name of a node. */
#include "fuzz_target.h"

#include "heapflow/heap/heap_name.h"
#include "heapflow/heap/known_heap_names.h"

#include <algorithm>

using namespace heapflow;
using heapflow::test::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view text = heapflow::test::asText(data, size);
	const HeapName name = parseHeapName(text);

	promise(name.text == text, "the text is kept");
	promise(name.usage.size() <= text.size(), "the usage is a part of the name");
	promise(!name.unitAddress || text.find('@') != text.npos, "an address has its '@'");
	/* What a known name means need not stand in it. */
	const bool known = knownHeapName(text) != nullptr;
	promise(known || !name.isProtected || text.find("protected") != text.npos,
		"protected is in the name");
	promise(!name.ccShared || text.find("cc_shared") != text.npos, "cc_shared is in the name");
	const bool isDefault =
		std::ranges::find(defaultRegionNames(), text) != defaultRegionNames().end();
	promise(known || !name.contiguous || text.find("contiguous") != text.npos,
		"contiguous is in the name");
	promise(!(isDefault && isSystemHeapName(text)), "system is not the default region");

	if (isPlausibleHeapName(text)) {
		promise(!text.empty() && text.size() <= 63, "a plausible name fits the kernel");
		promise(text.find('/') == text.npos && text.find('\0') == text.npos,
			"a plausible name is a file name");
	}
	return 0;
}
