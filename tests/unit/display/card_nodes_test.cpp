/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of displays that cannot be read is not one without displays. */
#include "kms_device.h"

#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <cerrno>

using namespace heapflow;
using heapflow::test::TemporaryDirectory;

namespace
{

TEST(CardNodes, AreThoseOfTheDirectoryByTheirNumbers)
{
	const TemporaryDirectory directory;
	for (const char *name : {"card10", "card2", "renderD128", "by-path"})
		directory.write(name, "");
	const auto nodes = listCardNodes(directory.path());
	ASSERT_TRUE(nodes);
	std::vector<std::string> here;
	for (const std::string &node : *nodes)
		if (node.starts_with(directory.path().string()))
			here.push_back(node);
	EXPECT_EQ(here, (std::vector{(directory.path() / "card2").string(),
				     (directory.path() / "card10").string()}));
}

TEST(CardNodes, NoDirectoryIsNoDisplay)
{
	const TemporaryDirectory directory;
	EXPECT_TRUE(listCardNodes(directory.path() / "dri"));
}

/* Found by fail-nth: for want of memory it was said that no driver is loaded. */
TEST(CardNodes, ADirectoryThatCannotBeReadIsAnError)
{
	const TemporaryDirectory directory;
	const auto nodes = listCardNodes(directory.write("dri", "no directory"));
	ASSERT_FALSE(nodes);
	EXPECT_EQ(nodes.error().code, ENOTDIR);
	EXPECT_NE(nodes.error().message.find("/dri"), std::string::npos);
}

} /* namespace */
