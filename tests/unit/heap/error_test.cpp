/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <cerrno>

#include <fcntl.h>
#include <gtest/gtest.h>

using namespace heapflow;

TEST(Error, TextHasMessageErrnoAndHint)
{
	const Error error{ENOMEM, "8 bytes are too many", "Ask for 4"};
	EXPECT_EQ(error.text(), "8 bytes are too many (ENOMEM: Cannot allocate memory). Ask for 4");
}

TEST(Error, TextWithoutHintOrCode)
{
	EXPECT_EQ((Error{EACCES, "no", {}}.text()), "no (EACCES: Permission denied)");
	EXPECT_EQ((Error{0, "no", "go"}.text()), "no. go");
	EXPECT_EQ((Error{4711, "no", {}}.text()), "no (errno 4711)");
}

TEST(Error, NamesOfErrnos)
{
	EXPECT_EQ(errnoName(EBUSY), "EBUSY");
	EXPECT_EQ(errnoName(4711), "errno 4711");
	EXPECT_EQ(errnoName(0), "errno 0");
	EXPECT_EQ(errnoName(-EBUSY), "errno -16");
}

TEST(UniqueFd, ClosesOnceAndMoves)
{
	int number = -1;
	{
		UniqueFd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
		number = first.get();
		UniqueFd second = std::move(first);
		EXPECT_FALSE(first.valid());
		EXPECT_EQ(second.get(), number);
		EXPECT_NE(fcntl(number, F_GETFD), -1);
		UniqueFd &same = second;
		second = std::move(same);
		EXPECT_EQ(second.get(), number);
	}
	EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(UniqueFd, DuplicateIsCloseOnExec)
{
	const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
	const auto copy = fd.duplicate();
	ASSERT_TRUE(copy);
	EXPECT_NE(copy->get(), fd.get());
	EXPECT_EQ(fcntl(copy->get(), F_GETFD), FD_CLOEXEC);
}

TEST(UniqueFd, DuplicateOfNothing)
{
	const auto copy = UniqueFd().duplicate();
	ASSERT_FALSE(copy);
	EXPECT_EQ(copy.error().code, EBADF);
}
