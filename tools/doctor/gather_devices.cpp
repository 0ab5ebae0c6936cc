/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gather.h"

#include "program_output.h"

#include "heapflow/heap/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow::tool::doctor
{

namespace
{

namespace fs = std::filesystem;

/* "/dev/video0", "/dev/video1", ... "/dev/video10", by number. */
std::vector<std::string> nodesOf(const fs::path &directory, std::string_view prefix)
{
	std::vector<std::pair<unsigned long, std::string>> found;
	std::error_code error;
	fs::directory_iterator entry(directory, error);
	for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
		const std::string name = entry->path().filename().string();
		if (!name.starts_with(prefix) || name.size() == prefix.size())
			continue;
		const std::string number = name.substr(prefix.size());
		std::error_code ignored;
		if (std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }) &&
		    entry->is_character_file(ignored))
			found.emplace_back(std::strtoul(number.c_str(), nullptr, 10),
					   entry->path().string());
	}
	std::ranges::sort(found);
	std::vector<std::string> nodes;
	for (auto &[number, node] : found)
		nodes.push_back(std::move(node));
	return nodes;
}

std::string accessOf(const std::string &node)
{
	struct stat status = {};
	if (stat(node.c_str(), &status) != 0)
		return {};
	Heap shown;
	shown.mode = status.st_mode;
	shown.owner = status.st_uid;
	shown.group = status.st_gid;
	return describeAccess(shown);
}

/* A text of a fixed place that the kernel filled, whose end need not be marked. */
template<size_t Size>
std::string fixedText(const __u8 (&text)[Size])
{
	const auto *begin = reinterpret_cast<const char *>(text);
	return {begin, strnlen(begin, Size)};
}

int repeated(int fd, unsigned long request, void *argument)
{
	int result = 0;
	do {
		result = ioctl(fd, request, argument);
	} while (result < 0 && errno == EINTR);
	return result;
}

/*
 * VIDIOC_CREATE_BUFS for no buffers says what the queue can do and makes none, also while another
 * program streams (vb2_ioctl_create_bufs()).
 */
std::optional<bool> importsDmabuf(int fd, bool severalPlanes)
{
	v4l2_create_buffers request = {};
	request.memory = V4L2_MEMORY_DMABUF;
	request.format.type =
		severalPlanes ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
	if (repeated(fd, VIDIOC_G_FMT, &request.format) < 0)
		return std::nullopt;
	if (repeated(fd, VIDIOC_CREATE_BUFS, &request) < 0)
		return errno == EINVAL ? std::optional(false) : std::nullopt;
	return (request.capabilities & V4L2_BUF_CAP_SUPPORTS_DMABUF) != 0;
}

CameraFacts examineCamera(const std::string &node)
{
	CameraFacts facts;
	facts.node = node;
	facts.access = accessOf(node);
	const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
	if (!fd.valid()) {
		facts.openError = errno;
		return facts;
	}
	v4l2_capability capability = {};
	if (repeated(fd.get(), VIDIOC_QUERYCAP, &capability) < 0)
		return facts;
	facts.driver = fixedText(capability.driver);
	facts.card = fixedText(capability.card);
	const uint32_t can = capability.capabilities & V4L2_CAP_DEVICE_CAPS
				     ? capability.device_caps
				     : capability.capabilities;
	const bool several = (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0;
	facts.capture = several || (can & V4L2_CAP_VIDEO_CAPTURE) != 0;
	facts.streaming = (can & V4L2_CAP_STREAMING) != 0;
	if (facts.capture && facts.streaming)
		facts.importsDmabuf = importsDmabuf(fd.get(), several);
	return facts;
}

bool drmCapability(int fd, uint64_t which, uint64_t bit)
{
	drm_get_cap capability = {};
	capability.capability = which;
	return repeated(fd, DRM_IOCTL_GET_CAP, &capability) == 0 && (capability.value & bit) != 0;
}

std::vector<ConnectorFacts> connectorsOf(const std::string &card)
{
	std::vector<ConnectorFacts> connectors;
	std::error_code error;
	fs::directory_iterator entry("/sys/class/drm", error);
	for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
		const std::string name = entry->path().filename().string();
		if (!name.starts_with(card + "-"))
			continue;
		ConnectorFacts connector{name.substr(card.size() + 1), {}};
		std::getline(std::ifstream(entry->path() / "status"), connector.status);
		connectors.push_back(std::move(connector));
	}
	std::ranges::sort(connectors, {}, &ConnectorFacts::name);
	return connectors;
}

