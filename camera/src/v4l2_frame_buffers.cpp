/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/camera/v4l2_frame_buffers.h"

#include "v4l2_node.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <drm/drm_fourcc.h>
#include <linux/videodev2.h>

namespace heapflow
{

namespace
{

constexpr std::pair<uint32_t, uint32_t> formats[] = {
	{DRM_FORMAT_NV12, V4L2_PIX_FMT_NV12M},     {DRM_FORMAT_NV21, V4L2_PIX_FMT_NV21M},
	{DRM_FORMAT_NV16, V4L2_PIX_FMT_NV16M},     {DRM_FORMAT_NV61, V4L2_PIX_FMT_NV61M},
	{DRM_FORMAT_YUV420, V4L2_PIX_FMT_YUV420M}, {DRM_FORMAT_YVU420, V4L2_PIX_FMT_YVU420M},
	{DRM_FORMAT_YUV422, V4L2_PIX_FMT_YUV422M}, {DRM_FORMAT_YUV444, V4L2_PIX_FMT_YUV444M},
};

} /* namespace */

Result<bool> v4l2HasBufferPerPlane(const std::string &path, uint32_t fourcc)
{
	const auto node = V4l2Node::open(path);
	if (!node)
		return std::unexpected(node.error());
	const auto wanted =
		std::ranges::find(formats, fourcc, &std::pair<uint32_t, uint32_t>::first);
	const uint32_t type = node->identity().bufferType();
	if (!V4L2_TYPE_IS_MULTIPLANAR(type) || wanted == std::end(formats))
		return false;
	v4l2_fmtdesc format{};
	format.type = type;
	while (node->ioctl(VIDIOC_ENUM_FMT, &format) == 0) {
		if (format.pixelformat == wanted->second)
			return true;
		format.index++;
	}
	return false;
}

} /* namespace heapflow */
