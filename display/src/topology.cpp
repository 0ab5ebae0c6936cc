/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "topology.h"

#include "drm_ptr.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <span>

#include <drm_fourcc.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

std::string connectorName(const drmModeConnector &connector)
{
	const char *type = drmModeGetConnectorTypeName(connector.connector_type);
	return std::format("{}-{}", type ? type : "Unknown", connector.connector_type_id);
}

Connection connection(drmModeConnection state)
{
	switch (state) {
	case DRM_MODE_CONNECTED:
		return Connection::Connected;
	case DRM_MODE_DISCONNECTED:
		return Connection::Disconnected;
	default:
		return Connection::Unknown;
	}
}

Result<CrtcInfo> readCrtc(int drm, uint32_t id, unsigned index, KmsPropertyDefinitions &definitions)
{
	auto object = readKmsObject(drm, id, DRM_MODE_OBJECT_CRTC, definitions);
	if (!object)
		return std::unexpected(object.error());

	CrtcInfo info{.id = id, .index = index, .object = std::move(*object)};
	info.active = info.object.value("ACTIVE");
	const auto mode = readBlob(drm, info.object.value("MODE_ID"));
	if (!mode)
		return std::unexpected(mode.error());
	if (mode->size() == sizeof(drm_mode_modeinfo)) {
		/* drmModeModeInfo mirrors drm_mode_modeinfo field by field (xf86drmMode.h). */
		static_assert(sizeof(drmModeModeInfo) == sizeof(drm_mode_modeinfo));
		std::memcpy(&info.mode.emplace(), mode->data(), mode->size());
	}
	return info;
}

/* Formats with their modifiers from IN_FORMATS; without it a format means linear memory. */
Result<std::vector<FormatModifiers>> readFormats(int drm, const drmModePlane &plane,
						 const KmsObject &object)
{
	std::vector<FormatModifiers> formats;
	const uint64_t blobId = object.value("IN_FORMATS");
	const DrmPtr<drmModePropertyBlobRes, drmModeFreePropertyBlob> blob(
		blobId ? drmModeGetPropertyBlob(drm, static_cast<uint32_t>(blobId)) : nullptr);
	if (blobId && !blob)
		return fail(errno, std::format("cannot read the formats of plane {}", object.id));

	for (const uint32_t fourcc : std::span(plane.formats, plane.count_formats))
		formats.push_back({fourcc, {}});
	drmModeFormatModifierIterator at = {};
	while (blob && drmModeFormatModifierBlobIterNext(blob.get(), &at)) {
		auto format = std::ranges::find(formats, at.fmt, &FormatModifiers::fourcc);
		if (format == formats.end())
			format = formats.insert(format, {at.fmt, {}});
		format->modifiers.push_back(at.mod);
	}
	for (FormatModifiers &format : formats) {
		if (!blob)
			format.modifiers.assign(1, DRM_FORMAT_MOD_LINEAR);
	}
	return formats;
}

Result<PlaneInfo> readPlane(int drm, uint32_t id, KmsPropertyDefinitions &definitions)
{
	const DrmPtr<drmModePlane, drmModeFreePlane> plane(drmModeGetPlane(drm, id));
	if (!plane)
		return fail(errno, std::format("cannot read plane {}", id));
	auto object = readKmsObject(drm, id, DRM_MODE_OBJECT_PLANE, definitions);
	if (!object)
		return std::unexpected(object.error());

	PlaneInfo info{.id = id, .possibleCrtcs = plane->possible_crtcs};
	info.object = std::move(*object);
	switch (info.object.value("type")) {
	case DRM_PLANE_TYPE_PRIMARY:
		info.type = PlaneType::Primary;
		break;
	case DRM_PLANE_TYPE_CURSOR:
		info.type = PlaneType::Cursor;
		break;
	default:
		info.type = PlaneType::Overlay;
		break;
	}
	info.crtcId = static_cast<uint32_t>(info.object.value("CRTC_ID"));
	info.framebuffer = static_cast<uint32_t>(info.object.value("FB_ID"));
	auto formats = readFormats(drm, *plane, info.object);
	if (!formats)
		return std::unexpected(formats.error());
	info.formats = std::move(*formats);
	return info;
}

} /* namespace */

