/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a display device consists of, as plain values that the choices are made from. */
#pragma once

#include "heapflow/heap/error.h"
#include "kms_properties.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <xf86drmMode.h>

namespace heapflow
{

enum class Connection { Connected, Unknown, Disconnected };
enum class PlaneType { Primary, Overlay, Cursor };

struct ConnectorInfo {
	uint32_t id = 0;
	std::string name;  /**< "HDMI-A-1" */
	uint32_t type = 0; /**< DRM_MODE_CONNECTOR_* */
	bool writeback = false;
	Connection connection = Connection::Unknown;
	std::vector<drmModeModeInfo> modes; /**< in the driver's order */
	uint32_t possibleCrtcs = 0;         /**< bit N: CrtcInfo::index N */
	uint32_t crtcId = 0;                /**< that drives it now; 0 is none */
	KmsObject object;
};

struct CrtcInfo {
	uint32_t id = 0;
	unsigned index = 0;
	bool active = false;
	std::optional<drmModeModeInfo> mode;
	KmsObject object;
};

struct FormatModifiers {
	uint32_t fourcc = 0;
	std::vector<uint64_t> modifiers;
};

struct PlaneInfo {
	uint32_t id = 0;
	PlaneType type = PlaneType::Overlay;
	uint32_t possibleCrtcs = 0;
	uint32_t crtcId = 0; /**< that it is on now; 0 is none */
	uint32_t framebuffer = 0;
	std::vector<FormatModifiers> formats;
	KmsObject object;
};

struct Topology {
	std::vector<ConnectorInfo> connectors;
	std::vector<CrtcInfo> crtcs;
	std::vector<PlaneInfo> planes;

	const CrtcInfo *crtc(uint32_t id) const;
	const PlaneInfo *plane(uint32_t id) const;
};

/** \brief Reads one connector, and asks the driver to look at it again */
Result<ConnectorInfo> readConnector(int drm, uint32_t id, KmsPropertyDefinitions &definitions);

/** \brief Reads everything, and asks the driver to look at its connectors again */
Result<Topology> readTopology(int drm);

/** \brief "primary", "overlay", "cursor" */
const char *planeTypeName(PlaneType type);

} /* namespace heapflow */
