/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entry point of libgstheapflow.so. No device is opened here: gst-plugin-scanner runs it. */
#include "gstheapalloc.h"
#include "gstheapcameraprovider.h"
#include "gstheapcamerasrc.h"
#include "gstheapi18n.h"
#include "gstheapkmssink.h"
#include "tracer/gstheaptracer.h"

#include <unistd.h>

/*
 * What gst-inspect-1.0 shows beside the plugin. GStreamer keeps it in its registry, so it is what
 * was true when the plugin was looked at last; see dependOnDevices().
 */
static void tellWhatIsMissing(GstPlugin *plugin)
{
	if (access("/dev/dma_heap", F_OK) != 0)
		gst_plugin_add_status_info(
			plugin, _("There is no /dev/dma_heap on this system: the kernel needs "
				  "CONFIG_DMABUF_HEAPS and a heap"));
	if (access("/dev/dri", F_OK) != 0)
		gst_plugin_add_status_info(
			plugin,
			_("There is no /dev/dri on this system: heapkmssink has no display"));
}

/*
 * The elements are there whatever devices are. GStreamer 1.30 takes that for a promise, with which
 * the plugin can be in a registry made at build time; before, the status lines are made anew when
 * the first heap or display appears.
 */
static void dependOnDevices(GstPlugin *plugin)
{
#if GST_CHECK_VERSION(1, 30, 0)
	gst_plugin_set_static_features_flag(plugin);
#else
	gst_plugin_add_dependency_simple(plugin, nullptr, "/dev", "dma_heap,dri",
					 GST_PLUGIN_DEPENDENCY_FLAG_NONE);
#endif
}

static gboolean plugin_init(GstPlugin *plugin)
{
	heapflow::gst::bindTranslations();

	gboolean registered = GST_ELEMENT_REGISTER(heapcamerasrc, plugin);
	registered = GST_ELEMENT_REGISTER(heapkmssink, plugin) && registered;
	registered = GST_ELEMENT_REGISTER(heapalloc, plugin) && registered;
	registered = GST_DEVICE_PROVIDER_REGISTER(heapcameraprovider, plugin) && registered;
	registered = gst_heap_tracer_register(plugin) && registered;

	dependOnDevices(plugin);
	tellWhatIsMissing(plugin);
	return registered;
}

#define PACKAGE PLUGIN_PACKAGE
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, heapflow,
		  "Camera frames in dma-buf heaps chosen by name, shown without a copy",
		  plugin_init, PLUGIN_VERSION, "LGPL", "heapflow", "Unknown package origin")