Result<ConnectorInfo> readConnector(int drm, uint32_t id, KmsPropertyDefinitions &definitions)
{
	/* Not drmModeGetConnectorCurrent(): what sysfs and it say is stale until somebody probes.
	 */
	const DrmPtr<drmModeConnector, drmModeFreeConnector> connector(
		drmModeGetConnector(drm, id));
	if (!connector)
		return fail(errno, std::format("cannot read connector {}", id));

	ConnectorInfo info{.id = id, .name = connectorName(*connector)};
	info.type = connector->connector_type;
	info.writeback = connector->connector_type == DRM_MODE_CONNECTOR_WRITEBACK;
	info.connection = connection(connector->connection);
	info.modes.assign(connector->modes, connector->modes + connector->count_modes);
	/* 0 is also what it returns when an encoder cannot be read. */
	errno = 0;
	info.possibleCrtcs = drmModeConnectorGetPossibleCrtcs(drm, connector.get());
	if (!info.possibleCrtcs && errno)
		return fail(errno, std::format("cannot read the encoders of {}", info.name));

	auto object = readKmsObject(drm, id, DRM_MODE_OBJECT_CONNECTOR, definitions);
	if (!object)
		return std::unexpected(object.error());
	info.object = std::move(*object);
	info.crtcId = static_cast<uint32_t>(info.object.value("CRTC_ID"));
	return info;
}

const CrtcInfo *Topology::crtc(uint32_t id) const
{
	const auto found = std::ranges::find(crtcs, id, &CrtcInfo::id);
	return found == crtcs.end() ? nullptr : &*found;
}

const PlaneInfo *Topology::plane(uint32_t id) const
{
	const auto found = std::ranges::find(planes, id, &PlaneInfo::id);
	return found == planes.end() ? nullptr : &*found;
}

Result<Topology> readTopology(int drm)
{
	const DrmPtr<drmModeRes, drmModeFreeResources> resources(drmModeGetResources(drm));
	if (!resources)
		return fail(errno, "cannot read the KMS resources");
	const DrmPtr<drmModePlaneRes, drmModeFreePlaneResources> planes(
		drmModeGetPlaneResources(drm));
	if (!planes)
		return fail(errno, "cannot read the KMS planes");

	Topology topology;
	KmsPropertyDefinitions definitions;
	for (int i = 0; i < resources->count_crtcs; i++) {
		auto crtc =
			readCrtc(drm, resources->crtcs[i], static_cast<unsigned>(i), definitions);
		if (!crtc)
			return std::unexpected(crtc.error());
		topology.crtcs.push_back(std::move(*crtc));
	}
	for (int i = 0; i < resources->count_connectors; i++) {
		auto connector = readConnector(drm, resources->connectors[i], definitions);
		/* One may go between the two calls (MST, configfs): it is then not there. */
		if (!connector && connector.error().code == ENOENT)
			continue;
		if (!connector)
			return std::unexpected(connector.error());
		topology.connectors.push_back(std::move(*connector));
	}
	for (uint32_t i = 0; i < planes->count_planes; i++) {
		auto plane = readPlane(drm, planes->planes[i], definitions);
		if (!plane)
			return std::unexpected(plane.error());
		topology.planes.push_back(std::move(*plane));
	}
	return topology;
}

const char *planeTypeName(PlaneType type)
{
	switch (type) {
	case PlaneType::Primary:
		return "primary";
	case PlaneType::Overlay:
		return "overlay";
	default:
		return "cursor";
	}
}

} /* namespace heapflow */
