/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays made up for tests, as topology.cpp would read them. */
#pragma once

#include "topology.h"

#include <cstring>
#include <string>

#include <drm_fourcc.h>

namespace heapflow::test
{

/** \brief A progressive mode of 60 Hz */
inline drmModeModeInfo makeMode(uint16_t width, uint16_t height, uint32_t type = 0,
				uint32_t refresh = 60)
{
	drmModeModeInfo mode = {};
	mode.hdisplay = width;
	mode.htotal = static_cast<uint16_t>(width + 100);
	mode.vdisplay = height;
	mode.vtotal = static_cast<uint16_t>(height + 25);
	mode.clock = uint32_t{mode.htotal} * mode.vtotal * refresh / 1000;
	mode.vrefresh = refresh;
	mode.type = type;
	std::strcpy(mode.name, (std::to_string(width) + "x" + std::to_string(height)).c_str());
	return mode;
}

inline PlaneInfo makePlane(uint32_t id, PlaneType type, uint32_t possibleCrtcs = 1,
			   std::vector<uint32_t> formats = {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12})
{
	PlaneInfo plane{.id = id, .type = type, .possibleCrtcs = possibleCrtcs};
	for (const uint32_t format : formats)
		plane.formats.push_back({format, {DRM_FORMAT_MOD_LINEAR}});
	return plane;
}

inline ConnectorInfo makeConnector(uint32_t id, const std::string &name, Connection connection,
				   uint32_t possibleCrtcs = 1)
{
	return {.id = id,
		.name = name,
		.connection = connection,
		.modes = {makeMode(1024, 768, DRM_MODE_TYPE_PREFERRED)},
		.possibleCrtcs = possibleCrtcs};
}

} /* namespace heapflow::test */
