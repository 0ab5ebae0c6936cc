/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libgstheap-1.0 on a machine without heaps: errors, configurations, and what other pools ask for.
 */
#include "gst/heap/heap.h"
#include "gstheapallocatorprivate.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>

namespace
{

struct Unref {
	void operator()(gpointer object) const { gst_object_unref(object); }
};
using Pool = std::unique_ptr<GstBufferPool, Unref>;
using Allocator = std::unique_ptr<GstAllocator, Unref>;

Allocator anyAllocator()
{
	return Allocator(gst_heap_allocator_new({}, "unit"));
}

Pool poolOf(const Allocator &allocator)
{
	return Pool(gst_heap_buffer_pool_new_with_allocator(GST_HEAP_ALLOCATOR(allocator.get())));
}

struct Caps {
	explicit Caps(const char *text) : caps(gst_caps_from_string(text)) {}
	~Caps() { gst_caps_unref(caps); }
	Caps(const Caps &) = delete;
	Caps &operator=(const Caps &) = delete;
	GstCaps *caps;
};

constexpr const char *nv12 = "video/x-raw,format=NV12,width=640,height=360,framerate=30/1";

TEST(Library, AHeapThatIsNotThereIsAGError)
{
	GError *error = nullptr;
	EXPECT_EQ(gst_heap_allocator_get("no-such-heap", &error), nullptr);
	ASSERT_TRUE(error);
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND))
		<< error->message;
	EXPECT_THAT(error->message, testing::HasSubstr("ENOENT"));
	g_clear_error(&error);

	EXPECT_EQ(gst_heap_buffer_pool_new("no-such-heap", &error), nullptr);
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
	g_clear_error(&error);

	EXPECT_EQ(gst_heap_buffer_pool_new("a,b=c=", &error), nullptr);
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS))
		<< error->message;
	g_clear_error(&error);
	EXPECT_EQ(gst_heap_buffer_pool_new("no-such-heap", nullptr), nullptr);
}

/* As a language binding makes one, which does not know the functions with an allocator. */
TEST(Library, APoolWithoutAnAllocatorTakesNoConfiguration)
{
	const Pool pool(GST_BUFFER_POOL(g_object_new(GST_TYPE_HEAP_BUFFER_POOL, nullptr)));
	g_object_ref_sink(pool.get());
	const Caps caps(nv12);
	GstStructure *config = gst_buffer_pool_get_config(pool.get());
	gst_buffer_pool_config_set_params(config, caps.caps, 0, 0, 0);
	EXPECT_FALSE(gst_buffer_pool_set_config(pool.get(), config));
	EXPECT_FALSE(gst_buffer_pool_set_active(pool.get(), TRUE));
}

TEST(Library, NothingIsRegisteredBeforeSomebodyAsks)
{
	EXPECT_EQ(gst_allocator_find("heap:system"), nullptr);
	GError *error = nullptr;
	gchar **names = gst_heap_allocator_register_all(&error);
	EXPECT_EQ(names != nullptr, error == nullptr);
	EXPECT_EQ(names != nullptr, std::filesystem::exists("/dev/dma_heap"));
	g_strfreev(names);
	g_clear_error(&error);
}

TEST(Library, AnAllocatorThatHasNotAllocatedHasNoHeap)
{
	const Allocator allocator = anyAllocator();
	EXPECT_EQ(gst_heap_allocator_dup_heap_name(GST_HEAP_ALLOCATOR(allocator.get())), nullptr);
	EXPECT_FALSE(gst_heap_allocator_get_space(GST_HEAP_ALLOCATOR(allocator.get()), nullptr,
						  nullptr));
	GstMemory *ordinary = gst_allocator_alloc(nullptr, 10, nullptr);
	EXPECT_FALSE(gst_is_heap_memory(ordinary));
	EXPECT_EQ(gst_heap_memory_dup_heap_name(ordinary), nullptr);
	gst_memory_unref(ordinary);
}

TEST(Library, APoolSaysWhyItIsNotConfigured)
{
	const Allocator allocator = anyAllocator();
	const Pool pool = poolOf(allocator);
	auto *self = GST_HEAP_BUFFER_POOL(pool.get());
	GError *error = nullptr;
	for (const char *text :
	     {"audio/x-raw,rate=1,channels=1,format=S16LE,layout=interleaved", "video/x-raw",
	      "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12:0x0100000000000002,"
	      "width=64,height=64"}) {
		const Caps caps(text);
		EXPECT_FALSE(gst_heap_buffer_pool_configure(
			self, caps.caps, 1, 1, nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE, &error));
		EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS))
			<< text << ": " << (error ? error->message : "none");
		g_clear_error(&error);
	}
	/* Then it has no configuration. */
	EXPECT_FALSE(gst_heap_buffer_pool_activate(self, &error));
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
	g_clear_error(&error);
}

