/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vivid whose DMA needs contiguous memory (vivid.allocators=1): `system` is refused, said at
 * importBuffers(). The sizes are no powers of two, so no chunk of `system` holds a frame by luck.
 */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include <cerrno>
#include <tuple>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

using HeapAndFormat = std::tuple<std::string, uint32_t>;

std::string nameOfParameter(const testing::TestParamInfo<HeapAndFormat> &info)
{
	return nameForTest(std::get<0>(info.param) + "_" + fourccToString(std::get<1>(info.param)));
}

const auto formats =
	testing::Values(DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_BGR888, DRM_FORMAT_XRGB8888);

class VividContiguousCapture : public testing::TestWithParam<HeapAndFormat>
{
};

TEST_P(VividContiguousCapture, AcceptsTheContiguousHeap)
{
	const Vivid vivid("1");
	const auto &[heap, fourcc] = GetParam();
	auto capture = startCapture(vivid.node(), Vivid::request720p(fourcc), heap);
	ASSERT_TRUE(capture) << textOf(capture);
	const FrameLayout &layout = capture->configuration.layout;
	const auto frames = takeFrames(*capture, 4, [&](const auto &, const Buffer &buffer) {
		auto mapping = buffer.map(Access::Read);
		ASSERT_TRUE(mapping) << textOf(mapping);
		EXPECT_TRUE(showsBars(layout, mapping->bytes(), Vivid::bars(layout)));
	});
	ASSERT_TRUE(frames) << textOf(frames);
}

INSTANTIATE_TEST_SUITE_P(VividContiguous, VividContiguousCapture,
			 testing::Combine(testing::ValuesIn(contiguousHeaps), formats),
			 nameOfParameter);

class VividContiguousRefusal : public testing::TestWithParam<uint32_t>
{
};

TEST_P(VividContiguousRefusal, OfSystemSaysWhyAndWhatWouldDo)
{
	const Vivid vivid("1");
	auto capture = openCapture(vivid.node(), Vivid::request720p(GetParam()));
	ASSERT_TRUE(capture) << textOf(capture);
	const auto refused = importFrom(*capture, "system");
	ASSERT_FALSE(refused);
	EXPECT_EQ(codeOf(refused), EFAULT);
	EXPECT_THAT(refused.error().message,
		    AllOf(HasSubstr("vivid"), HasSubstr("heap 'system'"), HasSubstr("contiguous")));
	EXPECT_THAT(refused.error().hint,
		    AllOf(HasSubstr("default_cma_region"), HasSubstr("video@42000000"),
			  HasSubstr("memory@48000000-contiguous")));
	EXPECT_FALSE(capture->camera->start());

	/* The camera is none the worse: the next heap can be tried at once. */
	const auto accepted = importFrom(*capture, "video@42000000");
	ASSERT_TRUE(accepted) << textOf(accepted);
	ASSERT_TRUE(capture->camera->start());
	EXPECT_TRUE(takeFrames(*capture, 2));
}

std::string nameOfFormat(const testing::TestParamInfo<uint32_t> &info)
{
	return fourccToString(info.param);
}

INSTANTIATE_TEST_SUITE_P(VividContiguous, VividContiguousRefusal, formats, nameOfFormat);
INSTANTIATE_TEST_SUITE_P(VividContiguousMultiplanar, VividContiguousRefusal, formats, nameOfFormat);

} /* namespace */
