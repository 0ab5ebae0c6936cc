/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output_choice.h"

#include "example_display.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::Not;

namespace
{

Topology threeConnectors()
{
	Topology topology;
	topology.connectors = {makeConnector(10, "DP-1", Connection::Disconnected),
			       makeConnector(11, "Virtual-1", Connection::Unknown),
			       makeConnector(12, "HDMI-A-1", Connection::Connected),
			       makeConnector(13, "Writeback-1", Connection::Connected)};
	topology.connectors[3].writeback = true;
	topology.crtcs = {{.id = 50, .index = 0}, {.id = 51, .index = 1}};
	return topology;
}

} /* namespace */

TEST(OutputChoice, ConnectedComesBeforeUnknown)
{
	Topology topology = threeConnectors();
	EXPECT_EQ((*chooseConnector(topology, ""))->id, 12u);
	topology.connectors[2].connection = Connection::Disconnected;
	EXPECT_EQ((*chooseConnector(topology, ""))->id, 11u);
}

TEST(OutputChoice, APanelComesBeforeAPlugAndLitBeforeDark)
{
	Topology topology = threeConnectors();
	topology.crtcs[1].active = true;
	topology.connectors.push_back(makeConnector(14, "HDMI-A-2", Connection::Connected));
	EXPECT_EQ((*chooseConnector(topology, ""))->id, 12u) << "the driver's order";
	topology.connectors.back().crtcId = 51;
	EXPECT_EQ((*chooseConnector(topology, ""))->id, 14u) << "lit";
	topology.crtcs[1].active = false;
	EXPECT_EQ((*chooseConnector(topology, ""))->id, 12u) << "attached to a CRTC that is off";
	topology.crtcs[1].active = true;

	for (const uint32_t type :
	     {DRM_MODE_CONNECTOR_LVDS, DRM_MODE_CONNECTOR_eDP, DRM_MODE_CONNECTOR_DSI,
	      DRM_MODE_CONNECTOR_DPI, DRM_MODE_CONNECTOR_SPI}) {
		topology.connectors.push_back(makeConnector(20, "panel", Connection::Connected));
		topology.connectors.back().type = type;
		EXPECT_EQ((*chooseConnector(topology, ""))->id, 20u) << type;
		/* A panel that is not there does not come before a plug that is. */
		topology.connectors.back().connection = Connection::Disconnected;
		EXPECT_EQ((*chooseConnector(topology, ""))->id, 14u) << type;
		topology.connectors.pop_back();
	}
}

TEST(OutputChoice, AConnectorWithoutAModeComesLast)
{
	Topology topology = threeConnectors();
	topology.connectors[2].modes.clear();
	const auto chosen = chooseConnector(topology, "");
	ASSERT_TRUE(chosen) << chosen.error().text();
	EXPECT_EQ((*chosen)->id, 11u);
}

TEST(OutputChoice, WritebackIsNeverAScreen)
{
	Topology topology = threeConnectors();
	for (int i = 0; i < 3; i++)
		topology.connectors[static_cast<size_t>(i)].connection = Connection::Disconnected;
	const auto none = chooseConnector(topology, "");
	ASSERT_FALSE(none);
	EXPECT_EQ(none.error().code, ENOTCONN);
	EXPECT_THAT(none.error().hint, HasSubstr("DP-1"));
	EXPECT_THAT(none.error().hint, Not(HasSubstr("Writeback")));
	EXPECT_EQ(chooseConnector(topology, "Writeback-1").error().code, ENOENT);
	EXPECT_EQ(chooseConnector(topology, "13").error().code, ENOENT);
}

TEST(OutputChoice, ByNameAndById)
{
	const Topology topology = threeConnectors();
	EXPECT_EQ((*chooseConnector(topology, "Virtual-1"))->id, 11u);
	EXPECT_EQ((*chooseConnector(topology, "11"))->id, 11u);
	EXPECT_EQ(chooseConnector(topology, "Virtual").error().code, ENOENT);
	EXPECT_EQ(chooseConnector(topology, "DP-1").error().code, ENOTCONN);
}

TEST(OutputChoice, DeviceWithoutConnectors)
{
	const Topology topology;
	EXPECT_EQ(chooseConnector(topology, "").error().code, ENOTCONN);
	EXPECT_THAT(chooseConnector(topology, "DP-1").error().hint, HasSubstr("none"));
}

TEST(OutputChoice, ConnectorWithoutModesHasNoScreen)
{
	Topology topology = threeConnectors();
	topology.connectors[2].modes.clear();
	EXPECT_EQ(chooseConnector(topology, "HDMI-A-1").error().code, ENOTCONN);
}

TEST(OutputChoice, CrtcInUseByTheConnectorIsKept)
{
	Topology topology = threeConnectors();
	topology.connectors[2].possibleCrtcs = 3;
	topology.connectors[2].crtcId = 51;
	EXPECT_EQ((*chooseCrtc(topology, topology.connectors[2]))->id, 51u);
}

TEST(OutputChoice, CrtcOfAnotherConnectorIsLeftAlone)
{
	Topology topology = threeConnectors();
	topology.connectors[2].possibleCrtcs = 3;
	topology.connectors[1].crtcId = 50;
	EXPECT_EQ((*chooseCrtc(topology, topology.connectors[2]))->id, 51u);

	topology.connectors[0].crtcId = 51;
	const auto none = chooseCrtc(topology, topology.connectors[2]);
	ASSERT_FALSE(none);
	EXPECT_EQ(none.error().code, EBUSY);
	EXPECT_THAT(none.error().message, HasSubstr("0x3"));
}

TEST(OutputChoice, OnlyPossibleCrtcs)
{
	Topology topology = threeConnectors();
	topology.connectors[2].possibleCrtcs = 2;
	EXPECT_EQ((*chooseCrtc(topology, topology.connectors[2]))->id, 51u);
}
