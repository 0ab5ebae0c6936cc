/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A subclass of GstDmaBufAllocator, so that everything that imports dma-bufs (v4l2, kmssink,
 * wayland, va, gl) takes its memory: they all ask gst_is_dmabuf_memory().
 */
#include "gstheapallocatorprivate.h"

#include <cerrno>
#include <mutex>
#include <optional>

#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC(gst_heap_allocator_debug);
#define GST_CAT_DEFAULT gst_heap_allocator_debug

using heapflow::Access;
using heapflow::Buffer;
using heapflow::Error;
using heapflow::fail;
using heapflow::Heap;
using heapflow::HeapChoice;
using heapflow::HeapDevice;
using heapflow::Result;

namespace
{

/* What the allocator knows; all of it behind one mutex. */
struct Allocation {
	std::mutex mutex;
	HeapChoice choice;
	std::string name;
	std::optional<HeapDevice> device; /* the heap settled on */
	std::vector<Buffer> reserve;
	Error lastError;

	Result<std::vector<heapflow::HeapFallback>> take(size_t count, uint64_t size,
							 std::vector<Buffer> &into);
};

/* All from the heap settled on or, the first time, from the first match in which they fit. */
Result<std::vector<heapflow::HeapFallback>> Allocation::take(size_t count, uint64_t size,
							     std::vector<Buffer> &into)
{
	if (!device) {
		auto allocated = heapflow::allocateBuffers(choice, count, size, name);
		if (!allocated)
			return std::unexpected(allocated.error());
		auto opened = HeapDevice::open(allocated->heap);
		if (!opened)
			return std::unexpected(opened.error());
		device.emplace(std::move(*opened));
		for (Buffer &buffer : allocated->buffers)
			into.push_back(std::move(buffer));
		return allocated->fallbacks;
	}

	std::vector<Buffer> buffers;
	for (size_t i = 0; i < count; i++) {
		auto buffer = device->allocate(size, name);
		if (!buffer)
			return std::unexpected(buffer.error());
		buffers.push_back(std::move(*buffer));
	}
	for (Buffer &buffer : buffers)
		into.push_back(std::move(buffer));
	return std::vector<heapflow::HeapFallback>{};
}

Access accessFromFlags(GstMapFlags flags)
{
	if ((flags & GST_MAP_READWRITE) == GST_MAP_READWRITE)
		return Access::ReadWrite;
	return (flags & GST_MAP_WRITE) ? Access::Write : Access::Read;
}

} /* namespace */

struct _GstHeapAllocator {
	GstDmaBufAllocator parent;
	Allocation *allocation;
};

G_DEFINE_TYPE_WITH_CODE(GstHeapAllocator, gst_heap_allocator, GST_TYPE_DMABUF_ALLOCATOR,
			GST_DEBUG_CATEGORY_INIT(gst_heap_allocator_debug, "heapallocator", 0,
						"dma-buf heap allocator"))

/*
 * The sync bracket of GstDmaBufAllocator gives up on EINTR and EAGAIN, which the kernel asks user
 * space to restart; then the CPU reads stale lines. So both ends are ours (invariant 9), and what
 * the parent does between them, GstFdAllocator's mmap, stays.
 */
static gpointer gst_heap_allocator_map(GstMemory *memory, GstMapInfo *info, gsize maxsize)
{
	GstAllocator *allocator = memory->allocator;

	if (GST_MEMORY_FLAG_IS_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE)) {
		GST_WARNING_OBJECT(allocator, "protected memory is never mapped");
		return nullptr;
	}

	gpointer data = allocator->mem_map(memory, maxsize, info->flags);
	if (!data)
		return nullptr;

	auto begun =
		heapflow::syncBegin(gst_fd_memory_get_fd(memory), accessFromFlags(info->flags));
	if (!begun) {
		GST_ERROR_OBJECT(allocator, "%s", begun.error().text().c_str());
		allocator->mem_unmap(memory);
		return nullptr;
	}
	return data;
}

static void gst_heap_allocator_unmap(GstMemory *memory, GstMapInfo *info)
{
	auto ended = heapflow::syncEnd(gst_fd_memory_get_fd(memory), accessFromFlags(info->flags));
	if (!ended)
		GST_ERROR_OBJECT(memory->allocator, "%s", ended.error().text().c_str());
	memory->allocator->mem_unmap(memory);
}

