/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every test begins with a dark screen: heapkmssink keeps a mode that is set, and GStreamer's
 * kmssink leaves one behind.
 */
#include "kms_snapshot.h"

#include <gtest/gtest.h>

namespace
{

class DarkScreen : public testing::EmptyTestEventListener
{
	void OnTestStart(const testing::TestInfo &) override { heapflow::test::darkenScreen(); }
};

const bool listening = [] {
	testing::UnitTest::GetInstance()->listeners().Append(new DarkScreen);
	return true;
}();

} /* namespace */
