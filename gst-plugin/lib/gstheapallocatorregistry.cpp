/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One shared allocator for each region, in GStreamer's registry under every name of the region. */
#include "gstheapallocatorprivate.h"

#include "gstheaperror.h"

#include <algorithm>
#include <map>
#include <mutex>

using heapflow::Heap;
using heapflow::HeapCandidate;
using heapflow::HeapChoice;

namespace
{

/* As in `heap:video@42000000`, like GStreamer's own names: lower case, unlike any mem_type. */
constexpr const char *namePrefix = "heap:";

struct Registry {
	std::mutex mutex;
	std::map<std::string, GstAllocator *> byRegion; /* a reference to each */

	GstAllocator *find(const HeapCandidate &candidate, const std::vector<Heap> &heaps);
};

/* Lives as long as GStreamer's own registry, which has no way to take a name out. */
Registry &registry()
{
	static auto *registry = new Registry;
	return *registry;
}

/* A heap that could not be examined is a region of its own. */
std::string regionOf(const Heap &heap)
{
	return heap.region.id.empty() ? heap.node.string() : heap.region.id;
}

/* What the buffers are called in /proc/PID/fdinfo: nobody else knows whose they are. */
std::string programName()
{
	const char *program = g_get_prgname();
	return program ? program : "gstheap";
}

GstAllocator *makeShared(const HeapCandidate &candidate)
{
	HeapChoice choice;
	choice.candidates.push_back(candidate);
	GstAllocator *allocator = gst_heap_allocator_new(std::move(choice), programName());

	gst_heap_allocator_settle(GST_HEAP_ALLOCATOR(allocator));
	gst_object_set_name(GST_OBJECT_CAST(allocator),
			    (namePrefix + candidate.heap.name.text).c_str());
	return allocator;
}

/* The allocator of a heap's region; under its own name and those of its twins from now on. */
GstAllocator *Registry::find(const HeapCandidate &candidate, const std::vector<Heap> &heaps)
{
	std::lock_guard lock(mutex);
	GstAllocator *&allocator = byRegion[regionOf(candidate.heap)];

	if (!allocator)
		allocator = makeShared(candidate);
	for (const Heap &heap : heaps) {
		if (regionOf(heap) != regionOf(candidate.heap))
			continue;
		const std::string name = namePrefix + heap.name.text;
		GstAllocator *known = gst_allocator_find(name.c_str());
		/* Before 1.26 the registry keeps the string that it is given. */
		if (!known)
			gst_allocator_register(g_intern_string(name.c_str()),
					       GST_ALLOCATOR(gst_object_ref(allocator)));
		gst_clear_object(&known);
	}
	return allocator;
}

std::vector<Heap> heapsOf(const HeapChoice &choice)
{
	std::vector<Heap> heaps;
	for (const HeapCandidate &candidate : choice.candidates)
		heaps.push_back(candidate.heap);
	return heaps;
}

} /* namespace */

GstAllocator *gst_heap_allocator_get(const gchar *expression, GError **error)
{
	g_return_val_if_fail(expression, nullptr);
	g_return_val_if_fail(!error || !*error, nullptr);

	const auto choice = heapflow::chooseHeap(expression);
	if (!choice) {
		heapflow::gst::setError(error, choice.error());
		return nullptr;
	}
	return GST_ALLOCATOR(gst_object_ref(registry().find(choice->taken(), heapsOf(*choice))));
}

gchar **gst_heap_allocator_register_all(GError **error)
{
	g_return_val_if_fail(!error || !*error, nullptr);

	const auto heaps = heapflow::listHeaps();
	if (!heaps) {
		heapflow::gst::setError(error, heaps.error());
		return nullptr;
	}
	GStrvBuilder *names = g_strv_builder_new();
	for (const Heap &heap : *heaps) {
		/* A heap that may not be opened has an allocator all the same: it says why. */
		registry().find(HeapCandidate{.heap = heap, .matches = true}, *heaps);
		g_strv_builder_add(names, (namePrefix + heap.name.text).c_str());
	}
	gchar **all = g_strv_builder_end(names);
	g_strv_builder_unref(names);
	return all;
}
