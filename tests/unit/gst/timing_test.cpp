/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 13: clocks are converted explicitly, gaps become DISCONT. */
#include "gstheaptiming.h"

#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::gst;

namespace
{

constexpr GstClockTime ms = GST_MSECOND;

/* A clock of a pipeline that has nothing to do with CLOCK_MONOTONIC. */
struct OtherClock {
	GstClock parent;
};
struct OtherClockClass {
	GstClockClass parent;
};
constexpr int64_t otherOffset = 1000 * int64_t(GST_SECOND);

GstClockTime otherTime(GstClock *)
{
	return GstClockTime(monotonicNow() + otherOffset);
}

G_DEFINE_TYPE(OtherClock, other_clock, GST_TYPE_CLOCK)

void other_clock_class_init(OtherClockClass *klass)
{
	GST_CLOCK_CLASS(klass)->get_internal_time = otherTime;
}

void other_clock_init(OtherClock *) {}

class Timing : public testing::Test
{
protected:
	Timing()
	{
		gst_object_ref_sink(element_);
		gst_element_set_clock(element_, clock_);
		gst_element_set_base_time(element_, gst_clock_get_time(clock_));
	}
	~Timing() override
	{
		gst_object_unref(element_);
		gst_object_unref(clock_);
	}

	GstClock *clock_ =
		GST_CLOCK(gst_object_ref_sink(g_object_new(other_clock_get_type(), nullptr)));
	GstElement *element_ = gst_bin_new(nullptr);
};

TEST_F(Timing, AMonotonicTimeBecomesRunningTimeOfAnotherClock)
{
	const int64_t later = monotonicNow() + int64_t(100 * ms);
	const GstClockTime running = runningTimeOf(element_, later);
	EXPECT_GE(running, 100 * ms - ms);
	EXPECT_LE(running, 600 * ms);
}

TEST_F(Timing, ATimeBeforeThePipelineRanIsZero)
{
	EXPECT_EQ(runningTimeOf(element_, monotonicNow() - int64_t(GST_SECOND)), 0U);
}

TEST_F(Timing, WithoutAClockThereIsNoRunningTime)
{
	gst_element_set_clock(element_, nullptr);
	EXPECT_EQ(runningTimeOf(element_, monotonicNow()), GST_CLOCK_TIME_NONE);
}

TEST_F(Timing, ATimeOfTheClockComesBack)
{
	const int64_t expected = monotonicNow() + int64_t(100 * ms);
	const int64_t back = monotonicOf(clock_, GstClockTime(expected + otherOffset));
	EXPECT_NEAR(double(back), double(expected), double(50 * ms));
}

/* GStreamer's system clock is CLOCK_MONOTONIC, calibrated: to the nanosecond, at any time. */
/* As an audio sink's and the network's clocks: derived, with a time of their own. */
struct DerivedClock {
	GstSystemClock parent;
};
struct DerivedClockClass {
	GstSystemClockClass parent;
};

G_DEFINE_TYPE(DerivedClock, derived_clock, GST_TYPE_SYSTEM_CLOCK)

void derived_clock_class_init(DerivedClockClass *klass)
{
	GST_CLOCK_CLASS(klass)->get_internal_time = otherTime;
}

void derived_clock_init(DerivedClock *) {}

class SystemClockTiming : public testing::Test
{
protected:
	static constexpr GstClockTime shift = 5000 * GST_SECOND;

	SystemClockTiming() { gst_object_ref_sink(element_); }
	~SystemClockTiming() override
	{
		gst_object_unref(element_);
		gst_object_unref(clock_);
	}
	void use(GstClockType type, GType of = GST_TYPE_SYSTEM_CLOCK)
	{
		clock_ = GST_CLOCK(
			gst_object_ref_sink(g_object_new(of, "clock-type", type, nullptr)));
		gst_element_set_clock(element_, clock_);
	}

