/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "failing_property.h"

#include <cerrno>
#include <set>

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

/* Objects 1 and 2 with properties 10..14 and 20..24. */
AtomicRequest example()
{
	AtomicRequest request;
	for (const uint32_t object : {1u, 2u}) {
		request.object(object);
		for (uint32_t i = 0; i < 5; i++)
			request.set(object * 10 + i, i);
	}
	return request;
}

std::set<uint32_t> propertiesOf(const AtomicRequest &request)
{
	std::set<uint32_t> properties;
	for (size_t i = 0; i < request.size(); i++)
		properties.insert(request.entry(i).property);
	return properties;
}

/* The property that is blamed when the driver refuses whatever `refuses` says. */
uint32_t blamed(const std::function<bool(const std::set<uint32_t> &)> &refuses)
{
	const AtomicRequest request = example();
	const auto found = findFailingProperty(request, [&](const AtomicRequest &part) {
		return refuses(propertiesOf(part)) ? EINVAL : 0;
	});
	return found ? request.entry(*found).property : 0;
}

} /* namespace */

TEST(FailingProperty, OneThatIsRefusedWhereverItIs)
{
	for (const uint32_t guilty : {10u, 12u, 14u, 20u, 24u})
		EXPECT_EQ(blamed([&](const auto &set) { return set.contains(guilty); }), guilty);
}

TEST(FailingProperty, TwoThatClashBlameTheLater)
{
	EXPECT_EQ(blamed([](const auto &set) { return set.contains(11) && set.contains(22); }),
		  22u);
}

TEST(FailingProperty, WithoutASingleCulpritTheShortestBeginning)
{
	/* Either of two is enough to be refused. */
	EXPECT_EQ(blamed([](const auto &set) { return set.contains(13) || set.contains(21); }),
		  13u);
}

/* A beginning alone may be refused for want of the rest: a framebuffer without its CRTC. */
TEST(FailingProperty, IsNotTheOneThatMerelyComesFirst)
{
	EXPECT_EQ(blamed([](const auto &set) { return !set.contains(24) || set.contains(12); }),
		  12u);
}

TEST(FailingProperty, NothingToBlame)
{
	EXPECT_EQ(blamed([](const auto &) { return false; }), 0u);
	EXPECT_FALSE(findFailingProperty(AtomicRequest(), [](const auto &) { return EINVAL; }));
	/* Refused whatever is in it: by the first. */
	EXPECT_EQ(blamed([](const auto &) { return true; }), 10u);
}

TEST(AtomicRequestEntries, KnowTheirObjects)
{
	const AtomicRequest request = example();
	ASSERT_EQ(request.size(), 10u);
	EXPECT_EQ(request.entry(4).object, 1u);
	EXPECT_EQ(request.entry(5).object, 2u);
	EXPECT_EQ(request.entry(5).property, 20u);
	EXPECT_EQ(request.entry(9).value, 4u);
}
