/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gst_memory_map() calls mem_map_full if the allocator has it, else mem_map (gstmemory.c).
 * GstDmaBufAllocator has both: its mem_map_full calls the mem_map that it inherits. So only the
 * first of the two is replaced, and no map is seen twice. A subclass that calls the function of its
 * parent, which it kept, goes past us, but came through us before.
 *
 * A memory may be a wrapper: kmssink's KMSMemory maps the dumb buffer that it is made of
 * (gst_kms_allocator). One access is one map, of the memory that is the frame's.
 *
 * The fall-back of mem_copy maps both memories, system memory's copies without a map. What is
 * mapped for a copy is part of the copy.
 */
#include "memory_watch.h"

#include <atomic>
#include <format>
#include <fstream>
#include <mutex>

#include <unistd.h>

#include <gst/allocators/gstdmabuf.h>
#include <gst/allocators/gstfdmemory.h>

namespace heapflow::gst
{

namespace
{

/* The functions of an allocator as they were; freed with it. */
struct Originals {
	GstMemoryMapFunction map;
	GstMemoryMapFullFunction mapFull;
	GstMemoryCopyFunction copy;
	MemoryListener *listener;
};

/* Depth of gst_memory_copy() and of gst_memory_map() in this thread. */
thread_local unsigned copying = 0;
thread_local unsigned mapping = 0;

GQuark originalsQuark()
{
	static const GQuark quark = g_quark_from_static_string("heapflow-allocator-originals");
	return quark;
}

const Originals &originalsOf(GstMemory *memory)
{
	return *static_cast<Originals *>(
		g_object_get_qdata(G_OBJECT(memory->allocator), originalsQuark()));
}

void tell(const Originals &originals, GstMemory *memory, GstMapFlags flags, gpointer data)
{
	if (data && !copying && !mapping && isCpuMap(flags))
		originals.listener->memoryMapped(memory, flags);
}

gpointer watchedMap(GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
	const Originals &originals = originalsOf(memory);
	mapping++;
	const gpointer data = originals.map(memory, maxsize, flags);
	mapping--;

	tell(originals, memory, flags, data);
	return data;
}

gpointer watchedMapFull(GstMemory *memory, GstMapInfo *info, gsize maxsize)
{
	const Originals &originals = originalsOf(memory);
	mapping++;
	const gpointer data = originals.mapFull(memory, info, maxsize);
	mapping--;

	tell(originals, memory, info->flags, data);
	return data;
}

GstMemory *watchedCopy(GstMemory *memory, gssize offset, gssize size)
{
	const Originals &originals = originalsOf(memory);
	copying++;
	GstMemory *copy = originals.copy(memory, offset, size);

	copying--;
	if (copy && !copying)
		originals.listener->memoryCopied(memory, copy);
	return copy;
}

/* Other threads may be reading the pointer. */
template<typename Function>
void replace(Function &pointer, Function with)
{
	std::atomic_ref<Function>(pointer).store(with, std::memory_order_release);
}

/* "exp_name" in fdinfo: of a heap's buffer its node, else the driver. */
std::string exporterOf(int descriptor)
{
	std::ifstream info(std::format("/proc/self/fdinfo/{}", descriptor));
	for (std::string key, value; info >> key >> value;)
		if (key == "exp_name:")
			return value;
	return "";
}

} /* namespace */

bool isCpuMap(GstMapFlags flags)
{
	/* GST_MAP_GL, GST_MAP_CUDA, GST_MAP_VA and all others of their kind are this bit. */
	return (guint(flags) & (guint(GST_MAP_FLAG_LAST) << 1)) == 0;
}

void watchAllocator(GstAllocator *allocator, MemoryListener &listener)
{
	static std::mutex mutex;

	if (g_object_get_qdata(G_OBJECT(allocator), originalsQuark()))
		return;
	std::lock_guard lock(mutex);
	if (g_object_get_qdata(G_OBJECT(allocator), originalsQuark()))
		return;
	/* Memory that nobody can map has no functions, or is not set up yet. */
	if (!allocator->mem_map && !allocator->mem_map_full)
		return;
	auto *originals = new Originals{allocator->mem_map, allocator->mem_map_full,
					allocator->mem_copy, &listener};
	g_object_set_qdata_full(G_OBJECT(allocator), originalsQuark(), originals,
				[](gpointer data) { delete static_cast<Originals *>(data); });
	if (originals->mapFull)
		replace(allocator->mem_map_full, &watchedMapFull);
	else
		replace(allocator->mem_map, &watchedMap);
	if (originals->copy)
		replace(allocator->mem_copy, &watchedCopy);
}

GstMemory *rootMemory(GstMemory *memory)
{
	while (memory->parent)
		memory = memory->parent;
	return memory;
}

std::string memoryKind(GstMemory *memory)
{
	if (gst_is_dmabuf_memory(memory) || gst_is_fd_memory(memory)) {
		const std::string exporter = exporterOf(gst_fd_memory_get_fd(memory));
		if (exporter.empty())
			return "memory file";
		if (access(("/dev/dma_heap/" + exporter).c_str(), F_OK) == 0)
			return "heap " + exporter;
		return "dma-buf of " + exporter;
	}
	const char *type = memory->allocator ? memory->allocator->mem_type : nullptr;
	if (!type)
		return "unknown memory";
	if (g_strcmp0(type, GST_ALLOCATOR_SYSMEM) == 0)
		return "system memory";
	return type;
}

} /* namespace heapflow::gst */
