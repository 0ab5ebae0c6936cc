/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapsensorconfig.h"

#include "result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

using namespace heapflow;
using namespace heapflow::gst;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

using Structure = std::unique_ptr<GstStructure, decltype(&gst_structure_free)>;

Result<SensorRequest> parse(const char *text)
{
	const Structure structure(gst_structure_from_string(text, nullptr), gst_structure_free);
	EXPECT_TRUE(structure) << text;
	return sensorFromStructure(structure.get());
}

TEST(SensorConfig, TakesTheFieldsOfLibcamerasrc)
{
	const auto sensor = parse("sensor/config,width=2304,height=1296,depth=10,bin-x=2,bin-y=3,"
				  "x-odd-inc=4,x-even-inc=5,y-odd-inc=6,y-even-inc=7,"
				  "analog-crop-x=8,analog-crop-y=9,analog-crop-width=4608,"
				  "analog-crop-height=2592");
	ASSERT_TRUE(sensor) << textOf(sensor);
	SensorRequest wanted;
	wanted.bitDepth = 10;
	wanted.outputWidth = 2304;
	wanted.outputHeight = 1296;
	wanted.analogCrop = {8, 9, 4608, 2592};
	wanted.binning = {2, 3};
	wanted.skipping = {4, 5, 6, 7};
	EXPECT_EQ(*sensor, wanted);
}

TEST(SensorConfig, WhatIsNotGivenIsAsThoughThereWereNone)
{
	const auto sensor = parse("s,width=640,height=480,depth=8");
	ASSERT_TRUE(sensor) << textOf(sensor);
	EXPECT_EQ(sensor->binning, SensorRequest().binning);
	EXPECT_EQ(sensor->skipping, SensorRequest().skipping);
	EXPECT_EQ(*sensorFromStructure(nullptr), SensorRequest());
}

TEST(SensorConfig, WhatIsWrongIsNamed)
{
	const struct {
		const char *text, *message;
	} cases[] = {
		{"s,width=640,height=480", "width, height and depth"},
		{"s", "width, height and depth"},
		{"s,width=640,height=480,depht=8", "'depht'"},
		{"s,width=-640,height=480,depth=8", "width=-640"},
		{"s,width=640,height=480,depth=0", "depth=0"},
		{"s,width=640,height=480,depth=8,bin-x=0", "bin-x=0"},
		{"s,width=640,height=480,depth=ten", "depth="},
		{"s,width=<640,480>,height=480,depth=8", "width="},
		{"s,width=640,height=480,depth=(gint64)4294967304", "4294967304"},
		{"s,width=640,height=480,depth=8,analog-crop-width=640", "crop"},
	};
	for (const auto &one : cases) {
		const auto sensor = parse(one.text);
		ASSERT_FALSE(sensor) << one.text;
		EXPECT_EQ(sensor.error().code, EINVAL);
		EXPECT_THAT(sensor.error().message, HasSubstr(one.message)) << one.text;
	}
}

TEST(SensorConfig, IsReadBackAsItWasSet)
{
	const auto sensor = parse("s,width=640,height=480,depth=8,bin-y=2,analog-crop-width=1280,"
				  "analog-crop-height=960");
	ASSERT_TRUE(sensor) << textOf(sensor);
	const Structure structure(structureFromSensor(*sensor), gst_structure_free);
	ASSERT_TRUE(structure);
	EXPECT_EQ(*sensorFromStructure(structure.get()), *sensor);
	EXPECT_EQ(gst_structure_n_fields(structure.get()), 6);
	EXPECT_EQ(structureFromSensor(SensorRequest()), nullptr);
}

} /* namespace */
