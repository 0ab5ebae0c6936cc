/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls by name: what a value must be like, and what is said of one that is not. */
#include "heapflow/camera/control.h"
#include "libcamera_controls.h"
#include "result.h"

#include "heapflow/camera/camera.h"

#include <cerrno>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libcamera/control_ids.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

ControlDescription exposure()
{
	ControlDescription control;
	control.name = "ExposureTime";
	control.vendor = "libcamera";
	control.type = ControlType::Integer;
	control.minimum = int64_t{10};
	control.maximum = int64_t{100000};
	return control;
}

ControlDescription gain()
{
	ControlDescription control;
	control.name = "AnalogueGain";
	control.type = ControlType::Float;
	control.minimum = 1.0;
	control.maximum = 16.0;
	return control;
}

ControlDescription mode()
{
	ControlDescription control;
	control.name = "AfMode";
	control.type = ControlType::Integer;
	control.choices = {{0, "AfModeManual"}, {1, "AfModeAuto"}};
	return control;
}

ControlDescription shape(ControlType type, bool array = false, size_t elements = 0)
{
	ControlDescription control;
	control.name = "Shape";
	control.type = type;
	control.array = array;
	control.elements = elements;
	return control;
}

TEST(FindControl, IgnoresCaseAndPunctuation)
{
	const std::vector<ControlDescription> controls = {exposure(), gain()};
	for (const char *name :
	     {"ExposureTime", "exposure-time", "EXPOSURE_TIME", "libcamera exposure time"}) {
		const auto found = findControl(controls, name);
		ASSERT_TRUE(found) << name;
		EXPECT_EQ((*found)->name, "ExposureTime");
	}
}

TEST(FindControl, SaysTheNearestName)
{
	const std::vector<ControlDescription> controls = {exposure(), gain()};
	const auto found = findControl(controls, "exposure-tyme");
	ASSERT_FALSE(found);
	EXPECT_EQ(codeOf(found), ENOENT);
	EXPECT_THAT(found.error().hint, HasSubstr("ExposureTime"));
	EXPECT_THAT(findControl(controls, "zzzzzzzzzzzzz").error().hint,
		    testing::Not(HasSubstr("Did you mean")));
	EXPECT_EQ(codeOf(findControl({}, "x")), ENOENT);
}

TEST(FitControl, TakesWhatIsInRangeInTheTypeOfTheControl)
{
	EXPECT_EQ(*fitControl(exposure(), int64_t{10}), ControlValue(int64_t{10}));
	EXPECT_EQ(*fitControl(exposure(), 100000.0), ControlValue(int64_t{100000}));
	EXPECT_EQ(*fitControl(gain(), int64_t{2}), ControlValue(2.0));
	EXPECT_EQ(*fitControl(gain(), std::string("1.5")), ControlValue(1.5));
	EXPECT_EQ(*fitControl(exposure(), std::string(" 20 ")), ControlValue(int64_t{20}));
}

TEST(FitControl, SaysTheLimitsOfWhatIsOutside)
{
	for (const int64_t value : {9, 100001, -1}) {
		const auto fitted = fitControl(exposure(), value);
		ASSERT_FALSE(fitted) << value;
		EXPECT_EQ(codeOf(fitted), ERANGE);
		EXPECT_THAT(fitted.error().message,
			    AllOf(HasSubstr("ExposureTime"), HasSubstr("10 to 100000"),
				  HasSubstr(std::to_string(value))));
	}
	EXPECT_EQ(codeOf(fitControl(gain(), 16.001)), ERANGE);
	EXPECT_EQ(codeOf(fitControl(gain(), std::nan(""))), ERANGE);
	EXPECT_EQ(codeOf(fitControl(gain(), std::numeric_limits<double>::infinity())), ERANGE);
}

TEST(FitControl, SaysTheTypeOfWhatIsNoValue)
{
	for (const ControlValue &value :
	     {ControlValue(1.5), ControlValue(std::string("much")), ControlValue(),
	      ControlValue(std::vector<int64_t>{1, 2}), ControlValue(1e30)}) {
		const auto fitted = fitControl(exposure(), value);
		ASSERT_FALSE(fitted) << controlValueText(value);
		EXPECT_EQ(codeOf(fitted), EINVAL) << controlValueText(value);
		EXPECT_THAT(fitted.error().message, HasSubstr("is an integer"));
	}
}

