/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_kms.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <format>
#include <stdexcept>

#include <drm.h>
#include <drm_mode.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using heapflow::test::FakeKms;

namespace
{

std::mutex registryMutex;
std::map<uint64_t, FakeKms *> registry; /* by the inode of the socket */

uint64_t inodeOf(int fd)
{
	struct stat status = {};
	return fstat(fd, &status) ? 0 : status.st_ino;
}

/* As the kernel gives arrays: only when there is room, and always their number. */
template<typename Count, typename T>
void give(uint64_t target, Count &count, const std::vector<T> &data)
{
	if (target && !data.empty() && count >= data.size())
		std::memcpy(reinterpret_cast<void *>(target), data.data(), data.size() * sizeof(T));
	count = static_cast<Count>(data.size());
}

} /* namespace */

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (_IOC_TYPE(request) == DRM_IOCTL_BASE) {
		if (FakeKms *fake = FakeKms::of(fd)) {
			const int code = fake->handle(request, argument);
			if (!code)
				return 0;
			errno = code;
			return -1;
		}
	}
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

namespace heapflow::test
{

FakeKms *FakeKms::of(int fd)
{
	const uint64_t inode = inodeOf(fd);
	const std::lock_guard lock(registryMutex);
	const auto found = registry.find(inode);
	return found == registry.end() ? nullptr : found->second;
}

FakeKms::FakeKms(FakeDisplay display) : display_(std::move(display))
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		throw std::runtime_error("no socket pair");
	device_.reset(ends[0]);
	kernel_.reset(ends[1]);
	inode_ = inodeOf(device_.get());

	addRange(connector, "CRTC_ID", UINT32_MAX, 0);
	if (display_.hdr) {
		addBlob(connector, "HDR_OUTPUT_METADATA", 0);
		addEnum(connector, "Colorspace", {"Default", "BT2020_RGB"}, 0);
		addRange(connector, "max bpc", 12, 8);
		addEnum(connector, "content type", {"No Data", "Graphics", "Photo", "Cinema"}, 0);
	}
	if (display_.variableRefresh)
		addRange(connector, "vrr_capable", 1, 1, DRM_MODE_PROP_IMMUTABLE);
	if (!display_.panelOrientation.empty())
		addEnum(connector, "panel orientation", {"Normal", display_.panelOrientation}, 1,
			DRM_MODE_PROP_IMMUTABLE);
	addRange(crtc, "ACTIVE", 1, 0);
	addBlob(crtc, "MODE_ID", 0);
	addRange(crtc, "OUT_FENCE_PTR", UINT64_MAX, 0);
	if (display_.variableRefresh)
		addRange(crtc, "VRR_ENABLED", 1, 0);
	for (size_t i = 0; i < display_.planes.size(); i++)
		addPlane(firstPlane + static_cast<uint32_t>(i), display_.planes[i]);

	const std::lock_guard lock(registryMutex);
	registry[inode_] = this;
}

FakeKms::~FakeKms()
{
	const std::lock_guard lock(registryMutex);
	registry.erase(inode_);
}

