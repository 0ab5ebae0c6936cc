/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every test begins with a dark screen, whatever the one before it left: one kills a process. */
#include "kms_snapshot.h"

#include <gtest/gtest.h>

namespace
{

class DarkScreen : public testing::EmptyTestEventListener
{
	void OnTestStart(const testing::TestInfo &) override
	{
		ASSERT_TRUE(heapflow::test::darkenScreen())
			<< "the tests' own master is still there";
	}
};

} /* namespace */

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	testing::UnitTest::GetInstance()->listeners().Append(new DarkScreen);
	return RUN_ALL_TESTS();
}
