/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the ledger found, as table, JSON and picture. */
#include "tracer/flow_report.h"

#include <gmock/gmock.h>

using namespace heapflow::gst;
using testing::HasSubstr;
using testing::Not;

namespace
{

FlowReport example()
{
	FlowReport report;
	report.pipeline = "pipeline0";
	report.duration = 2'000'000'000;
	ElementReport source;
	source.id = 3;
	source.name = "camera \"<&>\"\n";
	source.factory = "v4l2src";
	source.kind = ElementKind::Source;
	source.framesOut = 60;
	ElementReport convert;
	convert.id = 7;
	convert.name = "videoconvert0";
	convert.factory = "videoconvert";
	convert.framesIn = convert.framesOut = 60;
	convert.reads = {120, 60 * 1'382'400};
	convert.writes = {60, 60 * 3'686'400};
	convert.copies = {60, 60 * 3'686'400};
	convert.reasons = {"copies frames in heap video@42000000 to frames in system memory"};
	convert.busy.add(4'000'000);
	ElementReport sink;
	sink.id = 8;
	sink.name = "sink";
	sink.factory = "fakesink";
	sink.kind = ElementKind::Sink;
	sink.framesIn = 60;
	report.elements = {source, convert, sink};
	LinkReport first;
	first.from = 3;
	first.fromPad = "src";
	first.to = 7;
	first.toPad = "sink";
	first.caps = "NV12 1280x720 30/1";
	first.memory = {"heap video@42000000"};
	first.frames = {60, 60 * 1'382'400};
	LinkReport second = first;
	second.from = 7;
	second.to = 8;
	second.caps = "BGRx 1280x720 30/1";
	second.memory = {"system memory"};
	second.copies = convert.copies;
	report.links = {first, second};
	return report;
}

TEST(FlowReport, BytesAndTimesForPeople)
{
	EXPECT_EQ(byteText(0), "0 B");
	EXPECT_EQ(byteText(999), "999 B");
	EXPECT_EQ(byteText(1000), "1.00 kB");
	EXPECT_EQ(byteText(1382400), "1.38 MB");
	EXPECT_EQ(byteText(999'600), "1.00 MB");
	EXPECT_EQ(byteText(41.472e6), "41.5 MB");
	EXPECT_EQ(byteText(3e15), "3000 TB");
	EXPECT_EQ(timeText(16'666'667), "16.7 ms");
	EXPECT_EQ(timeText(250), "0.25 us");
	EXPECT_EQ(timeText(2'000'000'000), "2.00 s");
}

TEST(FlowReport, TableNamesTheCopy)
{
	const std::string table = flowTable(example());
	EXPECT_THAT(table, HasSubstr("videoconvert0 copies frames in heap video@42000000 to frames "
				     "in system memory"));
	EXPECT_THAT(table, HasSubstr("60 x 3.69 MB"));
	EXPECT_THAT(table, HasSubstr("60 copies by the CPU, 221 MB"));
	EXPECT_THAT(table, HasSubstr("videoconvert0.src"));

	FlowReport clean = example();
	clean.elements[1].copies = {};
	EXPECT_THAT(flowTable(clean), HasSubstr("no copy by the CPU was seen"));
}

TEST(FlowReport, JsonIsWellFormed)
{
	const std::string json = flowJson(example());
	EXPECT_THAT(json, HasSubstr(R"("name":"camera \"<&>\"\u000a")"));
	EXPECT_THAT(json, HasSubstr(R"("copies":60,"copied-bytes":221184000)"));
	EXPECT_THAT(json, HasSubstr(R"("maps-read":{"count":120,"bytes":82944000})"));
	EXPECT_THAT(json, HasSubstr(R"("links":[{"from":3,"from-pad":"src","to":7)"));
	EXPECT_THAT(json, Not(HasSubstr(",}")));
	EXPECT_THAT(json, Not(HasSubstr(",]")));
	EXPECT_THAT(json, Not(HasSubstr("}{")));
}

TEST(FlowReport, PictureHasOneBoxAnElementAndMarksTheCopy)
{
	const std::string svg = flowSvg(example());
	EXPECT_THAT(svg, HasSubstr("camera &quot;&lt;&amp;&gt;&quot;"));
	const auto times = [&svg](const std::string &text) {
		size_t count = 0;
		for (size_t at = svg.find(text); at != std::string::npos;
		     at = svg.find(text, at + 1))
			count++;
		return count;
	};
	EXPECT_EQ(times("class=\"box\""), 2U);
	EXPECT_EQ(times("class=\"box copies\""), 1U);
	EXPECT_EQ(times("class=\"link\""), 1U);
	EXPECT_EQ(times("class=\"link copies\""), 1U);
	EXPECT_THAT(svg, HasSubstr("copied: 3.69 MB a frame, 111 MB a second"));
	EXPECT_EQ(times("0 bytes copied"), 1U);
}

/* Nothing of this may divide by nothing or point to nowhere. */
TEST(FlowReport, EmptyAndBrokenReportsAreDrawn)
{
	FlowReport report;
	report.links.push_back({});
	EXPECT_THAT(flowSvg(report), HasSubstr("</svg>"));
	EXPECT_THAT(flowTable(report), HasSubstr("(no element)"));
	EXPECT_THAT(flowJson(report), HasSubstr(R"("elements":[])"));
}

} /* namespace */
