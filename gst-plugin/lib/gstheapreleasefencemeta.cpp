/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/heap/gstheapreleasefencemeta.h"

#include "heapflow/heap/fence.h"

#include <mutex>
#include <optional>
#include <utility>

using heapflow::Fence;
using heapflow::UniqueFd;

struct _GstHeapReleaseFenceMetaPrivate {
	std::mutex mutex;
	std::optional<Fence> posted;
};

GType gst_heap_release_fence_meta_api_get_type(void)
{
	static GType type = [] {
		/* Of the memory: what is made anew from the pixels is another producer's. */
		const gchar *tags[] = {GST_META_TAG_MEMORY_STR, nullptr};
		return gst_meta_api_type_register("GstHeapReleaseFenceMetaAPI", tags);
	}();
	return type;
}

static gboolean gst_heap_release_fence_meta_init(GstMeta *meta, gpointer, GstBuffer *)
{
	reinterpret_cast<GstHeapReleaseFenceMeta *>(meta)->priv =
		new GstHeapReleaseFenceMetaPrivate;
	return TRUE;
}

static void gst_heap_release_fence_meta_free(GstMeta *meta, GstBuffer *)
{
	delete reinterpret_cast<GstHeapReleaseFenceMeta *>(meta)->priv;
}

/* A fence in the box of a copy would never reach the producer, who gets the original back. */
static gboolean gst_heap_release_fence_meta_transform(GstBuffer *, GstMeta *, GstBuffer *, GQuark,
						      gpointer)
{
	return FALSE;
}

const GstMetaInfo *gst_heap_release_fence_meta_get_info(void)
{
	static const GstMetaInfo *info = gst_meta_register(
		GST_HEAP_RELEASE_FENCE_META_API_TYPE, "GstHeapReleaseFenceMeta",
		sizeof(GstHeapReleaseFenceMeta), gst_heap_release_fence_meta_init,
		gst_heap_release_fence_meta_free, gst_heap_release_fence_meta_transform);
	return info;
}

GstHeapReleaseFenceMeta *gst_buffer_get_heap_release_fence_meta(GstBuffer *buffer)
{
	return reinterpret_cast<GstHeapReleaseFenceMeta *>(
		gst_buffer_get_meta(buffer, GST_HEAP_RELEASE_FENCE_META_API_TYPE));
}

GstHeapReleaseFenceMeta *gst_buffer_add_heap_release_fence_meta(GstBuffer *buffer)
{
	return reinterpret_cast<GstHeapReleaseFenceMeta *>(
		gst_buffer_add_meta(buffer, gst_heap_release_fence_meta_get_info(), nullptr));
}

gboolean gst_heap_release_fence_meta_post(GstHeapReleaseFenceMeta *meta, gint sync_file)
{
	Fence fence{UniqueFd(sync_file)};
	std::lock_guard lock(meta->priv->mutex);
	std::optional<Fence> &posted = meta->priv->posted;

	/* Merging with itself costs a descriptor; asking for its status tells as well what it is.
	 */
	if (!posted) {
		if (!fence.status())
			return FALSE;
		posted.emplace(std::move(fence));
		return TRUE;
	}
	auto both = Fence::merge(*posted, fence, "heapflow-release");
	if (!both)
		return FALSE;
	posted.emplace(std::move(*both));
	return TRUE;
}

gint gst_heap_release_fence_meta_take(GstHeapReleaseFenceMeta *meta)
{
	std::lock_guard lock(meta->priv->mutex);
	auto posted = std::exchange(meta->priv->posted, std::nullopt);

	return posted ? posted->takeFd().release() : -1;
}