/* "weston (417)" for each process but this one that has the node open, as far as may be seen. */
std::vector<std::string> usersOf(const std::string &node)
{
	std::vector<std::string> users;
	std::error_code error;
	fs::directory_iterator process("/proc", error);
	for (; !error && process != fs::directory_iterator(); process.increment(error)) {
		const std::string id = process->path().filename().string();
		if (id.find_first_not_of("0123456789") != std::string::npos ||
		    id == std::to_string(getpid()))
			continue;
		std::error_code hidden;
		fs::directory_iterator fd(process->path() / "fd", hidden);
		for (; !hidden && fd != fs::directory_iterator(); fd.increment(hidden)) {
			std::error_code gone;
			if (fs::read_symlink(fd->path(), gone) != node)
				continue;
			std::string name;
			std::getline(std::ifstream(process->path() / "comm"), name);
			users.push_back(name + " (" + id + ")");
			break;
		}
	}
	std::ranges::sort(users);
	return users;
}

DisplayFacts examineDisplay(const std::string &node)
{
	DisplayFacts facts;
	facts.node = node;
	facts.access = accessOf(node);
	const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
	if (!fd.valid()) {
		facts.openError = errno;
		return facts;
	}
	/* Opening made this process the master if there was none: give it back at once. */
	facts.masterElsewhere = ioctl(fd.get(), DRM_IOCTL_DROP_MASTER, 0) != 0;

	char driver[64] = {};
	drm_version version = {};
	version.name = driver;
	version.name_len = sizeof(driver) - 1;
	if (repeated(fd.get(), DRM_IOCTL_VERSION, &version) == 0)
		facts.driver = driver;
	drm_mode_card_res resources = {};
	facts.kms = repeated(fd.get(), DRM_IOCTL_MODE_GETRESOURCES, &resources) == 0 &&
		    resources.count_crtcs > 0;
	drm_set_client_cap atomic = {};
	atomic.capability = DRM_CLIENT_CAP_ATOMIC;
	atomic.value = 1;
	facts.atomic = repeated(fd.get(), DRM_IOCTL_SET_CLIENT_CAP, &atomic) == 0;
	facts.primeImport = drmCapability(fd.get(), DRM_CAP_PRIME, DRM_PRIME_CAP_IMPORT);
	facts.dumb = drmCapability(fd.get(), DRM_CAP_DUMB_BUFFER, 1);
	facts.connectors = connectorsOf(fs::path(node).filename().string());
	if (facts.masterElsewhere)
		facts.users = usersOf(node);
	return facts;
}

} /* namespace */

DeviceFacts gatherDevices()
{
	DeviceFacts facts;
	facts.looked = true;
	for (const std::string &node : nodesOf("/dev", "video"))
		facts.cameras.push_back(examineCamera(node));
	facts.mediaNodes = nodesOf("/dev", "media");
	for (const std::string &node : facts.mediaNodes) {
		if (faccessat(AT_FDCWD, node.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
			facts.closedMediaNodes.push_back(node);
	}
	for (const std::string &node : nodesOf("/dev/dri", "card"))
		facts.displays.push_back(examineDisplay(node));
	return facts;
}

GstreamerFacts gatherGstreamer()
{
	using namespace std::chrono_literals;
	GstreamerFacts facts;
	facts.looked = true;
	const char *path = std::getenv("GST_PLUGIN_PATH");
	facts.pluginPath = path ? path : "";
	for (const char *element : {"heapcamerasrc", "heapalloc", "heapkmssink"}) {
		const auto answer = runProgram({"gst-inspect-1.0", "--exists", element}, 10s);
		if (!answer) {
			if (answer.error().code != ENOENT) {
				facts.inspect = "gst-inspect-1.0";
				facts.trouble = answer.error().text();
			}
			break;
		}
		facts.inspect = "gst-inspect-1.0";
		if (answer->status >= 128) {
			facts.trouble =
				"it was ended by signal " + std::to_string(answer->status - 128);
			break;
		}
		(answer->status == 0 ? facts.known : facts.unknown).emplace_back(element);
	}
	return facts;
}

} /* namespace heapflow::tool::doctor */