	GstClock *clock_ = nullptr;
	GstElement *element_ = gst_bin_new(nullptr);
};

TEST_F(SystemClockTiming, IsTheTimeItselfWithItsCalibration)
{
	use(GST_CLOCK_TYPE_MONOTONIC);
	const int64_t now = monotonicNow();
	/* Twice as fast as CLOCK_MONOTONIC from `now` on, as a slave of another clock may be. */
	gst_clock_set_calibration(clock_, GstClockTime(now), GstClockTime(now) + shift, 2, 1);
	gst_element_set_base_time(element_, GstClockTime(now) + shift);
	EXPECT_EQ(runningTimeOf(element_, now + int64_t(100 * ms)), 200 * ms);
	EXPECT_EQ(runningTimeOf(element_, now - int64_t(100 * ms)), 0U) << "before the pipeline";
	EXPECT_EQ(monotonicOf(clock_, GstClockTime(now) + shift + 200 * ms),
		  now + int64_t(100 * ms));
}

TEST_F(SystemClockTiming, OfOneThatIsDerivedFromItTheAgeLeads)
{
	use(GST_CLOCK_TYPE_MONOTONIC, derived_clock_get_type());
	gst_element_set_base_time(element_, gst_clock_get_time(clock_));
	const int64_t later = monotonicNow() + int64_t(100 * ms);
	EXPECT_NEAR(double(runningTimeOf(element_, later)), double(100 * ms), double(50 * ms));
	EXPECT_NEAR(double(monotonicOf(clock_, GstClockTime(later + otherOffset))), double(later),
		    double(50 * ms));
}

TEST_F(SystemClockTiming, OfAnotherTypeTheAgeLeads)
{
	use(GST_CLOCK_TYPE_REALTIME);
	gst_element_set_base_time(element_, gst_clock_get_time(clock_));
	const int64_t later = monotonicNow() + int64_t(100 * ms);
	EXPECT_NEAR(double(runningTimeOf(element_, later)), double(100 * ms), double(50 * ms));
}

class Stamping : public Timing
{
protected:
	struct Stamped {
		bool discont;
		uint64_t lost;
	};

	Stamped stamp(uint64_t sequence, bool corrupted = false)
	{
		gst_clear_buffer(&buffer_);
		buffer_ = gst_buffer_new();
		const uint64_t lost = stamper_.stamp(
			buffer_, {0, sequence, 0, 123456789, corrupted}, element_, monotonicNow());
		return {bool(GST_BUFFER_FLAG_IS_SET(buffer_, GST_BUFFER_FLAG_DISCONT)), lost};
	}
	~Stamping() override { gst_clear_buffer(&buffer_); }

	FrameStamper stamper_;
	GstBuffer *buffer_ = nullptr;
};

TEST_F(Stamping, AGapInTheSequenceIsADiscontinuity)
{
	EXPECT_TRUE(stamp(7).discont) << "the first frame follows no other";
	EXPECT_FALSE(stamp(8).discont);
	const Stamped gap = stamp(11);
	EXPECT_TRUE(gap.discont);
	EXPECT_EQ(gap.lost, 2U);
	EXPECT_FALSE(stamp(12).discont);
	EXPECT_EQ(GST_BUFFER_OFFSET(buffer_), 12U);
}

TEST_F(Stamping, ACameraThatCountsAnewIsADiscontinuityWithNothingLost)
{
	stamp(100);
	const Stamped again = stamp(0);
	EXPECT_TRUE(again.discont);
	EXPECT_EQ(again.lost, 0U);
	stamper_.restart({30, 1});
	const Stamped anew = stamp(5);
	EXPECT_TRUE(anew.discont);
	EXPECT_EQ(anew.lost, 0U);
}

TEST_F(Stamping, ArrivalDurationAndCorruptionAreOnTheBuffer)
{
	stamper_.restart({50, 1});
	stamp(1, true);
	EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer_, GST_BUFFER_FLAG_CORRUPTED));
	EXPECT_EQ(GST_BUFFER_DURATION(buffer_), 20 * ms);

	GstCaps *reference = arrivalReference();
	auto *meta = gst_buffer_get_reference_timestamp_meta(buffer_, reference);
	gst_caps_unref(reference);
	ASSERT_NE(meta, nullptr);
	EXPECT_EQ(meta->timestamp, 123456789U);
}

TEST(Latency, TheFirstFrameSettlesItAndLaterOnesOnlyRaiseIt)
{
	LatencyEstimate latency;
	EXPECT_FALSE(latency.known());
	EXPECT_FALSE(latency.learn(ms)) << "before a format there is nothing to estimate";

	latency.restart(16 * ms, 4);
	EXPECT_EQ(latency.minimum(), 16 * ms);
	EXPECT_EQ(latency.maximum(), 64 * ms);
	EXPECT_TRUE(latency.learn(4 * ms));
	EXPECT_EQ(latency.minimum(), 5 * ms);
	EXPECT_EQ(latency.maximum(), 53 * ms);
	EXPECT_FALSE(latency.learn(5 * ms));
	EXPECT_TRUE(latency.learn(100 * ms));
	EXPECT_EQ(latency.minimum(), 125 * ms);
	EXPECT_EQ(latency.maximum(), 173 * ms);
	EXPECT_FALSE(latency.learn(2 * GST_SECOND)) << "a stall is not the camera's latency";
}

} /* namespace */
