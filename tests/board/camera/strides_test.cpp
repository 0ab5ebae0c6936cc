/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every size and stride that vivid is asked for, on every heap, to the pixel. */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include <format>
#include <tuple>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

/* Width, height, and how many bytes the lines are to be longer than they must be. */
struct Shape {
	uint32_t width, height, padding;
};

constexpr Shape shapes[] = {
	{320, 180, 0}, {320, 180, 64}, {640, 360, 32}, {1280, 720, 256}, {1920, 1080, 128}};

void expectPictures(const std::string &allocators, const std::string &heap)
{
	const Vivid vivid(allocators);
	for (const Shape &shape : shapes) {
		for (const uint32_t fourcc :
		     {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_XRGB8888}) {
			SCOPED_TRACE(std::format("{} {}x{} + {}", fourccToString(fourcc),
						 shape.width, shape.height, shape.padding));
			CaptureRequest wish = request(fourcc, shape.width, shape.height);
			wish.bufferCount = 2;
			const auto tight = makeFrameLayout(fourcc, shape.width, shape.height);
			if (shape.padding)
				wish.stride = tight->planes[0].stride + shape.padding;
			auto capture = startCapture(vivid.node(), wish, heap);
			ASSERT_TRUE(capture) << textOf(capture);
			const FrameLayout &layout = capture->configuration.layout;
			EXPECT_EQ(layout.width, shape.width);
			EXPECT_EQ(layout.height, shape.height);
			EXPECT_EQ(layout.planes[0].stride, tight->planes[0].stride + shape.padding);
			const auto frames =
				takeFrames(*capture, 1, [&](const auto &, const Buffer &buffer) {
					auto mapping = buffer.map(Access::Read);
					ASSERT_TRUE(mapping);
					EXPECT_TRUE(showsBars(layout, mapping->bytes(),
							      Vivid::bars(layout)));
				});
			ASSERT_TRUE(frames) << textOf(frames);
		}
	}
}

class Strides : public testing::TestWithParam<std::tuple<std::string, std::string>>
{
};

TEST_P(Strides, AreHonouredToThePixel)
{
	expectPictures(std::get<0>(GetParam()), std::get<1>(GetParam()));
}

std::string nameOfHeap(const testing::TestParamInfo<std::tuple<std::string, std::string>> &info)
{
	return nameForTest(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(VividVmalloc, Strides,
			 testing::Combine(testing::Values("0"), testing::ValuesIn(allHeaps)),
			 nameOfHeap);
INSTANTIATE_TEST_SUITE_P(VividMultiplanar, Strides,
			 testing::Combine(testing::Values("0"), testing::ValuesIn(allHeaps)),
			 nameOfHeap);
INSTANTIATE_TEST_SUITE_P(VividContiguous, Strides,
			 testing::Combine(testing::Values("1"), testing::ValuesIn(contiguousHeaps)),
			 nameOfHeap);
INSTANTIATE_TEST_SUITE_P(VividContiguousMultiplanar, Strides,
			 testing::Combine(testing::Values("1"), testing::ValuesIn(contiguousHeaps)),
			 nameOfHeap);

} /* namespace */
