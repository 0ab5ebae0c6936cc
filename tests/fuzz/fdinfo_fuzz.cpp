/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes in the place of /proc/PID/fdinfo and /proc/PID/maps: programs name buffers as they
 * like. */
#include "fuzz_target.h"

#include "heapflow/heap/buffer_holders.h"

using namespace heapflow;
using heapflow::test::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view text = heapflow::test::asText(data, size);
	if (const auto info = parseBufferInfo(text)) {
		promise(text.find("exp_name:") != text.npos, "only a dma-buf has an exporter");
		promise(text.find(info->exporter) != text.npos, "the exporter is in the text");
		promise(text.find(info->name) != text.npos, "the name is in the text");
	}
	for (const BufferMapping &mapping : parseBufferMappings(text)) {
		promise(mapping.begin < mapping.end, "a mapping has a size");
		promise(text.find(mapping.name) != text.npos, "its name is in the text");
	}
	return 0;
}