TEST(FitControl, KnowsChoicesByNumberAndByName)
{
	EXPECT_EQ(*fitControl(mode(), std::string("AfModeAuto")), ControlValue(int64_t{1}));
	EXPECT_EQ(*fitControl(mode(), std::string("auto")), ControlValue(int64_t{1}));
	EXPECT_EQ(*fitControl(mode(), std::string("0")), ControlValue(int64_t{0}));
	const auto fitted = fitControl(mode(), int64_t{7});
	ASSERT_FALSE(fitted);
	EXPECT_EQ(codeOf(fitted), EINVAL);
	EXPECT_THAT(fitted.error().message, AllOf(HasSubstr("AfModeManual"), HasSubstr("not 7")));
	EXPECT_THAT(fitControl(mode(), std::string("never")).error().hint,
		    HasSubstr("AfModeManual"));
}

TEST(FitControl, BooleansHaveManyNames)
{
	const auto flag = shape(ControlType::Boolean);
	for (const char *yes : {"true", "on", "Yes", "1"})
		EXPECT_EQ(*fitControl(flag, std::string(yes)), ControlValue(true)) << yes;
	EXPECT_EQ(*fitControl(flag, int64_t{0}), ControlValue(false));
	EXPECT_EQ(codeOf(fitControl(flag, int64_t{2})), EINVAL);
	EXPECT_EQ(codeOf(fitControl(flag, std::string("maybe"))), EINVAL);
}

TEST(FitControl, ShapesAndArraysHaveTheirNumberOfNumbers)
{
	const auto rectangle = shape(ControlType::Rectangle);
	EXPECT_EQ(*fitControl(rectangle, std::string("0,-1,640,480")),
		  ControlValue(std::vector<int64_t>{0, -1, 640, 480}));
	EXPECT_EQ(codeOf(fitControl(rectangle, std::string("0,0,640"))), EINVAL);
	EXPECT_EQ(codeOf(fitControl(rectangle, std::string("0,0,-640,480"))), EINVAL);
	EXPECT_EQ(codeOf(fitControl(rectangle, std::vector<int64_t>(8, 1))), EINVAL);

	const auto gains = shape(ControlType::Float, true, 2);
	EXPECT_EQ(*fitControl(gains, std::string("[1.5,2]")),
		  ControlValue(std::vector<double>{1.5, 2}));
	EXPECT_EQ(codeOf(fitControl(gains, std::vector<double>{1})), EINVAL);
	EXPECT_TRUE(fitControl(shape(ControlType::Rectangle, true), std::vector<int64_t>(8, 1)));
	EXPECT_EQ(codeOf(fitControl(shape(ControlType::Rectangle, true), std::vector<int64_t>{})),
		  EINVAL);
}

TEST(FitControl, WhatIsOnlyReportedCannotBeSet)
{
	ControlDescription control = exposure();
	control.settable = false;
	EXPECT_EQ(codeOf(fitControl(control, int64_t{10})), EACCES);
}

TEST(KebabName, IsThatOfProperties)
{
	EXPECT_EQ(kebabName("ExposureTime"), "exposure-time");
	EXPECT_EQ(kebabName("AeEnable"), "ae-enable");
	EXPECT_EQ(kebabName("FrameDurationLimits"), "frame-duration-limits");
	EXPECT_EQ(kebabName("Exposure Time, Absolute"), "exposure-time-absolute");
	EXPECT_EQ(kebabName("HDRMode"), "hdr-mode");
	EXPECT_EQ(kebabName("LensDewarpEnable"), "lens-dewarp-enable");
	EXPECT_EQ(kebabName(""), "");
}

TEST(KnownControls, AreThoseOfLibcamera)
{
	const auto controls = knownControls();
	EXPECT_EQ(controls.size(), libcamera::controls::controls.size());
	const auto time = findControl(controls, "ExposureTime");
	ASSERT_TRUE(time);
	EXPECT_TRUE((*time)->settable && (*time)->reported);
	EXPECT_EQ((*time)->type, ControlType::Integer);
	const auto stamp = findControl(controls, "SensorTimestamp");
	ASSERT_TRUE(stamp);
	EXPECT_FALSE((*stamp)->settable);
	const auto gains = findControl(controls, "ColourGains");
	ASSERT_TRUE(gains);
	EXPECT_EQ((*gains)->elements, 2u);
	const auto windows = findControl(controls, "AfWindows");
	ASSERT_TRUE(windows);
	EXPECT_TRUE((*windows)->array);
	EXPECT_EQ((*windows)->elements, 0u);
}

