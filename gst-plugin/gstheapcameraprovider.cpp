/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:provider-heapcameraprovider
 * @title: heapcameraprovider
 * @short_description: lists the cameras that heapcamerasrc can open
 *
 * libcamera's cameras and the V4L2 capture devices that libcamera does not handle, with hotplug.
 *
 * Its rank is NONE, so a #GstDeviceMonitor does not take it by itself: beside libcamera's own
 * provider it would be the second user of libcamera in the process, which ends that. Applications
 * get it by name, with gst_device_provider_factory_get_by_name().
 *
 * Since: 0.1
 */
#include "gstheapcameraprovider.h"

#include "gstheapcameracaps.h"

#include "heapflow/camera/camera_monitor.h"

#include <memory>
#include <mutex>

GST_DEBUG_CATEGORY_STATIC(gst_heap_camera_provider_debug);
#define GST_CAT_DEFAULT gst_heap_camera_provider_debug

using heapflow::CameraInfo;

struct _GstHeapCameraDevice {
	GstDevice parent;
	char *id;
};

G_DEFINE_TYPE(GstHeapCameraDevice, gst_heap_camera_device, GST_TYPE_DEVICE)

static GstElement *gst_heap_camera_device_create_element(GstDevice *device, const gchar *name)
{
	GstElement *element = gst_element_factory_make("heapcamerasrc", name);
	if (element)
		g_object_set(element, "camera-name", GST_HEAP_CAMERA_DEVICE(device)->id, nullptr);
	return element;
}

static gboolean gst_heap_camera_device_reconfigure_element(GstDevice *device, GstElement *element)
{
	if (g_strcmp0(G_OBJECT_TYPE_NAME(element), "GstHeapCameraSrc") != 0)
		return FALSE;
	g_object_set(element, "camera-name", GST_HEAP_CAMERA_DEVICE(device)->id, nullptr);
	return TRUE;
}

static void gst_heap_camera_device_finalize(GObject *object)
{
	g_free(GST_HEAP_CAMERA_DEVICE(object)->id);
	G_OBJECT_CLASS(gst_heap_camera_device_parent_class)->finalize(object);
}

static void gst_heap_camera_device_class_init(GstHeapCameraDeviceClass *klass)
{
	GstDeviceClass *device = GST_DEVICE_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = gst_heap_camera_device_finalize;
	device->create_element = gst_heap_camera_device_create_element;
	device->reconfigure_element = gst_heap_camera_device_reconfigure_element;
}

static void gst_heap_camera_device_init(GstHeapCameraDevice *) {}

/* A floating reference. A camera that cannot be asked (no permission) is listed without caps. */
static GstDevice *gst_heap_camera_device_new(const CameraInfo &info)
{
	GstCaps *caps = gst_caps_new_empty();
	if (auto camera = heapflow::openCamera(info.id)) {
		if (auto modes = (*camera)->modes()) {
			gst_caps_unref(caps);
			caps = heapflow::gst::joinedCapsFromModes(*modes);
		}
	}
	const bool libcamera = info.backend == heapflow::CameraBackend::Libcamera;
	GstStructure *properties = gst_structure_new(
		"heapcamera", "device.api", G_TYPE_STRING, libcamera ? "libcamera" : "v4l2",
		"camera.id", G_TYPE_STRING, info.id.c_str(), "camera.model", G_TYPE_STRING,
		info.model.c_str(), "camera.location", G_TYPE_STRING,
		heapflow::locationName(info.location), nullptr);
	if (!libcamera)
		gst_structure_set(properties, "device.path", G_TYPE_STRING, info.id.c_str(),
				  nullptr);
	auto *device = static_cast<GstHeapCameraDevice *>(g_object_new(
		GST_TYPE_HEAP_CAMERA_DEVICE, "display-name", info.model.c_str(), "caps", caps,
		"device-class", "Video/Source", "properties", properties, nullptr));
	device->id = g_strdup(info.id.c_str());
	gst_structure_free(properties);
	gst_caps_unref(caps);
	return GST_DEVICE_CAST(device);
}

struct _GstHeapCameraProvider {
	GstDeviceProvider parent;
	heapflow::CameraMonitor *monitor; /* while it is started */
};

