/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Draws frames in memory of a heap and shows them, with libgstheap-1.0 and without heapflow's
 * sources:
 *
 *   cc heap-pool.c -o heap-pool $(pkg-config --cflags --libs gstheap-1.0 gstreamer-app-1.0)
 *   ./heap-pool 'video@*:default' heapkmssink
 *
 * The frames are written by the CPU once, where the display reads them. heapkmssink may be any
 * description of a bin that takes video/x-raw.
 */
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/heap/heap.h>
#include <string.h>

enum { width = 640, height = 360, frames_per_second = 30, frame_count = 60, buffer_count = 4 };

/* A bar that moves over grey. */
static gboolean draw(GstBuffer *buffer, const GstVideoInfo *info, guint number)
{
	GstVideoFrame frame;

	if (!gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE))
		return FALSE;
	for (gint y = 0; y < height; y++) {
		guint8 *line = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
			       y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
		memset(line, 64, width);
		memset(line + number * 8 % (width - 32), 235, 32);
	}
	for (gint y = 0; y < height / 2; y++)
		memset((guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 1) +
			       y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 1),
		       128, width);
	gst_video_frame_unmap(&frame);
	return TRUE;
}

static GstBufferPool *make_pool(const gchar *heap, GstCaps *caps, GError **error)
{
	GstBufferPool *pool = gst_heap_buffer_pool_new(heap, error);

	if (pool &&
	    gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool), caps, buffer_count,
					   buffer_count, NULL, GST_HEAP_BUFFER_POOL_FLAG_NONE,
					   error) &&
	    gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool), error))
		return pool;
	gst_clear_object(&pool);
	return NULL;
}

static gboolean push_frames(GstBufferPool *pool, GstAppSrc *source, const GstVideoInfo *info)
{
	for (guint number = 0; number < frame_count; number++) {
		GstBuffer *buffer = NULL;

		/* Waits until the display has let go of one. */
		if (gst_buffer_pool_acquire_buffer(pool, &buffer, NULL) != GST_FLOW_OK ||
		    !draw(buffer, info, number))
			return FALSE;
		GST_BUFFER_PTS(buffer) =
			gst_util_uint64_scale(number, GST_SECOND, frames_per_second);
		GST_BUFFER_DURATION(buffer) = GST_SECOND / frames_per_second;
		if (number == 0) {
			GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
			gchar *name = gst_heap_memory_dup_heap_name(memory);
			g_print("frames are in heap %s, %s\n", name,
				GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(memory) ? "contiguous"
									    : "scattered");
			g_free(name);
		}
		if (gst_app_src_push_buffer(source, buffer) != GST_FLOW_OK)
			return FALSE;
	}
	return gst_app_src_end_of_stream(source) == GST_FLOW_OK;
}

/* What the loop above may wait for never comes after an error: it is let go. The error stays. */
typedef struct {
	GstBufferPool *pool;
	GstAppSrc *source;
} Waits;

static GstBusSyncReply end_waits(GstBus *bus, GstMessage *message, gpointer data)
{
	const Waits *waits = data;

	(void)bus;
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		gst_buffer_pool_set_flushing(waits->pool, TRUE);
		gst_app_src_end_of_stream(waits->source);
	}
	return GST_BUS_PASS;
}

/* Waits for the end; the first error, when there was one. */
static gboolean wait_for_end(GstElement *pipeline)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *message = gst_bus_timed_pop_filtered(
		bus, 30 * GST_SECOND, (GstMessageType)(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
	const gboolean ended = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;

	if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		GError *error = NULL;
		gst_message_parse_error(message, &error, NULL);
		g_printerr("%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
		g_clear_error(&error);
	}
	if (message)
		gst_message_unref(message);
	gst_object_unref(bus);
	return ended;
}

int main(int argc, char **argv)
{
	const gchar *heap = argc > 1 ? argv[1] : "video@*:default:system";
	const gchar *sink = argc > 2 ? argv[2] : "heapkmssink";
	GError *error = NULL;
	GstVideoInfo info;
	gboolean done = FALSE;

	gst_init(&argc, &argv);
	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, width, height);
	info.fps_n = frames_per_second;
	info.fps_d = 1;

	GstCaps *caps = gst_video_info_to_caps(&info);
	GstBufferPool *pool = make_pool(heap, caps, &error);
	gchar *description = g_strdup_printf(
		"appsrc name=source format=time block=true max-buffers=1 ! %s", sink);
	GstElement *pipeline = pool ? gst_parse_launch(description, &error) : NULL;
	if (error) {
		g_printerr("%s\n", error->message);
	} else {
		GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
		Waits waits = {pool, GST_APP_SRC(source)};
		GstBus *bus = gst_element_get_bus(pipeline);
		gst_bus_set_sync_handler(bus, end_waits, &waits, NULL);
		gst_app_src_set_caps(GST_APP_SRC(source), caps);
		gst_element_set_state(pipeline, GST_STATE_PLAYING);
		done = push_frames(pool, GST_APP_SRC(source), &info);
		done = wait_for_end(pipeline) && done;
		gst_element_set_state(pipeline, GST_STATE_NULL);
		gst_bus_set_sync_handler(bus, NULL, NULL, NULL);
		gst_object_unref(bus);
		gst_object_unref(source);
	}
	if (done)
		g_print("%d frames were shown\n", frame_count);

	if (pipeline)
		gst_object_unref(pipeline);
	if (pool) {
		gst_buffer_pool_set_active(pool, FALSE);
		gst_object_unref(pool);
	}
	g_clear_error(&error);
	g_free(description);
	gst_caps_unref(caps);
	gst_deinit();
	return done ? 0 : 1;
}
