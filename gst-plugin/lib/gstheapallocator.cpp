/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A subclass of GstDmaBufAllocator, so that everything that imports dma-bufs (v4l2, kmssink,
 * wayland, va, gl) takes its memory: they all ask gst_is_dmabuf_memory().
 */
#include "gstheapallocatorprivate.h"

#include "gstheaperror.h"
#include "gstheapframeoriginprivate.h"

#include <cerrno>
#include <mutex>
#include <optional>

#include <pthread.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC(gst_heap_allocator_debug);
#define GST_CAT_DEFAULT gst_heap_allocator_debug

using heapflow::Access;
using heapflow::AllocatedBuffers;
using heapflow::Buffer;
using heapflow::Error;
using heapflow::fail;
using heapflow::Heap;
using heapflow::HeapChoice;
using heapflow::HeapDevice;
using heapflow::Result;

namespace
{

/* What the allocator knows; all of it but the weak reference behind one mutex. */
struct Allocation {
	GWeakRef element; /* whom to tell */
	std::mutex mutex;
	HeapChoice choice;
	std::string name;
	std::optional<Heap> heap;         /* the one settled on */
	std::optional<HeapDevice> device; /* the same, open */
	Error lastError;

	Allocation() { g_weak_ref_init(&element, nullptr); }
	~Allocation() { g_weak_ref_clear(&element); }
	Allocation(const Allocation &) = delete;
	Allocation &operator=(const Allocation &) = delete;

