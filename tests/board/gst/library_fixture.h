/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libgstheap-1.0 as an application uses it: its header, GLib and GStreamer, nothing of heapflow's
 * C++. */
#pragma once

#include <memory>
#include <string>

#include <gst/heap/heap.h>
#include <gtest/gtest.h>

namespace heapflow::test
{

struct UnrefObject {
	void operator()(gpointer object) const { gst_object_unref(object); }
};
using AllocatorPointer = std::unique_ptr<GstAllocator, UnrefObject>;
using PoolPointer = std::unique_ptr<GstBufferPool, UnrefObject>;

/** \brief A GError that is freed, with its parts at hand */
class ErrorOf
{
public:
	ErrorOf() = default;
	~ErrorOf() { g_clear_error(&error_); }
	ErrorOf(const ErrorOf &) = delete;
	ErrorOf &operator=(const ErrorOf &) = delete;

	GError **place() { return &error_; }
	bool isSet() const { return error_ != nullptr; }
	bool is(GstResourceError code) const
	{
		return error_ && g_error_matches(error_, GST_RESOURCE_ERROR, code);
	}
	std::string text() const { return error_ ? error_->message : "no error"; }

private:
	GError *error_ = nullptr;
};

inline GstCaps *videoCaps(const std::string &format, int width, int height)
{
	return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format.c_str(), "width",
				   G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate",
				   GST_TYPE_FRACTION, 30, 1, nullptr);
}

/** \brief A pool that is active, or null and a failure of the test */
inline PoolPointer activePool(const char *expression, guint minimum, guint maximum,
			      const char *format = "NV12", int width = 640, int height = 360,
			      GstHeapBufferPoolFlags flags = GST_HEAP_BUFFER_POOL_FLAG_NONE,
			      const GstVideoAlignment *alignment = nullptr)
{
	ErrorOf error;
	PoolPointer pool(gst_heap_buffer_pool_new(expression, error.place()));
	GstCaps *caps = videoCaps(format, width, height);
	const bool active =
		pool &&
		gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps, minimum,
					       maximum, alignment, flags, error.place()) &&
		gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()), error.place());
	gst_caps_unref(caps);
	EXPECT_TRUE(active) << error.text();
	return active ? std::move(pool) : nullptr;
}

/** \brief A buffer without waiting, or null */
inline GstBuffer *takeNow(const PoolPointer &pool)
{
	GstBufferPoolAcquireParams now = {};
	GstBuffer *buffer = nullptr;

	now.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
	return gst_buffer_pool_acquire_buffer(pool.get(), &buffer, &now) == GST_FLOW_OK ? buffer
											: nullptr;
}

inline guint64 statOf(const PoolPointer &pool, const char *field)
{
	GstStructure *stats = nullptr;
	guint64 value = 0;
	guint small = 0;

	g_object_get(pool.get(), "stats", &stats, nullptr);
	if (!gst_structure_get_uint64(stats, field, &value)) {
		EXPECT_TRUE(gst_structure_get_uint(stats, field, &small)) << field;
		value = small;
	}
	gst_structure_free(stats);
	return value;
}

} /* namespace heapflow::test */