/* GstAllocatorClass::alloc */
static GstMemory *gst_heap_allocator_alloc(GstAllocator *allocator, gsize size,
					   GstAllocationParams *params)
{
	GstHeapAllocator *self = GST_HEAP_ALLOCATOR(allocator);
	Allocation &allocation = *self->allocation;
	const gsize wanted = size + params->prefix + params->padding;

	/* Alignment is a mask. A mapping starts at a page and so cannot be aligned to more. */
	if (params->align >= gsize(sysconf(_SC_PAGESIZE))) {
		std::lock_guard lock(allocation.mutex);
		allocation.lastError =
			Error{EINVAL,
			      "an alignment of " + std::to_string(params->align + 1) +
				      " bytes is more than a page",
			      ""};
		GST_WARNING_OBJECT(self, "%s", allocation.lastError.text().c_str());
		return nullptr;
	}

	std::unique_lock lock(allocation.mutex);
	std::vector<Buffer> buffers;
	if (!allocation.reserve.empty() && allocation.reserve.back().size() >= wanted) {
		buffers.push_back(std::move(allocation.reserve.back()));
		allocation.reserve.pop_back();
	} else if (auto taken = allocation.take(1, wanted, buffers); !taken) {
		allocation.lastError = taken.error();
		GST_WARNING_OBJECT(self, "%s", allocation.lastError.text().c_str());
		return nullptr;
	}
	const Heap heap = allocation.device->heap();
	lock.unlock();

	Buffer &buffer = buffers.front();
	const gsize maxsize = buffer.size();
	GstMemory *memory = gst_heap_allocator_wrap(self, buffer.takeFd(), heap, maxsize, maxsize);
	memory->align = params->align;
	gst_memory_resize(memory, gssize(params->prefix), size);
	/* dma-heap.c: every heap returns zeroed memory. */
	GST_MINI_OBJECT_FLAG_SET(memory, params->flags & (GST_MEMORY_FLAG_ZERO_PREFIXED |
							  GST_MEMORY_FLAG_ZERO_PADDED));
	return memory;
}

static void gst_heap_allocator_finalize(GObject *object)
{
	GstHeapAllocator *self = GST_HEAP_ALLOCATOR(object);

	delete self->allocation;
	G_OBJECT_CLASS(gst_heap_allocator_parent_class)->finalize(object);
}

static void gst_heap_allocator_class_init(GstHeapAllocatorClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = gst_heap_allocator_finalize;
	GST_ALLOCATOR_CLASS(klass)->alloc = gst_heap_allocator_alloc;
}

static void gst_heap_allocator_init(GstHeapAllocator *self)
{
	GstAllocator *allocator = GST_ALLOCATOR_CAST(self);

	self->allocation = new Allocation;
	allocator->mem_map_full = gst_heap_allocator_map;
	allocator->mem_unmap_full = gst_heap_allocator_unmap;
	/* Invariant 12. GstFdAllocator sets CUSTOM_ALLOC, with which no pool may allocate from us.
	 */
	GST_OBJECT_FLAG_UNSET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
	GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_NO_COPY);
}

GstAllocator *gst_heap_allocator_new(HeapChoice choice, std::string name)
{
	auto *self = GST_HEAP_ALLOCATOR(g_object_new(GST_TYPE_HEAP_ALLOCATOR, nullptr));

	gst_object_ref_sink(self);
	self->allocation->choice = std::move(choice);
	self->allocation->name = std::move(name);
	return GST_ALLOCATOR_CAST(self);
}

Result<std::vector<heapflow::HeapFallback>> gst_heap_allocator_reserve(GstHeapAllocator *self,
								       size_t count, gsize size)
{
	std::lock_guard lock(self->allocation->mutex);

	self->allocation->reserve.clear();
	return self->allocation->take(count, size, self->allocation->reserve);
}

void gst_heap_allocator_drop_reserve(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	self->allocation->reserve.clear();
}

GstMemory *gst_heap_allocator_wrap(GstHeapAllocator *self, heapflow::UniqueFd fd, const Heap &heap,
				   gsize maxsize, gsize size)
{
	/*
	 * KEEP_MAPPED: an element that writes by CPU maps each buffer once, not once a frame
	 * (invariant 6). Nothing is mapped until somebody asks.
	 */
	GstMemory *memory = gst_dmabuf_allocator_alloc_with_flags(
		GST_ALLOCATOR_CAST(self), fd.release(), maxsize, GST_FD_MEMORY_FLAG_KEEP_MAPPED);

	gst_memory_resize(memory, 0, size);
	if (heap.region.contiguous)
		GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS);
	if (heap.name.isProtected)
		GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE);
	return memory;
}

std::string gst_heap_allocator_get_heap(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	return self->allocation->device ? self->allocation->device->heap().name.text : "";
}

Error gst_heap_allocator_get_last_error(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	return self->allocation->lastError;
}