G_DEFINE_TYPE_WITH_CODE(GstHeapCameraProvider, gst_heap_camera_provider, GST_TYPE_DEVICE_PROVIDER,
			GST_DEBUG_CATEGORY_INIT(gst_heap_camera_provider_debug,
						"heapcameraprovider", 0, "lists cameras"))
GST_DEVICE_PROVIDER_REGISTER_DEFINE(heapcameraprovider, "heapcameraprovider", GST_RANK_NONE,
				    GST_TYPE_HEAP_CAMERA_PROVIDER)

static GList *gst_heap_camera_provider_probe(GstDeviceProvider *provider)
{
	GList *devices = nullptr;
	/* Nobody is told of changes: it keeps libcamera, which would start anew for each camera. */
	const auto monitor = heapflow::CameraMonitor::start([](const heapflow::CameraEvent &) {});
	const auto cameras =
		monitor ? heapflow::Result<std::vector<CameraInfo>>((*monitor)->cameras())
			: heapflow::listCameras();

	if (!cameras) {
		GST_WARNING_OBJECT(provider, "%s", cameras.error().text().c_str());
		return nullptr;
	}
	for (const CameraInfo &info : *cameras)
		devices = g_list_append(devices,
					gst_object_ref_sink(gst_heap_camera_device_new(info)));
	return devices;
}

static void gst_heap_camera_provider_remove(GstDeviceProvider *provider, const std::string &id)
{
	GstDevice *gone = nullptr;

	GST_OBJECT_LOCK(provider);
	for (GList *item = provider->devices; item && !gone; item = item->next)
		if (id == GST_HEAP_CAMERA_DEVICE(item->data)->id)
			gone = GST_DEVICE_CAST(gst_object_ref(item->data));
	GST_OBJECT_UNLOCK(provider);
	if (gone)
		gst_device_provider_device_remove(provider, gone);
	gst_clear_object(&gone);
}

static void gst_heap_camera_provider_add(GstDeviceProvider *provider, const CameraInfo &info)
{
	bool listed = false;

	GST_OBJECT_LOCK(provider);
	for (GList *item = provider->devices; item && !listed; item = item->next)
		listed = info.id == GST_HEAP_CAMERA_DEVICE(item->data)->id;
	GST_OBJECT_UNLOCK(provider);
	if (!listed)
		gst_device_provider_device_add(provider, gst_heap_camera_device_new(info));
}

/* The monitor's thread may tell of a camera before start() has listed the first ones, or while it
 * does: one after the other, and none twice. */
static std::mutex listing;

static gboolean gst_heap_camera_provider_start(GstDeviceProvider *provider)
{
	auto *self = GST_HEAP_CAMERA_PROVIDER(provider);
	std::lock_guard lock(listing);

	auto monitor =
		heapflow::CameraMonitor::start([provider](const heapflow::CameraEvent &event) {
			std::lock_guard guard(listing);
			if (event.added)
				gst_heap_camera_provider_add(provider, event.camera);
			else
				gst_heap_camera_provider_remove(provider, event.camera.id);
		});
	if (!monitor) {
		GST_ERROR_OBJECT(self, "%s", monitor.error().text().c_str());
		return FALSE;
	}
	self->monitor = monitor->release();
	for (const CameraInfo &info : self->monitor->cameras())
		gst_heap_camera_provider_add(provider, info);
	return TRUE;
}

static void gst_heap_camera_provider_stop(GstDeviceProvider *provider)
{
	auto *self = GST_HEAP_CAMERA_PROVIDER(provider);

	delete self->monitor;
	self->monitor = nullptr;
}

static void gst_heap_camera_provider_class_init(GstHeapCameraProviderClass *klass)
{
	GstDeviceProviderClass *provider = GST_DEVICE_PROVIDER_CLASS(klass);

	provider->probe = GST_DEBUG_FUNCPTR(gst_heap_camera_provider_probe);
	provider->start = GST_DEBUG_FUNCPTR(gst_heap_camera_provider_start);
	provider->stop = GST_DEBUG_FUNCPTR(gst_heap_camera_provider_stop);
	gst_device_provider_class_set_static_metadata(
		provider, "Cameras in dma-buf heaps", "Source/Video",
		"Lists the cameras that heapcamerasrc can open", "The heapflow developers");
}

static void gst_heap_camera_provider_init(GstHeapCameraProvider *) {}
