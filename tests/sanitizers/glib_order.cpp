/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells ThreadSanitizer what orders the threads of GLib and GStreamer.
 *
 * Debian's libraries are built without it, and GLib's locks are futexes of its own
 * (gthread-posix.c), so everything that they protect looks unprotected. Linked into a test, these
 * stand before GLib's: they call it, and say "what was before the unlock is before the next lock"
 * (__tsan_release(),
 * __tsan_acquire(): <sanitizer/tsan_interface.h>). Locks order as in GLib; the last to drop a
 * reference comes after the others; a message, a queued item and an event come after their sender.
 * They add no order that GLib does not promise, so a race of ours is still seen.
 */
#include <cstdint>

#include <dlfcn.h>
#include <glib-object.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

namespace
{

template<typename Function>
Function next(const char *name)
{
	return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void acquire(const void *of)
{
	__tsan_acquire(const_cast<void *>(of));
}

void release(const void *of)
{
	__tsan_release(const_cast<void *>(of));
}

} /* namespace */

/* The library's function of this name, looked up once. */
#define REAL(name)                                                     \
	(*[] {                                                         \
		static const auto real = next<decltype(&name)>(#name); \
		return real;                                           \
	}())
#define EXPORT extern "C" __attribute__((visibility("default")))

#define LOCK(type, lock, trylock, unlock)                     \
	EXPORT void lock(type *mutex)                         \
	{                                                     \
		REAL(lock)(mutex);                            \
		acquire(mutex);                               \
	}                                                     \
	EXPORT gboolean trylock(type *mutex)                  \
	{                                                     \
		const gboolean locked = REAL(trylock)(mutex); \
		if (locked)                                   \
			acquire(mutex);                       \
		return locked;                                \
	}                                                     \
	EXPORT void unlock(type *mutex)                       \
	{                                                     \
		release(mutex);                               \
		REAL(unlock)(mutex);                          \
	}

#undef g_free
#undef g_once_init_enter_pointer
#undef g_once_init_leave_pointer
LOCK(GMutex, g_mutex_lock, g_mutex_trylock, g_mutex_unlock)
LOCK(GRecMutex, g_rec_mutex_lock, g_rec_mutex_trylock, g_rec_mutex_unlock)
LOCK(GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_trylock, g_rw_lock_writer_unlock)
LOCK(GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_trylock, g_rw_lock_reader_unlock)

/* It gives the mutex away and takes it again within GLib. */
EXPORT void g_cond_wait(GCond *cond, GMutex *mutex)
{
	release(mutex);
	REAL(g_cond_wait)(cond, mutex);
	acquire(mutex);
}

EXPORT gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
	release(mutex);
	const gboolean woken = REAL(g_cond_wait_until)(cond, mutex, end);
	acquire(mutex);
	return woken;
}

#define DROP(type, unref)              \
	EXPORT void unref(type object) \
	{                              \
		release(object);       \
		acquire(object);       \
		REAL(unref)(object);   \
	}

DROP(gpointer, g_object_unref)
DROP(gpointer, gst_object_unref)
DROP(GstMiniObject *, gst_mini_object_unref)

/* Each pop of a bus gets what was before the post. The post keeps the message until it is over, so
 * that not a count within GStreamer says who is the last to drop it. */
EXPORT gboolean gst_element_post_message(GstElement *element, GstMessage *message)
{
	gst_mini_object_ref(GST_MINI_OBJECT_CAST(message));
	release(message);
	const gboolean posted = REAL(gst_element_post_message)(element, message);
	gst_mini_object_unref(GST_MINI_OBJECT_CAST(message));
	return posted;
}

#define POP(pop, parameters, ...)                             \
	EXPORT GstMessage *pop parameters                     \
	{                                                     \
		GstMessage *message = REAL(pop)(__VA_ARGS__); \
		acquire(message);                             \
		return message;                               \
	}

POP(gst_bus_pop, (GstBus * bus), bus)
POP(gst_bus_pop_filtered, (GstBus * bus, GstMessageType types), bus, types)
POP(gst_bus_timed_pop, (GstBus * bus, GstClockTime timeout), bus, timeout)
POP(gst_bus_timed_pop_filtered, (GstBus * bus, GstClockTime timeout, GstMessageType types), bus,
    timeout, types)

/* What a thread of a pool is called for comes after the push. A pool lives as long as the process.
 */
struct PoolFunction {
	GFunc function;
	gpointer argument;
};

static void callFromPool(gpointer data, gpointer of)
{
	const auto *called = static_cast<const PoolFunction *>(of);
	acquire(data);
	called->function(data, called->argument);
}

EXPORT GThreadPool *g_thread_pool_new(GFunc function, gpointer argument, gint most,
				      gboolean exclusive, GError **error)
{
	return REAL(g_thread_pool_new)(callFromPool, new PoolFunction{function, argument}, most,
				       exclusive, error);
}

EXPORT gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
	release(data);
	return REAL(g_thread_pool_push)(pool, data, error);
}

/* Also of what others have let go of by an unref that calls it within its own library. */
EXPORT void g_free(gpointer memory)
{
	acquire(memory);
	REAL(g_free)(memory);
}

EXPORT void g_free_sized(gpointer memory, size_t size)
{
	acquire(memory);
	REAL(g_free_sized)(memory, size);
}

EXPORT gboolean g_once_init_enter_pointer(void *location)
{
	const gboolean first = REAL(g_once_init_enter_pointer)(location);
	acquire(location);
	return first;
}

EXPORT void g_once_init_leave_pointer(void *location, gpointer result)
{
	release(location);
	REAL(g_once_init_leave_pointer)(location, result);
}
