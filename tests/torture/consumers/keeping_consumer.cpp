/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeping_consumer.h"

#include <format>
#include <numeric>

#include <gst/app/gstappsink.h>

namespace heapflow::torture
{

uint32_t KeptFrame::checksum() const
{
	GstMapInfo map;
	if (!gst_buffer_map(buffer_.get(), &map, GST_MAP_READ))
		return 0;
	uint32_t sum = 1;
	for (gsize i = 0; i < map.size; i++)
		sum = sum * 31 + map.data[i];
	gst_buffer_unmap(buffer_.get(), &map);
	return sum;
}

KeepingConsumer::KeepingConsumer(const std::string &heap, unsigned buffers,
				 const std::string &between, const std::string &rest)
	: pipeline_(std::make_unique<test::Pipeline>(std::format(
		  "heapcamerasrc name=source camera-name=vivid heap={} buffers={} "
		  "! video/x-raw,width=320,height=180,framerate=60/1 {} "
		  "! appsink name=application sync=false max-buffers=1 enable-last-sample=false {}",
		  heap, buffers, between, rest)))
{
	pipeline_->setState(GST_STATE_PLAYING);
}

std::optional<KeptFrame> KeepingConsumer::pull(GstClockTime timeout)
{
	return pullFrom("application", timeout);
}

std::optional<KeptFrame> KeepingConsumer::pullFrom(const char *appsink, GstClockTime timeout)
{
	GstSample *sample =
		gst_app_sink_try_pull_sample(GST_APP_SINK(pipeline_->element(appsink)), timeout);
	if (!sample)
		return std::nullopt;
	KeptFrame frame(gst_buffer_ref(gst_sample_get_buffer(sample)));
	gst_sample_unref(sample);
	return frame;
}

unsigned KeepingConsumer::flow(unsigned frames)
{
	unsigned came = 0;
	while (came < frames && pull())
		came++;
	return came;
}

double KeepingConsumer::end()
{
	const gint64 before = g_get_monotonic_time();
	pipeline_.reset();
	return double(g_get_monotonic_time() - before) / G_USEC_PER_SEC;
}

std::string KeepingConsumer::warnings()
{
	pipeline_->readMessages();
	std::string text;
	for (const test::Posted &warning : pipeline_->warnings())
		text += warning.message + " ";
	return text;
}

std::optional<std::string> KeepingConsumer::starved()
{
	pipeline_->readMessages();
	const auto said = pipeline_->elementMessages("heapflow-starved");
	return said.empty() ? std::nullopt : std::optional(said.front());
}

} /* namespace heapflow::torture */