void FakeKms::addPlane(uint32_t id, const FakePlane &plane)
{
	addEnum(id, "type", {"Overlay", "Primary", "Cursor"}, plane.type, DRM_MODE_PROP_IMMUTABLE);
	for (const char *name : {"FB_ID", "CRTC_ID", "SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X",
				 "CRTC_Y", "CRTC_W", "CRTC_H", "IN_FENCE_FD"})
		addRange(id, name, UINT64_MAX, 0);
	if (plane.colour) {
		addEnum(id, "COLOR_ENCODING",
			{"ITU-R BT.601 YCbCr", "ITU-R BT.709 YCbCr", "ITU-R BT.2020 YCbCr"}, 0);
		addEnum(id, "COLOR_RANGE", {"YCbCr limited range", "YCbCr full range"}, 0);
	}
	if (plane.alpha)
		addRange(id, "alpha", 0xffff, 0xffff);
	if (plane.zpos >= 0)
		addRange(id, "zpos", 255, static_cast<uint64_t>(plane.zpos),
			 plane.zposFixed ? DRM_MODE_PROP_IMMUTABLE : 0);
	if (plane.rotations) {
		Property rotation{"rotation", DRM_MODE_PROP_BITMASK, {}, {}};
		for (uint64_t bit = 0; bit < 6; bit++) {
			if (plane.rotations & (1u << bit))
				rotation.choices.emplace_back(std::format("bit-{}", bit), bit);
		}
		addProperty(id, rotation, DRM_MODE_ROTATE_0);
	}

	/* struct drm_format_modifier_blob: header, formats, modifiers with a mask of formats. */
	drm_format_modifier_blob header = {};
	std::vector<uint32_t> formats;
	std::vector<drm_format_modifier> modifiers;
	for (const auto &[fourcc, list] : plane.formats) {
		for (const uint64_t modifier : list)
			modifiers.push_back({uint64_t{1} << formats.size(), 0, 0, modifier});
		formats.push_back(fourcc);
	}
	header.version = FORMAT_BLOB_CURRENT;
	header.count_formats = static_cast<uint32_t>(formats.size());
	header.formats_offset = sizeof(header);
	header.count_modifiers = static_cast<uint32_t>(modifiers.size());
	header.modifiers_offset =
		static_cast<uint32_t>((sizeof(header) + formats.size() * 4 + 7) & ~size_t{7});
	std::vector<uint8_t> blob(header.modifiers_offset +
				  modifiers.size() * sizeof(drm_format_modifier));
	std::memcpy(blob.data(), &header, sizeof(header));
	std::memcpy(&blob[header.formats_offset], formats.data(), formats.size() * 4);
	std::memcpy(&blob[header.modifiers_offset], modifiers.data(),
		    modifiers.size() * sizeof(drm_format_modifier));
	addBlob(id, "IN_FORMATS", storeBlob(blob.data(), blob.size()), DRM_MODE_PROP_IMMUTABLE);
}

uint32_t FakeKms::addProperty(uint32_t object, Property property, uint64_t value)
{
	const uint32_t id = nextId_++;
	properties_[id] = std::move(property);
	objects_[object].push_back(id);
	state_[{object, id}] = value;
	return id;
}

void FakeKms::addRange(uint32_t object, const std::string &name, uint64_t maximum, uint64_t value,
		       uint32_t flags)
{
	addProperty(object, {name, DRM_MODE_PROP_RANGE | flags, {0, maximum}, {}}, value);
}

void FakeKms::addEnum(uint32_t object, const std::string &name,
		      const std::vector<std::string> &choices, uint64_t value, uint32_t flags)
{
	Property property{name, DRM_MODE_PROP_ENUM | flags, {}, {}};
	for (size_t i = 0; i < choices.size(); i++)
		property.choices.emplace_back(choices[i], i);
	addProperty(object, std::move(property), value);
}

void FakeKms::addBlob(uint32_t object, const std::string &name, uint64_t value, uint32_t flags)
{
	addProperty(object, {name, DRM_MODE_PROP_BLOB | flags, {}, {}}, value);
}

uint64_t FakeKms::storeBlob(const void *data, size_t size)
{
	const auto *bytes = static_cast<const uint8_t *>(data);
	blobs_[nextId_] = {bytes, bytes + size};
	return nextId_++;
}

uint32_t FakeKms::propertyId(uint32_t object, const std::string &name) const
{
	const auto list = objects_.find(object);
	if (list == objects_.end())
		return 0;
	for (const uint32_t id : list->second) {
		if (properties_.at(id).name == name)
			return id;
	}
	return 0;
}

uint64_t FakeKms::in(const State &state, uint32_t object, const std::string &name) const
{
	const auto found = state.find({object, propertyId(object, name)});
	return found == state.end() ? 0 : found->second;
}

bool FakeKms::flip(int64_t timestamp)
{
	const std::lock_guard lock(mutex_);
	return flipLocked(timestamp);
}

