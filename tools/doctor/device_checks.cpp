/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cameras, displays, and GStreamer's view of them. */
#include "checks.h"

#include <algorithm>
#include <cerrno>

namespace heapflow::tool::doctor
{

namespace
{

std::string closedText(const std::string &node, int error, const std::string &access)
{
	return node + " (" + errnoName(error) + ", " + access + ")";
}

/* EPERM is the answer of the device cgroup, EACCES that of the node's mode. */
std::vector<std::string> openAdvice(const SystemFacts &facts, int error, const char *group)
{
	if (error == EPERM)
		return serviceLines(facts);
	if (error == EACCES)
		return {"be in the group " + std::string(group) + ": usermod -aG " + group +
			" USER, and log in anew"};
	return {"the device answers " + errnoName(error) + ": dmesg says what its driver met"};
}

void add(std::string &text, const std::string &part)
{
	text += (text.empty() ? "" : ", ") + part;
}

Finding judgeCameras(const SystemFacts &facts)
{
	Finding finding{"cameras.capture", Status::Ok, {}, {}, {"/dev/video*", "VIDIOC_QUERYCAP"}};
	std::string importing;
	std::string other;
	std::string closed;
	size_t captures = 0;
	size_t refusing = 0;
	int error = 0;
	for (const CameraFacts &camera : facts.devices.cameras) {
		if (camera.openError) {
			error = camera.openError;
			add(closed, closedText(camera.node, error, camera.access));
			continue;
		}
		if (!camera.capture)
			continue;
		captures++;
		const std::string text = camera.node + " " + camera.driver;
		if (camera.streaming && camera.importsDmabuf.value_or(true)) {
			add(importing, text);
		} else {
			refusing++;
			add(other, text);
		}
	}
	if (captures == 0) {
		finding.status = Status::Fail;
		finding.seen = closed.empty() ? std::to_string(facts.devices.cameras.size()) +
							" video nodes, none of which captures"
					      : "no camera may be opened: " + closed;
		finding.advice =
			closed.empty()
				? std::vector<std::string>{"load the camera's driver; v4l2-ctl "
							   "--list-devices shows what there is"}
				: openAdvice(facts, error, "video");
		return finding;
	}
	finding.seen = std::to_string(captures) + " nodes capture";
	if (!importing.empty())
		finding.seen += "; dma-bufs are taken by " + importing;
	if (refusing > 0) {
		finding.status = refusing == captures ? Status::Fail : Status::Warn;
		finding.seen += "; not by " + other;
		finding.advice = {"a driver without DMABUF in its queue can only be copied from: "
				  "another camera, or v4l2src with io-mode=dmabuf, which exports"};
	}
	if (!closed.empty()) {
		finding.status = std::max(finding.status, Status::Warn);
		finding.seen += "; may not be opened: " + closed;
		const auto advice = openAdvice(facts, error, "video");
		finding.advice.insert(finding.advice.end(), advice.begin(), advice.end());
	}
	return finding;
}

Finding judgeMedia(const SystemFacts &facts)
{
	const DeviceFacts &devices = facts.devices;
	Finding finding{"cameras.media", Status::Ok, {}, {}, {"/dev/media*"}};
	finding.seen = std::to_string(devices.mediaNodes.size()) + " media devices, " +
		       std::to_string(devices.mediaNodes.size() - devices.closedMediaNodes.size()) +
		       " may be opened; libcamera finds cameras by them";
	if (!devices.closedMediaNodes.empty()) {
		finding.status = Status::Warn;
		finding.advice = openAdvice(facts, EACCES, "video");
	}
	return finding;
}

std::string connectorText(const DisplayFacts &display)
{
	std::string text;
	for (const ConnectorFacts &connector : display.connectors)
		add(text, connector.name + " " + connector.status);
	return text.empty() ? "no connectors" : text;
}

bool isUsable(const DisplayFacts &display)
{
	return display.openError == 0 && display.kms && display.atomic && display.primeImport;
}

/* Why this one cannot show a dma-buf by atomic KMS; empty when it can. */
std::string lackOf(const DisplayFacts &display)
{
	if (display.openError)
		return closedText(display.node, display.openError, display.access);
	if (!display.kms)
		return display.node + " " + display.driver + " (no CRTC: it is no display)";
	if (!display.atomic)
		return display.node + " " + display.driver + " (no atomic mode setting)";
	return display.primeImport ? ""
				   : display.node + " " + display.driver + " (imports no dma-buf)";
}

Finding judgeDisplays(const SystemFacts &facts)
{
	Finding finding{
		"displays.kms", Status::Ok, {}, {}, {"/dev/dri/card*", "DRM_IOCTL_GET_CAP"}};
	std::string usable;
	std::string lacking;
	int error = 0;
	for (const DisplayFacts &display : facts.devices.displays) {
		if (isUsable(display))
			add(usable, display.node + " " + display.driver + " (" +
					    connectorText(display) + ")");
		else
			add(lacking, lackOf(display));
		if (display.openError)
			error = display.openError;
	}
	if (!usable.empty()) {
		finding.seen = "takes dma-bufs by atomic KMS: " + usable;
		return finding;
	}
	finding.status = Status::Fail;
	finding.seen = facts.devices.displays.empty() ? "there is no /dev/dri/card*"
						      : "no display can be used: " + lacking;
	finding.advice =
		error ? openAdvice(facts, error, "video")
		      : std::vector<std::string>{"load the display's driver; heapkmssink needs "
						 "one with atomic mode setting and PRIME"};
	return finding;
}

Finding judgeMaster(const SystemFacts &facts)
{
	Finding finding{
		"displays.master", Status::Ok, {}, {}, {"DRM_IOCTL_DROP_MASTER", "/proc/*/fd"}};
	std::string taken;
	size_t usable = 0;
	size_t free = 0;
	for (const DisplayFacts &display : facts.devices.displays) {
		if (!isUsable(display))
			continue;
		usable++;
		if (!display.masterElsewhere) {
			free++;
			continue;
		}
		std::string users;
		for (const std::string &user : display.users)
			add(users, user);
		add(taken,
		    display.node + " by " +
			    (users.empty() ? "a program that this user may not see" : users));
	}
	if (usable == 0) {
		finding.status = Status::Unknown;
		finding.seen = "there is no display that could have a master";
		return finding;
	}
	finding.seen =
		std::to_string(free) + " of " + std::to_string(usable) + " displays are free";
	if (taken.empty())
		return finding;
	finding.status = free == 0 ? Status::Fail : Status::Warn;
	finding.seen += "; taken: " + taken;
	finding.advice = {
		"one program at a time sets modes: end the compositor, or switch to another "
		"virtual terminal and start there"};
	return finding;
}

Finding judgeConnected(const SystemFacts &facts)
{
	Finding finding{"displays.connected", Status::Ok, {}, {}, {"/sys/class/drm/*/status"}};
	size_t connected = 0;
	size_t unsure = 0;
	for (const DisplayFacts &display : facts.devices.displays) {
		for (const ConnectorFacts &connector : display.connectors) {
			connected += connector.status == "connected";
			unsure += connector.status == "unknown" &&
				  !connector.name.starts_with("Writeback");
		}
	}
	finding.seen = std::to_string(connected) + " connectors have a screen";
	if (connected > 0)
		return finding;
	finding.status = unsure ? Status::Unknown : Status::Warn;
	finding.seen += unsure ? ", " + std::to_string(unsure) + " cannot say" : "";
	finding.advice = {
		"plug a screen in; sysfs shows what the last program that asked was told"};
	return finding;
}

Finding notLooked(const char *id)
{
	return {id, Status::Unknown, "not looked at: the devices of a copy are not here", {}, {}};
}

} /* namespace */

std::vector<Finding> judgeDevices(const SystemFacts &facts)
{
	if (!facts.devices.looked) {
		std::vector<Finding> findings;
		for (const char *id : kDeviceChecks)
			findings.push_back(notLooked(id));
		return findings;
	}
	return {judgeCameras(facts), judgeMedia(facts), judgeDisplays(facts), judgeMaster(facts),
		judgeConnected(facts)};
}

std::vector<Finding> judgeGstreamer(const GstreamerFacts &facts)
{
	if (!facts.looked)
		return {notLooked(kGstreamerCheck)};
	Finding finding{"gstreamer.plugin", Status::Ok, {}, {}, {"gst-inspect-1.0 --exists"}};
	if (!facts.trouble.empty()) {
		finding.status = Status::Warn;
		finding.seen = "gst-inspect-1.0 gave no answer: " + facts.trouble;
		finding.advice = {"remove its cache: rm -r ~/.cache/gstreamer-1.0, and try again"};
		return {finding};
	}
	if (facts.inspect.empty()) {
		finding.status = Status::Unknown;
		finding.seen = "there is no gst-inspect-1.0; the libraries work without GStreamer";
		finding.advice = {
			"for pipelines: apt install gstreamer1.0-tools, and heapflow's plugin"};
		return {finding};
	}
	std::string known;
	std::string unknown;
	for (const std::string &element : facts.known)
		add(known, element);
	for (const std::string &element : facts.unknown)
		add(unknown, element);
	if (!known.empty())
		finding.seen = "GStreamer knows " + known;
	if (unknown.empty())
		return {finding};
	finding.status = Status::Fail;
	finding.seen += (known.empty() ? "GStreamer does not know " : "; not ") + unknown;
	finding.advice = {"install heapflow's plugin, or say where it is: export "
			  "GST_PLUGIN_PATH=DIRECTORY (now '" +
				  facts.pluginPath + "')",
			  "GST_DEBUG=2 gst-inspect-1.0 DIRECTORY/libgstheapflow.so says why it is "
			  "not loaded"};
	return {finding};
}

} /* namespace heapflow::tool::doctor */
