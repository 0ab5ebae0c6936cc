/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "saved_state.h"

#include <gtest/gtest.h>

using namespace heapflow;

TEST(SavedState, OnlyWhatChangedIsSetBackInItsOrder)
{
	const std::vector<SavedProperty> saved = {
		{1, 10, 5, {}}, {1, 11, 6, {}}, {2, 10, 7, {}}, {2, 12, 0, {}}};
	/* In another order, as a second reading may be. */
	const std::vector<SavedProperty> now = {
		{2, 12, 4, {}}, {2, 10, 7, {}}, {1, 11, 6, {}}, {1, 10, 9, {}}};
	const auto changed = changedProperties(saved, now);
	ASSERT_EQ(changed.size(), 2u);
	EXPECT_EQ(changed[0].object, 1u);
	EXPECT_EQ(changed[0].property, 10u);
	EXPECT_EQ(changed[0].value, 5u);
	EXPECT_EQ(changed[1].object, 2u);
	EXPECT_EQ(changed[1].value, 0u);
}

TEST(SavedState, NothingChanged)
{
	const std::vector<SavedProperty> state = {{1, 10, 5, {}}};
	EXPECT_TRUE(changedProperties(state, state).empty());
}

TEST(SavedState, BlobsAreTheirContents)
{
	const std::vector<SavedProperty> saved = {{1, 10, 70, {1, 2, 3}}};
	EXPECT_TRUE(changedProperties(saved, {{1, 10, 71, {1, 2, 3}}}).empty());
	EXPECT_EQ(changedProperties(saved, {{1, 10, 70, {1, 2, 4}}}).size(), 1u);
	/* From no mode to a mode and back: the blob is 0. */
	EXPECT_EQ(changedProperties(saved, {{1, 10, 0, {}}}).size(), 1u);
	EXPECT_EQ(changedProperties({{1, 10, 0, {}}}, saved).size(), 1u);
}

TEST(SavedState, AnObjectThatIsGoneIsNotSet)
{
	EXPECT_TRUE(changedProperties({{1, 10, 5, {}}}, {}).empty());
}
