/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sequence.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

TEST(Sequence, StartsWithTheNumberOfTheDriver)
{
	SequenceExtender sequence;
	EXPECT_EQ(sequence.extend(7), 7u);
	EXPECT_EQ(sequence.extend(8), 8u);
}

TEST(Sequence, GapsStay)
{
	SequenceExtender sequence;
	sequence.extend(1);
	EXPECT_EQ(sequence.extend(5), 5u);
}

TEST(Sequence, ContinuesOverTheWrap)
{
	SequenceExtender sequence;
	EXPECT_EQ(sequence.extend(0xfffffffe), 0xfffffffeu);
	EXPECT_EQ(sequence.extend(0xffffffff), 0xffffffffu);
	EXPECT_EQ(sequence.extend(0), 0x100000000u);
	EXPECT_EQ(sequence.extend(3), 0x100000003u);
	for (int wrap = 2; wrap < 5; ++wrap) {
		sequence.extend(0x60000000);
		sequence.extend(0xc0000000);
		EXPECT_EQ(sequence.extend(1),
			  (uint64_t{1} << 32) * static_cast<uint64_t>(wrap) + 1);
	}
}

TEST(Sequence, ANewStreamCountsAnew)
{
	SequenceExtender sequence;
	sequence.extend(0xffffffff);
	sequence.extend(0);
	sequence.reset();
	EXPECT_EQ(sequence.extend(0), 0u);
}

} /* namespace */