bool FakeKms::flipLocked(int64_t timestamp)
{
	if (pending_.empty())
		return false;
	drm_event_vblank event = {};
	event.base = {DRM_EVENT_FLIP_COMPLETE, sizeof(event)};
	event.user_data = pending_.front();
	event.crtc_id = crtc;
	event.sequence = ++sequence_;
	event.tv_sec = static_cast<uint32_t>(timestamp / 1'000'000'000);
	event.tv_usec = static_cast<uint32_t>(timestamp % 1'000'000'000 / 1000);
	pending_.pop_front();
	return write(kernel_.get(), &event, sizeof(event)) == sizeof(event);
}

void FakeKms::setInstantFlips(bool instant)
{
	const std::lock_guard lock(mutex_);
	instantFlips_ = instant;
}

void FakeKms::setConnected(bool connected)
{
	const std::lock_guard lock(mutex_);
	display_.connected = connected;
}

void FakeKms::setConnectorNumber(uint32_t number)
{
	const std::lock_guard lock(mutex_);
	connectorNumber_ = number;
}

void FakeKms::setMaster(bool master)
{
	const std::lock_guard lock(mutex_);
	master_ = master;
}

void FakeKms::remove()
{
	const std::lock_guard lock(mutex_);
	gone_ = true;
}

void FakeKms::failCall(unsigned number, int code)
{
	const std::lock_guard lock(mutex_);
	calls_ = 0;
	failAt_ = number;
	failCode_ = code;
}

void FakeKms::failCommits(unsigned count, int code)
{
	const std::lock_guard lock(mutex_);
	refusedCommits_ = count;
	refusalCode_ = code;
}

void FakeKms::setRefusal(std::function<int(const FakeCommit &)> refuse)
{
	const std::lock_guard lock(mutex_);
	refuse_ = std::move(refuse);
}

unsigned FakeKms::calls() const
{
	const std::lock_guard lock(mutex_);
	return calls_;
}

std::vector<FakeCommit> FakeKms::commits() const
{
	const std::lock_guard lock(mutex_);
	return commits_;
}

unsigned FakeKms::tests() const
{
	const std::lock_guard lock(mutex_);
	return tests_;
}

size_t FakeKms::framebuffers() const
{
	const std::lock_guard lock(mutex_);
	return framebuffers_.size();
}

size_t FakeKms::handles() const
{
	const std::lock_guard lock(mutex_);
	return handles_.size();
}

size_t FakeKms::blobs() const
{
	const std::lock_guard lock(mutex_);
	return userBlobs_.size();
}

uint64_t FakeKms::value(uint32_t object, const std::string &property) const
{
	const std::lock_guard lock(mutex_);
	return in(state_, object, property);
}

void FakeKms::setValue(uint32_t object, const std::string &property, uint64_t value)
{
	const std::lock_guard lock(mutex_);
	state_[{object, propertyId(object, property)}] = value;
}

int FakeKms::handle(unsigned long request, void *argument)
{
	const std::lock_guard lock(mutex_);
	if (gone_)
		return ENODEV;
	if (++calls_ == failAt_)
		return failCode_;
	return dispatch(request, argument);
}

int FakeKms::dispatch(unsigned long request, void *argument)
{
	switch (request) {
	case DRM_IOCTL_VERSION: {
		auto *version = static_cast<drm_version *>(argument);
		static const std::string name = "fake";
		if (version->name && version->name_len >= name.size())
			std::memcpy(version->name, name.data(), name.size());
		version->name_len = name.size();
		version->date_len = version->desc_len = 0;
		return 0;
	}
	case DRM_IOCTL_SET_CLIENT_CAP:
		return 0;
	case DRM_IOCTL_GET_CAP: {
		auto *cap = static_cast<drm_get_cap *>(argument);
		cap->value =
			cap->capability == DRM_CAP_ADDFB2_MODIFIERS ||
			(cap->capability == DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP && display_.asyncFlips);
		return 0;
	}
	case DRM_IOCTL_AUTH_MAGIC: /* drmIsMaster() asks with magic 0 */
		return master_ ? EINVAL : EACCES;
	case DRM_IOCTL_SET_MASTER:
		return master_ ? 0 : EBUSY;
	case DRM_IOCTL_MODE_GETRESOURCES:
		return getResources(argument);
	case DRM_IOCTL_MODE_GETCONNECTOR:
		return getConnector(argument);
	case DRM_IOCTL_MODE_GETENCODER: {
		auto *encoder = static_cast<drm_mode_get_encoder *>(argument);
		encoder->possible_crtcs = 1;
		return 0;
	}
	case DRM_IOCTL_MODE_GETPLANERESOURCES: {
		auto *list = static_cast<drm_mode_get_plane_res *>(argument);
		std::vector<uint32_t> planes;
		for (size_t i = 0; i < display_.planes.size(); i++)
			planes.push_back(firstPlane + static_cast<uint32_t>(i));
		give(list->plane_id_ptr, list->count_planes, planes);
		return 0;
	}
	case DRM_IOCTL_MODE_GETPLANE:
		return getPlane(argument);
	case DRM_IOCTL_MODE_OBJ_GETPROPERTIES:
		return getProperties(argument);
	case DRM_IOCTL_MODE_GETPROPERTY:
		return getProperty(argument);
	case DRM_IOCTL_MODE_GETPROPBLOB:
		return getBlob(argument);
	case DRM_IOCTL_MODE_CREATEPROPBLOB: {
		auto *blob = static_cast<drm_mode_create_blob *>(argument);
		blob->blob_id = static_cast<uint32_t>(
			storeBlob(reinterpret_cast<void *>(blob->data), blob->length));
		userBlobs_.push_back(blob->blob_id);
		return 0;
	}
	case DRM_IOCTL_MODE_DESTROYPROPBLOB: {
		/* The contents stay for those properties that are set to it. */
		auto *blob = static_cast<drm_mode_destroy_blob *>(argument);
		return std::erase(userBlobs_, blob->blob_id) ? 0 : ENOENT;
	}
	case DRM_IOCTL_PRIME_FD_TO_HANDLE: {
		auto *prime = static_cast<drm_prime_handle *>(argument);
		const uint64_t inode = inodeOf(prime->fd);
		if (!inode)
			return EBADF;
		for (const auto &[handle, known] : handles_) {
			if (known == inode) {
				prime->handle = handle;
				return 0;
			}
		}
		prime->handle = nextId_++;
		handles_[prime->handle] = inode;
		return 0;
	}
	case DRM_IOCTL_GEM_CLOSE:
		return handles_.erase(static_cast<drm_gem_close *>(argument)->handle) ? 0 : EINVAL;
	case DRM_IOCTL_MODE_ADDFB2:
		return addFramebuffer(argument);
	case DRM_IOCTL_MODE_RMFB:
		return removeFramebuffer(*static_cast<uint32_t *>(argument));
	case DRM_IOCTL_MODE_GETFB: {
		auto *framebuffer = static_cast<drm_mode_fb_cmd *>(argument);
		framebuffer->handle = 0;
		return framebuffers_.contains(framebuffer->fb_id) ? 0 : ENOENT;
	}
	case DRM_IOCTL_MODE_ATOMIC:
		return atomic(argument);
	default:
		return ENOTTY;
	}
}

int FakeKms::getResources(void *argument)
{
	auto *resources = static_cast<drm_mode_card_res *>(argument);
	give(resources->crtc_id_ptr, resources->count_crtcs, std::vector<uint32_t>{crtc});
	give(resources->connector_id_ptr, resources->count_connectors,
	     std::vector<uint32_t>{connector});
	give(resources->encoder_id_ptr, resources->count_encoders, std::vector<uint32_t>{25});
	resources->count_fbs = 0;
	resources->min_width = display_.minimumWidth;
	resources->min_height = display_.minimumHeight;
	resources->max_width = display_.maximumWidth;
	resources->max_height = display_.maximumHeight;
	return 0;
}

int FakeKms::getConnector(void *argument)
{
	auto *info = static_cast<drm_mode_get_connector *>(argument);
	if (info->connector_id != connector)
		return ENOENT;
	info->connector_type = display_.connectorType;
	info->connector_type_id = connectorNumber_;
	info->connection = display_.connected ? DRM_MODE_CONNECTED : DRM_MODE_DISCONNECTED;
	static_assert(sizeof(drmModeModeInfo) == sizeof(drm_mode_modeinfo));
	give(info->modes_ptr, info->count_modes,
	     display_.connected ? display_.modes : std::vector<drmModeModeInfo>{});
	give(info->encoders_ptr, info->count_encoders, std::vector<uint32_t>{25});
	info->count_props = 0;
	return 0;
}

int FakeKms::getPlane(void *argument)
{
	auto *info = static_cast<drm_mode_get_plane *>(argument);
	const uint32_t index = info->plane_id - firstPlane;
	if (index >= display_.planes.size())
		return ENOENT;
	std::vector<uint32_t> formats;
	for (const auto &[fourcc, modifiers] : display_.planes[index].formats)
		formats.push_back(fourcc);
	info->possible_crtcs = 1;
	info->crtc_id = static_cast<uint32_t>(in(state_, info->plane_id, "CRTC_ID"));
	info->fb_id = static_cast<uint32_t>(in(state_, info->plane_id, "FB_ID"));
	give(info->format_type_ptr, info->count_format_types, formats);
	return 0;
}

int FakeKms::getProperties(void *argument)
{
	auto *list = static_cast<drm_mode_obj_get_properties *>(argument);
	const auto found = objects_.find(list->obj_id);
	if (found == objects_.end())
		return ENOENT;
	std::vector<uint64_t> values;
	for (const uint32_t property : found->second)
		values.push_back(state_.at({list->obj_id, property}));
	uint32_t count = list->count_props;
	give(list->prop_values_ptr, count, values);
	give(list->props_ptr, list->count_props, found->second);
	return 0;
}

int FakeKms::getProperty(void *argument)
{
	auto *info = static_cast<drm_mode_get_property *>(argument);
	const auto found = properties_.find(info->prop_id);
	if (found == properties_.end())
		return ENOENT;
	const Property &property = found->second;
	info->flags = property.flags;
	std::memset(info->name, 0, sizeof(info->name));
	property.name.copy(info->name, sizeof(info->name) - 1);
	std::vector<uint64_t> values = property.values;
	std::vector<drm_mode_property_enum> choices;
	for (const auto &[name, value] : property.choices) {
		drm_mode_property_enum choice = {};
		choice.value = value;
		name.copy(choice.name, sizeof(choice.name) - 1);
		choices.push_back(choice);
		values.push_back(value);
	}
	give(info->values_ptr, info->count_values, values);
	give(info->enum_blob_ptr, info->count_enum_blobs, choices);
	return 0;
}

int FakeKms::getBlob(void *argument)
{
	auto *blob = static_cast<drm_mode_get_blob *>(argument);
	const auto found = blobs_.find(blob->blob_id);
	if (found == blobs_.end())
		return ENOENT;
	if (blob->length >= found->second.size())
		std::memcpy(reinterpret_cast<void *>(blob->data), found->second.data(),
			    found->second.size());
	blob->length = static_cast<uint32_t>(found->second.size());
	return 0;
}

int FakeKms::addFramebuffer(void *argument)
{
	auto *info = static_cast<drm_mode_fb_cmd2 *>(argument);
	if (!handles_.contains(info->handles[0]))
		return ENOENT;
	if (info->pitches[0] % display_.pitchAlignment)
		return EINVAL;
	const uint64_t modifier = info->flags & DRM_MODE_FB_MODIFIERS ? info->modifier[0] : 0;
	const bool known = std::ranges::any_of(display_.planes, [&](const FakePlane &plane) {
		return std::ranges::any_of(plane.formats, [&](const auto &format) {
			return format.first == info->pixel_format &&
			       std::ranges::find(format.second, modifier) != format.second.end();
		});
	});
	if (!known)
		return EINVAL;
	for (size_t i = 0; i < planeInodes_.size(); i++)
		planeInodes_[i] = info->handles[i] ? handles_[info->handles[i]] : 0;
	info->fb_id = nextId_++;
	framebuffers_[info->fb_id] = {info->pixel_format, info->width, info->height, modifier};
	return 0;
}

/* Takes it off the screen, as drm_framebuffer_remove() does. */
int FakeKms::removeFramebuffer(uint32_t framebuffer)
{
	for (size_t i = 0; i < display_.planes.size(); i++) {
		const auto plane = firstPlane + static_cast<uint32_t>(i);
		if (in(state_, plane, "FB_ID") != framebuffer)
			continue;
		state_[{plane, propertyId(plane, "FB_ID")}] = 0;
		state_[{plane, propertyId(plane, "CRTC_ID")}] = 0;
	}
	return framebuffers_.erase(framebuffer) ? 0 : ENOENT;
}

} /* namespace heapflow::test */
