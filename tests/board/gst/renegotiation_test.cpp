/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Size, format and heap change while pictures play, and no buffer is lost. */
#include "board.h"
#include "heapalloc_stats.h"
#include "long_form.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/video/video.h>

#include <array>
#include <format>
#include <string>
#include <vector>

using namespace heapflow::test;

namespace
{

constexpr unsigned framesBetween = 4;

struct Renegotiation {
	const char *name;
	std::string source; /* with {} for vivid's node */
	std::array<const char *, 3> formats;
	std::array<const char *, 3> sizes;
	bool keepsPool; /* until its caps change: v4l2src */
};

std::ostream &operator<<(std::ostream &out, const Renegotiation &which)
{
	return out << which.name;
}

/* What came out of the source and what reached the sink, in order. */
struct Passage {
	std::vector<uint64_t> sent, arrived;
	std::vector<std::string> states; /* "NV12 640x360 video@42000000", each once in a row */
};

void record(GstElement *element, const char *pad, std::vector<uint64_t> &numbers)
{
	GstPad *found = gst_element_get_static_pad(element, pad);
	gst_pad_add_probe(
		found, GST_PAD_PROBE_TYPE_BUFFER,
		[](GstPad *, GstPadProbeInfo *info, gpointer data) {
			static_cast<std::vector<uint64_t> *>(data)->push_back(
				GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info)));
			return GST_PAD_PROBE_OK;
		},
		&numbers, nullptr);
	gst_object_unref(found);
}

class InPlay : public testing::TestWithParam<Renegotiation>
{
protected:
	/* The n-th change: size, format and heap take turns, each going round its own circle. */
	void change(Pipeline &pipeline, unsigned number)
	{
		static const std::array<const char *, 3> heaps = {"system", "video@42000000",
								  "memory@48000000-contiguous"};
		const unsigned turn = number / 3;
		switch (number % 3) {
		case 0:
			size_ = (turn + 1) % 3;
			break;
		case 1:
			format_ = (turn + 1) % 3;
			break;
		default:
			g_object_set(pipeline.element("alloc"), "heap", heaps[(turn + 1) % 3],
				     nullptr);
			return;
		}
		gst_util_set_object_arg(G_OBJECT(pipeline.element("caps")), "caps", caps().c_str());
	}
	std::string caps() const
	{
		return std::format("video/x-raw,format={},{}", GetParam().formats[format_],
				   GetParam().sizes[size_]);
	}
	std::string stateOf(Pipeline &pipeline, GstBuffer *buffer)
	{
		GstPad *pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
		GstCaps *now = gst_pad_get_current_caps(pad);
		GstVideoInfo info;
		std::string text = "no caps";
		if (now && gst_video_info_from_caps(&info, now))
			text = std::format("{} {}x{} {}", GST_VIDEO_INFO_NAME(&info), info.width,
					   info.height, memoryOf(buffer));
		gst_clear_caps(&now);
		gst_object_unref(pad);
		return text;
	}

	unsigned size_ = 0;
	unsigned format_ = 0;
};

/* A round of all sizes, formats and heaps is 9 changes; HEAPFLOW_CHANGES for more. */
TEST_P(InPlay, ManyChangesLoseNoBuffer)
{
	const Vivid vivid("0");
	/* Once before counting: an eventfd of v4l2src's first use stays. */
	const std::string source =
		std::vformat(GetParam().source, std::make_format_args(vivid.node()));
	Pipeline(std::format("{} name=source num-buffers=2 ! fakesink name=sink", source)).run();
	const Resources before = quietBoard();
	const unsigned changes = numberFrom("HEAPFLOW_CHANGES", 36);
	const unsigned frames = (changes + 2) * framesBetween;
	{
		Passage passage;
		Pipeline pipeline(std::format(
			"{} name=source num-buffers={} ! capsfilter name=caps caps={} ! "
			"heapalloc name=alloc heap=system ! heapkmssink name=sink sync=false",
			source, frames, caps()));
		record(pipeline.element("source"), "src", passage.sent);
		record(pipeline.element("sink"), "sink", passage.arrived);
		unsigned made = 0;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			const std::string state = stateOf(pipeline, buffer);
			if (passage.states.empty() || passage.states.back() != state)
				passage.states.push_back(state);
			if (number % framesBetween == 0 && made < changes)
				change(pipeline, made++);
		});
		pipeline.run(std::chrono::seconds(120));
		expectAllShown(pipeline, frames);
		EXPECT_EQ(made, changes);
		EXPECT_EQ(passage.sent.size(), frames);
		EXPECT_EQ(passage.arrived, passage.sent);
		/* Else nothing changed, and the test proves nothing. */
		EXPECT_GE(passage.states.size(), GetParam().keepsPool ? changes * 2 / 3 : changes)
			<< testing::PrintToString(passage.states);
		AllocStats stats = allocStats(pipeline);
		EXPECT_EQ(stats["from-heap"] + stats["earlier-heap"], frames);
		EXPECT_EQ(stats["foreign"], 0U) << pipeline.warnings().size();
	}
	EXPECT_EQ(settled(before), before) << "descriptors or CMA pages";
}

INSTANTIATE_TEST_SUITE_P(
	Sources, InPlay,
	testing::Values(Renegotiation{"Videotestsrc",
				      "videotestsrc",
				      {"NV12", "BGRx", "I420"},
				      {"width=320,height=240", "width=176,height=144",
				       "width=640,height=360"},
				      false},
			Renegotiation{"V4l2src",
				      "v4l2src device={} io-mode=dmabuf-import",
				      {"NV12", "BGRx", "I420"},
				      {"width=640,height=360", "width=320,height=180",
				       "width=640,height=480"},
				      true},
			Renegotiation{"Heapcamerasrc",
				      "heapcamerasrc camera-name={}",
				      {"NV12", "BGRx", "I420"},
				      {"width=640,height=360", "width=320,height=180",
				       "width=640,height=480"},
				      false}),
	[](const auto &test) { return test.param.name; });

} /* namespace */