TEST(Library, APoolHasTheSizeOfTheFrameWithItsPlanesTogetherOrApart)
{
	const Allocator allocator = anyAllocator();
	const Pool pool = poolOf(allocator);
	const Caps caps(nv12);
	for (const GstHeapBufferPoolFlags flags :
	     {GST_HEAP_BUFFER_POOL_FLAG_NONE, GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE}) {
		ASSERT_TRUE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()),
							   caps.caps, 2, 4, nullptr, flags,
							   nullptr));
		GstStructure *config = gst_buffer_pool_get_config(pool.get());
		guint size = 0, minimum = 0, maximum = 0;
		gst_buffer_pool_config_get_params(config, nullptr, &size, &minimum, &maximum);
		EXPECT_EQ(size, 640U * 360 * 3 / 2);
		EXPECT_EQ(minimum, 2U);
		EXPECT_EQ(maximum, 4U);
		EXPECT_EQ(bool(gst_buffer_pool_config_has_option(
				  config, GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE)),
			  bool(flags));
		gst_structure_free(config);
	}
}

TEST(Library, APoolWithoutAHeapSaysSo)
{
	const Allocator allocator = anyAllocator();
	const Pool pool = poolOf(allocator);
	const Caps caps(nv12);
	GError *error = nullptr;
	ASSERT_TRUE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps.caps, 1,
						   1, nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE,
						   nullptr));
	EXPECT_FALSE(gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()), &error));
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND))
		<< (error ? error->message : "none");
	g_clear_error(&error);
}

TEST(Library, PropertiesOfAPool)
{
	const Allocator allocator = anyAllocator();
	const Pool pool = poolOf(allocator);
	GstElement *element = GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr)));
	guint timeout = 0;
	g_object_get(pool.get(), "starvation-timeout", &timeout, nullptr);
	EXPECT_EQ(timeout, 1000U);
	g_object_set(pool.get(), "element", element, "starvation-timeout", G_MAXUINT, nullptr);
	g_object_get(pool.get(), "starvation-timeout", &timeout, nullptr);
	EXPECT_EQ(timeout, G_MAXUINT);
	GstElement *kept = nullptr;
	g_object_get(pool.get(), "element", &kept, nullptr);
	EXPECT_EQ(kept, element);
	gst_object_unref(kept);
	/* It is not kept alive. */
	gst_object_unref(element);
	g_object_get(pool.get(), "element", &kept, nullptr);
	EXPECT_EQ(kept, nullptr);

	GstStructure *stats = nullptr;
	g_object_get(pool.get(), "stats", &stats, nullptr);
	for (const char *field : {"held", "fenced", "fence-waits", "starvations"}) {
		EXPECT_TRUE(gst_structure_has_field(stats, field)) << field;
	}
	gst_structure_free(stats);
}

/* What gst_video_dmabuf_pool_set_config() of GStreamer 1.28 looks at, and invariant 12. */
TEST(Library, MeetsWhatGstVideoDmabufPoolAsksFor)
{
	const Allocator allocator = anyAllocator();
	EXPECT_TRUE(GST_IS_DMABUF_ALLOCATOR(allocator.get()));
	EXPECT_FALSE(GST_OBJECT_FLAG_IS_SET(allocator.get(), GST_ALLOCATOR_FLAG_CUSTOM_ALLOC));
	EXPECT_TRUE(GST_OBJECT_FLAG_IS_SET(allocator.get(), GST_ALLOCATOR_FLAG_NO_COPY));

	/* It asks for 256 bytes: then there is no heap here, and nothing else is wrong. */
	GstAllocationParams params;
	gst_allocation_params_init(&params);
	params.align = 255;
	GError *error = nullptr;
	EXPECT_EQ(gst_heap_allocator_alloc(GST_HEAP_ALLOCATOR(allocator.get()), 4096, &params,
					   &error),
		  nullptr);
	EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND))
		<< (error ? error->message : "none");
	g_clear_error(&error);

#if GST_CHECK_VERSION(1, 28, 0)
	const Pool pool(gst_video_dmabuf_pool_new());
	ASSERT_TRUE(pool);
	const Caps caps(nv12);
	GstVideoAlignment alignment;
	gst_video_alignment_reset(&alignment);
	for (guint &align : alignment.stride_align)
		align = 255;
	GstStructure *config = gst_buffer_pool_get_config(pool.get());
	gst_buffer_pool_config_set_params(config, caps.caps, 768 * 360 * 3 / 2, 2, 2);
	gst_buffer_pool_config_set_allocator(config, allocator.get(), &params);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
	gst_buffer_pool_config_set_video_alignment(config, &alignment);
	EXPECT_TRUE(gst_buffer_pool_set_config(pool.get(), config)) << "it changed something";
	config = gst_buffer_pool_get_config(pool.get());
	GstAllocator *kept = nullptr;
	gst_buffer_pool_config_get_allocator(config, &kept, nullptr);
	EXPECT_EQ(kept, allocator.get());
	gst_structure_free(config);
#endif
}

} /* namespace */
