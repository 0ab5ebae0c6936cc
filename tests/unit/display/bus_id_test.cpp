/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus_id.h"

#include <gtest/gtest.h>

using namespace heapflow;

TEST(BusId, WithTheBusOrWithout)
{
	EXPECT_TRUE(isBusId("platform:fd4a0000.hdmi", "platform:fd4a0000.hdmi"));
	EXPECT_TRUE(isBusId("fd4a0000.hdmi", "platform:fd4a0000.hdmi"));
	EXPECT_TRUE(isBusId("pci:0000:00:02.0", "pci:0000:00:02.0"));
	EXPECT_TRUE(isBusId("0000:00:02.0", "pci:0000:00:02.0"));
}

TEST(BusId, TheNumberThatLibdrmAppendsIsUnderstoodForPlatformDevicesOnly)
{
	EXPECT_TRUE(isBusId("platform:fd4a0000.hdmi:00", "platform:fd4a0000.hdmi"));
	EXPECT_FALSE(isBusId("faux:vkms:00", "faux:vkms"));
	EXPECT_FALSE(isBusId("platform:fd4a0000.hdmi:01", "platform:fd4a0000.hdmi"));
}

TEST(BusId, AnyOtherIsNot)
{
	for (const char *wanted : {"", "platform:", "hdmi", "fd4a0000", ":00", "00:02.0"}) {
		EXPECT_FALSE(isBusId(wanted, "platform:fd4a0000.hdmi")) << wanted;
		EXPECT_FALSE(isBusId(wanted, "pci:0000:00:02.0")) << wanted;
		EXPECT_FALSE(isBusId(wanted, "")) << wanted;
	}
}

TEST(BusId, OfWhatIsNoDeviceIsEmpty)
{
	EXPECT_EQ(busIdOfNode("/nonexistent"), "");
	EXPECT_EQ(busIdOfNode("/"), "");
}
