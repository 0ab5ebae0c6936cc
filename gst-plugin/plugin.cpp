/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entry point of libgstheapflow.so. No device is opened here: gst-plugin-scanner runs it. */
#include "gstheapalloc.h"
#include "gstheapcameraprovider.h"
#include "gstheapcamerasrc.h"
#include "gstheapkmssink.h"
#include "tracer/gstheaptracer.h"

#include <unistd.h>

static gboolean plugin_init(GstPlugin *plugin)
{
	gboolean registered = GST_ELEMENT_REGISTER(heapcamerasrc, plugin);
	registered = GST_ELEMENT_REGISTER(heapkmssink, plugin) && registered;
	registered = GST_ELEMENT_REGISTER(heapalloc, plugin) && registered;
	registered = GST_DEVICE_PROVIDER_REGISTER(heapcameraprovider, plugin) && registered;
	registered = gst_heap_tracer_register(plugin) && registered;

	if (access("/dev/dma_heap", F_OK) != 0)
		gst_plugin_add_status_info(
			plugin, "There is no /dev/dma_heap on this system: the kernel needs "
				"CONFIG_DMABUF_HEAPS and a heap");
	return registered;
}

#define PACKAGE PLUGIN_PACKAGE
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, heapflow,
		  "Camera frames in dma-buf heaps chosen by name, shown without a copy",
		  plugin_init, PLUGIN_VERSION, "LGPL", "heapflow", "Unknown package origin")