/* The table in the library was written when it was built. */
TEST(KnownControls, AreToldAlikeByTheTableAndByLibcamera)
{
	const auto table = knownControls();
	const auto real = knownLibcameraControls();
	ASSERT_EQ(table.size(), real.size());
	size_t choices = 0;
	for (size_t i = 0; i < table.size(); ++i) {
		const ControlDescription &one = table[i], &other = real[i];
		EXPECT_EQ(one.name, other.name);
		EXPECT_EQ(one.vendor, other.vendor) << one.name;
		EXPECT_EQ(one.type, other.type) << one.name;
		EXPECT_EQ(one.array, other.array) << one.name;
		EXPECT_EQ(one.elements, other.elements) << one.name;
		EXPECT_EQ(one.settable, other.settable) << one.name;
		EXPECT_EQ(one.reported, other.reported) << one.name;
		EXPECT_EQ(one.momentary, other.momentary) << one.name;
		ASSERT_EQ(one.choices.size(), other.choices.size()) << one.name;
		for (size_t k = 0; k < one.choices.size(); ++k, ++choices) {
			EXPECT_EQ(one.choices[k].value, other.choices[k].value) << one.name;
			EXPECT_EQ(one.choices[k].name, other.choices[k].name);
		}
	}
	EXPECT_GT(choices, 20u);
}

/* There and back: nothing is lost on the way to libcamera. */
TEST(LibcameraControls, ValuesAreTheSameAfterBothWays)
{
	unsigned compared = 0;
	for (const auto &[number, id] : libcamera::controls::controls) {
		const ControlDescription control = describeControl(*id, nullptr);
		ControlValue value;
		const size_t count = control.array ? (control.elements ? control.elements : 3) : 1;
		switch (control.type) {
		case ControlType::Boolean:
			value = true;
			break;
		case ControlType::Text:
			value = std::string("text");
			break;
		case ControlType::Float:
			value = control.array ? ControlValue(std::vector<double>(count, 0.5))
					      : ControlValue(0.5);
			break;
		case ControlType::Integer:
			value = control.array ? ControlValue(std::vector<int64_t>(count, 7))
					      : ControlValue(int64_t{7});
			break;
		case ControlType::Rectangle:
			value = std::vector<int64_t>(count * 4, 5);
			break;
		case ControlType::Size:
		case ControlType::Point:
			value = std::vector<int64_t>(count * 2, 5);
			break;
		}
		if (control.type == ControlType::Boolean && control.array)
			value = std::vector<int64_t>(count, 1);
		EXPECT_EQ(valueFromLibcamera(valueToLibcamera(*id, value)), value) << id->name();
		++compared;
	}
	EXPECT_GT(compared, 50u);
}

/* Invariant 6: the lists of a frame are in the memory of those of the frame before. */
TEST(LibcameraControls, MetadataTakesNoNewMemory)
{
	libcamera::ControlList metadata(libcamera::controls::controls);
	FrameControls reported;
	const void *list = nullptr, *values = nullptr;
	for (int frame = 0; frame < 3; ++frame) {
		metadata.clear();
		const float gain = 1.5f + static_cast<float>(frame);
		metadata.set(libcamera::controls::ColourGains,
			     libcamera::Span<const float, 2>({gain, 2.0f}));
		readMetadata(metadata, reported);
		ASSERT_EQ(reported.size(), 1u);
		EXPECT_EQ(reported[0].name, "ColourGains");
		const auto &gains = std::get<std::vector<double>>(reported[0].value);
		EXPECT_THAT(gains, testing::ElementsAre(1.5 + frame, 2.0));
		if (frame) {
			EXPECT_EQ(reported.data(), list);
			EXPECT_EQ(gains.data(), values);
		}
		list = reported.data();
		values = gains.data();
	}
	/* What the next frame does not report is gone. */
	metadata.clear();
	readMetadata(metadata, reported);
	EXPECT_TRUE(reported.empty());
}

TEST(LibcameraControls, LimitsAreThoseOfTheCamera)
{
	const libcamera::ControlInfo info(1.0F, 8.0F, 2.0F);
	const auto control = describeControl(libcamera::controls::AnalogueGain, &info);
	EXPECT_EQ(control.limits(), "1 to 8");
	EXPECT_EQ(control.byDefault, ControlValue(2.0));
	EXPECT_EQ(codeOf(fitControl(control, 8.5)), ERANGE);
}

} /* namespace */
