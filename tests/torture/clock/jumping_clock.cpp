/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jumping_clock.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr int64_t second = 1'000'000'000;
constexpr int64_t day = 86400 * second;
constexpr std::array distances = {second, 3600 * second, day, 365 * day, 20 * 365 * day};

int64_t read(clockid_t clock)
{
	timespec time = {};
	clock_gettime(clock, &time);
	return time.tv_sec * second + time.tv_nsec;
}

void set(int64_t time)
{
	const timespec value = {time / second, time % second};
	if (clock_settime(CLOCK_REALTIME, &value) == 0)
		return;
	/* Nothing would be tested. */
	std::perror("torture-clock: clock_settime");
	std::_Exit(2);
}

} /* namespace */

JumpingClock::JumpingClock(uint64_t seed)
	: offset_(read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)),
	  thread_([this, seed] { jump(seed); })
{
}

void JumpingClock::jump(uint64_t seed)
{
	RandomDraw random(seed);
	while (!end_) {
		std::this_thread::sleep_for(20ms + random.within(200ms));
		const int64_t distance = random.below(distances[random.below(distances.size())]);
		const int64_t right = offset_ + read(CLOCK_MONOTONIC);
		set(random.oneIn(2) ? right + distance : right - distance);
		jumps_++;
	}
}

unsigned JumpingClock::stop()
{
	end_ = true;
	if (!thread_.joinable())
		return jumps_;
	thread_.join();
	set(offset_ + read(CLOCK_MONOTONIC));
	return jumps_;
}

} /* namespace heapflow::torture */