	Result<AllocatedBuffers> take(std::span<const uint64_t> sizes);
	Result<AllocatedBuffers> takeFromDevice(std::span<const uint64_t> sizes);
	Result<void> openHeap();
};

Result<void> Allocation::openHeap()
{
	auto opened = HeapDevice::open(*heap);
	if (!opened)
		return std::unexpected(opened.error());
	device.emplace(std::move(*opened));
	return {};
}

/* All from the heap settled on or, the first time, from the first match in which they fit. */
Result<AllocatedBuffers> Allocation::take(std::span<const uint64_t> sizes)
{
	if (!device && heap) {
		if (auto opened = openHeap(); !opened)
			return std::unexpected(opened.error());
	}
	if (device)
		return takeFromDevice(sizes);

	auto allocated = heapflow::allocateBuffers(choice, sizes, {.name = name});
	if (!allocated)
		return allocated;
	heap = allocated->heap;
	if (auto opened = openHeap(); !opened)
		return std::unexpected(opened.error());
	return allocated;
}

Result<AllocatedBuffers> Allocation::takeFromDevice(std::span<const uint64_t> sizes)
{
	AllocatedBuffers taken{device->heap(), {}, {}};

	for (size_t i = 0; i < sizes.size(); i++) {
		auto buffer = device->allocate(sizes[i], name);
		if (!buffer) {
			Error error = std::move(buffer.error());
			if (sizes.size() > 1)
				error.message = "buffer " + std::to_string(i + 1) + " of " +
						std::to_string(sizes.size()) + ": " + error.message;
			return std::unexpected(std::move(error));
		}
		taken.buffers.push_back(std::move(*buffer));
	}
	return taken;
}

Access accessFromFlags(GstMapFlags flags)
{
	if ((flags & GST_MAP_READWRITE) == GST_MAP_READWRITE)
		return Access::ReadWrite;
	return (flags & GST_MAP_WRITE) ? Access::Write : Access::Read;
}

/* A link is as protected as what it leads to, whatever its own name says. */
bool isProtected(const Heap &heap)
{
	return heap.name.isProtected || heapflow::parseHeapName(heap.linkTarget).isProtected;
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
 * Who maps a frame does not always tell that it could not: videotestsrc pushes it undrawn. The
 * streaming threads of GStreamer are called after the pad that drives them.
 */
static void gst_heap_allocator_refuse_map(GstHeapAllocator *self)
{
	char thread[16] = "";
	pthread_getname_np(pthread_self(), thread, sizeof(thread));
	const Error error{EACCES,
			  "a CPU wants to touch frames of heap " +
				  gst_heap_allocator_get_heap(self) +
				  ", which is protected (thread " + thread + ")",
			  "let a device fill and read these frames, or choose another heap"};
	GST_WARNING_OBJECT(self, "%s", error.text().c_str());
	auto *element = static_cast<GstElement *>(g_weak_ref_get(&self->allocation->element));
	if (!element)
		return;
	HEAPFLOW_ELEMENT_ERROR(element, error);
	gst_object_unref(element);
}

/*
 * The sync bracket of GstDmaBufAllocator gives up on EINTR and EAGAIN, which the kernel asks user
 * space to restart; then the CPU reads stale lines. So both ends are ours (invariant 9), and what
 * the parent does between them, GstFdAllocator's mmap, stays.
 */
static gpointer gst_heap_allocator_map(GstMemory *memory, GstMapInfo *info, gsize maxsize)
{
	GstAllocator *allocator = memory->allocator;

	if (GST_MEMORY_FLAG_IS_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE)) {
		gst_heap_allocator_refuse_map(GST_HEAP_ALLOCATOR(allocator));
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
	if (info->flags & GST_MAP_WRITE)
		gst_heap_memory_note_cpu_write(memory);
	return data;
}

static void gst_heap_allocator_unmap(GstMemory *memory, GstMapInfo *info)
{
	auto ended = heapflow::syncEnd(gst_fd_memory_get_fd(memory), accessFromFlags(info->flags));
	if (!ended)
		GST_ERROR_OBJECT(memory->allocator, "%s", ended.error().text().c_str());
	memory->allocator->mem_unmap(memory);
}

static Result<GstMemory *> allocate(GstHeapAllocator *self, gsize size,
				    const GstAllocationParams &params)
{
	Allocation &allocation = *self->allocation;

	/* Alignment is a mask. A mapping starts at a page and so cannot be aligned to more. */
	if (params.align >= gsize(sysconf(_SC_PAGESIZE)))
		return fail(EINVAL, "an alignment of " + std::to_string(params.align + 1) +
					    " bytes is more than a page");
	gsize wanted = 0;
	if (!g_size_checked_add(&wanted, size, params.prefix) ||
	    !g_size_checked_add(&wanted, wanted, params.padding))
		return fail(EINVAL, "the size, prefix and padding are more than any memory");

	std::unique_lock lock(allocation.mutex);
	const uint64_t sizes[] = {wanted};
	auto taken = allocation.take(sizes);
	lock.unlock();
	if (!taken)
		return std::unexpected(taken.error());

	for (const heapflow::HeapFallback &fallback : taken->fallbacks)
		GST_WARNING_OBJECT(self, "%s", fallback.text().c_str());
	Buffer &buffer = taken->buffers.front();
	const gsize maxsize = buffer.size();
	GstMemory *memory =
		gst_heap_allocator_wrap(self, buffer.takeFd(), taken->heap, maxsize, maxsize);
	memory->align = params.align;
	gst_memory_resize(memory, gssize(params.prefix), size);
	/* dma-heap.c: every heap returns zeroed memory. */
	GST_MINI_OBJECT_FLAG_SET(memory, params.flags & (GST_MEMORY_FLAG_ZERO_PREFIXED |
							 GST_MEMORY_FLAG_ZERO_PADDED));
	return memory;
}

/* GstAllocatorClass::alloc */
static GstMemory *gst_heap_allocator_alloc_memory(GstAllocator *allocator, gsize size,
						  GstAllocationParams *params)
{
	GstHeapAllocator *self = GST_HEAP_ALLOCATOR(allocator);
	auto memory = allocate(self, size, *params);

	if (memory)
		return *memory;
	GST_WARNING_OBJECT(self, "%s", memory.error().text().c_str());
	std::lock_guard lock(self->allocation->mutex);
	self->allocation->lastError = memory.error();
	return nullptr;
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
	GST_ALLOCATOR_CLASS(klass)->alloc = gst_heap_allocator_alloc_memory;
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

void gst_heap_allocator_settle(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	self->allocation->heap = self->allocation->choice.taken().heap;
}

Result<AllocatedBuffers> gst_heap_allocator_take(GstHeapAllocator *self,
						 std::span<const uint64_t> sizes)
{
	std::lock_guard lock(self->allocation->mutex);

	return self->allocation->take(sizes);
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

	gst_heap_memory_keep_history(memory);
	gst_memory_resize(memory, 0, size);
	if (heap.region.contiguous)
		GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS);
	if (isProtected(heap))
		GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE);

	std::lock_guard lock(self->allocation->mutex);
	if (!self->allocation->heap)
		self->allocation->heap = heap;
	return memory;
}

void gst_heap_allocator_set_element(GstHeapAllocator *self, GstElement *element)
{
	g_weak_ref_set(&self->allocation->element, element);
}

std::string gst_heap_allocator_get_heap(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	return self->allocation->heap ? self->allocation->heap->name.text : "";
}

Error gst_heap_allocator_get_last_error(GstHeapAllocator *self)
{
	std::lock_guard lock(self->allocation->mutex);

	return self->allocation->lastError;
}

GstMemory *gst_heap_allocator_alloc(GstHeapAllocator *self, gsize size,
				    const GstAllocationParams *params, GError **error)
{
	g_return_val_if_fail(GST_IS_HEAP_ALLOCATOR(self), nullptr);
	g_return_val_if_fail(!error || !*error, nullptr);

	GstAllocationParams none = {};
	auto memory = allocate(self, size, params ? *params : none);
	if (memory)
		return *memory;
	heapflow::gst::setError(error, memory.error());
	return nullptr;
}

gchar *gst_heap_allocator_dup_heap_name(GstHeapAllocator *self)
{
	g_return_val_if_fail(GST_IS_HEAP_ALLOCATOR(self), nullptr);

	const std::string heap = gst_heap_allocator_get_heap(self);
	return heap.empty() ? nullptr : g_strdup(heap.c_str());
}

gboolean gst_heap_allocator_get_space(GstHeapAllocator *self, guint64 *total, guint64 *available)
{
	g_return_val_if_fail(GST_IS_HEAP_ALLOCATOR(self), FALSE);

	const std::string name = gst_heap_allocator_get_heap(self);
	const auto heaps = heapflow::listHeaps();
	if (name.empty() || !heaps)
		return FALSE;
	for (const Heap &heap : *heaps) {
		if (heap.name.text != name || !heap.available)
			continue;
		if (total)
			*total = heap.region.total.value_or(0);
		if (available)
			*available = *heap.available;
		return TRUE;
	}
	return FALSE;
}

gboolean gst_is_heap_memory(GstMemory *memory)
{
	g_return_val_if_fail(memory, FALSE);

	return GST_IS_HEAP_ALLOCATOR(memory->allocator);
}

gchar *gst_heap_memory_dup_heap_name(GstMemory *memory)
{
	g_return_val_if_fail(memory, nullptr);

	return gst_is_heap_memory(memory)
		       ? gst_heap_allocator_dup_heap_name(GST_HEAP_ALLOCATOR(memory->allocator))
		       : nullptr;
}
