/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output_choice.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <tuple>

namespace heapflow
{

namespace
{

const char *connectionName(Connection connection)
{
	switch (connection) {
	case Connection::Connected:
		return "connected";
	case Connection::Disconnected:
		return "disconnected";
	default:
		return "unknown";
	}
}

/* Panels are built in; what a plug leads to may be anything. */
bool isPanel(const ConnectorInfo &connector)
{
	switch (connector.type) {
	case DRM_MODE_CONNECTOR_LVDS:
	case DRM_MODE_CONNECTOR_eDP:
	case DRM_MODE_CONNECTOR_DSI:
	case DRM_MODE_CONNECTOR_DPI:
	case DRM_MODE_CONNECTOR_SPI:
		return true;
	default:
		return false;
	}
}

/* Smaller is better. One without a mode cannot be lit, whatever it says. */
auto preference(const Topology &topology, const ConnectorInfo &connector)
{
	const CrtcInfo *crtc = topology.crtc(connector.crtcId);
	return std::tuple(connector.modes.empty(), connector.connection, !isPanel(connector),
			  !(crtc && crtc->active));
}

std::string listConnectors(const Topology &topology)
{
	std::string list;
	for (const ConnectorInfo &connector : topology.connectors) {
		if (connector.writeback)
			continue;
		list += std::format("{}{} (id {}, {})", list.empty() ? "" : ", ", connector.name,
				    connector.id, connectionName(connector.connection));
	}
	return list.empty() ? "none" : list;
}

} /* namespace */

Result<const ConnectorInfo *> chooseConnector(const Topology &topology, const std::string &wanted,
					      bool evenDark)
{
	const ConnectorInfo *best = nullptr;
	for (const ConnectorInfo &connector : topology.connectors) {
		if (connector.writeback)
			continue;
		if (!wanted.empty() && connector.name != wanted &&
		    std::to_string(connector.id) != wanted)
			continue;
		if (!best || preference(topology, connector) < preference(topology, *best))
			best = &connector;
	}

	if (!best && !wanted.empty())
		return fail(ENOENT, std::format("there is no connector '{}'", wanted),
			    "Connectors: " + listConnectors(topology));
	const bool dark =
		!best || best->connection == Connection::Disconnected || best->modes.empty();
	if (!best || (dark && !evenDark))
		return fail(ENOTCONN,
			    wanted.empty() ? "no connector has a screen"
					   : std::format("connector '{}' has no screen", wanted),
			    "Plug one in, or wait for one (wait-for-screen). Connectors: " +
				    listConnectors(topology));
	return best;
}

Result<const CrtcInfo *> chooseCrtc(const Topology &topology, const ConnectorInfo &connector)
{
	if (const CrtcInfo *current = topology.crtc(connector.crtcId))
		return current;

	for (const CrtcInfo &crtc : topology.crtcs) {
		const bool taken =
			std::ranges::any_of(topology.connectors, [&](const ConnectorInfo &c) {
				return c.crtcId == crtc.id;
			});
		if ((connector.possibleCrtcs & (1u << crtc.index)) && !taken)
			return &crtc;
	}
	return fail(
		EBUSY,
		std::format(
			"no CRTC is free for connector {}: the device has {}, this connector can "
			"use those of mask {:#x}, and all of these drive other connectors",
			connector.name, topology.crtcs.size(), connector.possibleCrtcs),
		"Name a connector that is in use, or turn another one off");
}

} /* namespace heapflow */
