/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_holder.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

/* As drm_debugfs.c prints it. */
constexpr char clients[] =
	"             command  tgid dev master a   uid      magic    "
	"                                                         name                   id\n"
	"            Xwayland   812   1   n    y  1000          0    "
	"                                                      <unset>                    3\n"
	"       gnome y shell   700   1   y    y  1000          0    "
	"                                                      <unset>                    3\n"
	"             heapctl   900   1   n    y  1000          0    "
	"                                                      <unset>                    3\n";

} /* namespace */

TEST(DeviceHolder, MasterOfTheClients)
{
	EXPECT_EQ(masterFromClients(clients), "gnome y shell (pid 700)");
}

TEST(DeviceHolder, NobodyIsMaster)
{
	EXPECT_EQ(masterFromClients(""), "");
	EXPECT_EQ(masterFromClients("\n\n   \n"), "");
	EXPECT_EQ(masterFromClients(std::string(200, 'y')), "");
}

TEST(DeviceHolder, NodeThatIsNotThere)
{
	EXPECT_EQ(describeHolder("/dev/dri/no-such-card"), "");
}
