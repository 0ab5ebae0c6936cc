/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which elements a contract is about. */
#include "tracer/pipeline_path.h"

#include <gtest/gtest.h>

using namespace heapflow::gst;

namespace
{

/*
 * source - tee - (bin: convert) - sink, which is a screen
 *             \- scale - app, which is none
 */
class PipelinePath : public testing::Test
{
protected:
	void SetUp() override
	{
		GError *error = nullptr;
		pipeline = gst_parse_launch("videotestsrc name=source ! tee name=tee ! "
					    "( videoconvert name=convert ! identity name=inner ) ! "
					    "queue name=queue ! fakevideosink name=sink "
					    "tee. ! videoscale name=scale ! fakesink name=app",
					    &error);
		ASSERT_EQ(error, nullptr) << error->message;
	}
	void TearDown() override { gst_object_unref(pipeline); }
	GstElement *get(const char *name)
	{
		GstElement *found = gst_bin_get_by_name(GST_BIN(pipeline), name);
		gst_object_unref(found); /* the bin holds it */
		return found;
	}
	bool on(const char *name, const char *owner, ContractScope scope)
	{
		return isOnTheWay(get(name), get(owner), scope);
	}

	GstElement *pipeline = nullptr;
};

TEST_F(PipelinePath, LeadsThroughBinsAndNotBack)
{
	const auto is = [this](const char *name) {
		return [wanted = get(name)](GstElement *one) {
			return one == wanted;
		};
	};
	EXPECT_TRUE(leadsTo(get("source"), is("convert")));
	EXPECT_TRUE(leadsTo(get("convert"), is("queue")));
	EXPECT_TRUE(leadsTo(get("source"), is("app")));
	EXPECT_FALSE(leadsTo(get("convert"), is("app")));
	EXPECT_FALSE(leadsTo(get("queue"), is("tee")));
	EXPECT_FALSE(leadsTo(get("sink"), is("source")));
	EXPECT_FALSE(leadsTo(get("source"), is("source")));
}

TEST_F(PipelinePath, AScreenIsASinkForVideo)
{
	for (const char *name : {"app", "convert", "source", "queue"})
		EXPECT_FALSE(isScreen(get(name))) << name;
	/* It is a bin of that class; what is in it is a plain sink. */
	EXPECT_TRUE(isScreen(get("sink")));
	EXPECT_TRUE(leadsTo(get("queue"), isScreen));
	EXPECT_FALSE(leadsTo(get("scale"), isScreen));
}

TEST_F(PipelinePath, ASinkIsAnsweredForByAllBeforeIt)
{
	for (const char *name : {"source", "tee", "convert", "inner", "queue", "app"})
		EXPECT_EQ(on(name, "queue", ContractScope::ToSink), std::string(name) != "app")
			<< name;
	EXPECT_FALSE(on("scale", "queue", ContractScope::ToSink));
	EXPECT_TRUE(on("queue", "queue", ContractScope::ToSink));
}

TEST_F(PipelinePath, BranchesThatLeadToNoScreenAreFree)
{
	for (const char *name : {"source", "tee", "convert", "inner", "queue"})
		EXPECT_TRUE(on(name, "source", ContractScope::FromSource)) << name;
	for (const char *name : {"scale", "app"})
		EXPECT_FALSE(on(name, "source", ContractScope::FromSource)) << name;
	/* In the middle: both ways. */
	EXPECT_TRUE(on("source", "convert", ContractScope::Through));
	EXPECT_TRUE(on("queue", "convert", ContractScope::Through));
	EXPECT_FALSE(on("scale", "convert", ContractScope::Through));
	EXPECT_FALSE(on("source", "convert", ContractScope::FromSource));
	/* Where no branch leads to a screen, all count. */
	EXPECT_TRUE(on("app", "scale", ContractScope::FromSource));
}

} /* namespace */
