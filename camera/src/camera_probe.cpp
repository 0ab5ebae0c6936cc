/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/camera/camera_probe.h"

#include "v4l2_node.h"

#include <cerrno>
#include <format>

#include <linux/videodev2.h>

namespace heapflow
{

namespace
{

class CameraProbe : public MemoryProbe
{
public:
	CameraProbe(V4l2Node node, uint64_t pictureSize)
		: node_(std::move(node)), pictureSize_(pictureSize)
	{
	}

	std::string device() const override { return node_.identity().path; }
	uint64_t smallestBuffer() const override { return pictureSize_; }
	ProbeAnswer tryBuffer(const Buffer &buffer) override;

private:
	int requestSlots(unsigned count) const;
	int prepare(const Buffer &buffer) const;

	V4l2Node node_;
	uint64_t pictureSize_;
};

int CameraProbe::requestSlots(unsigned count) const
{
	v4l2_requestbuffers request{};
	request.type = node_.identity().bufferType();
	request.memory = V4L2_MEMORY_DMABUF;
	request.count = count;
	return node_.ioctl(VIDIOC_REQBUFS, &request);
}

int CameraProbe::prepare(const Buffer &buffer) const
{
	v4l2_plane plane{};
	v4l2_buffer slot{};
	slot.type = node_.identity().bufferType();
	slot.memory = V4L2_MEMORY_DMABUF;
	/*
	 * All of the buffer, not just what a picture needs: videobuf2 compares the first contiguous
	 * piece with this length (vb2_dc_map_dmabuf()), and a small one may be in one piece by
	 * luck.
	 */
	const auto length = static_cast<uint32_t>(buffer.size());
	if (V4L2_TYPE_IS_MULTIPLANAR(slot.type)) {
		plane.m.fd = buffer.fd();
		plane.length = length;
		slot.m.planes = &plane;
		slot.length = 1;
	} else {
		slot.m.fd = buffer.fd();
		slot.length = length;
	}
	return node_.ioctl(VIDIOC_PREPARE_BUF, &slot);
}

ProbeAnswer CameraProbe::tryBuffer(const Buffer &buffer)
{
	if (const int code = requestSlots(1))
		return {Demand::Unknown, code == EBUSY ? "another program is using it"
					 : code == EINVAL
						 ? "its driver cannot import dma-bufs"
						 : "VIDIOC_REQBUFS failed: " + errnoName(code)};
	const int code = prepare(buffer);
	requestSlots(0); /* lets go of the dma-buf */
	if (code == 0)
		return {Demand::Yes, "VIDIOC_PREPARE_BUF took it"};
	/* What videobuf2 gives for memory that is not contiguous for the device, or out of reach.
	 */
	if (code == EFAULT)
		return {Demand::No, "VIDIOC_PREPARE_BUF refused it (EFAULT)"};
	return {Demand::Unknown, "VIDIOC_PREPARE_BUF failed: " + errnoName(code)};
}

} /* namespace */

Result<std::unique_ptr<MemoryProbe>> openCameraProbe(const std::string &path)
{
	auto node = V4l2Node::open(path);
	if (!node)
		return std::unexpected(node.error());
	v4l2_format format{};
	format.type = node->identity().bufferType();
	if (const int code = node->ioctl(VIDIOC_G_FMT, &format))
		return fail(code, std::format("{} does not tell its format", path));
	const uint64_t size = V4L2_TYPE_IS_MULTIPLANAR(format.type)
				      ? format.fmt.pix_mp.plane_fmt[0].sizeimage
				      : format.fmt.pix.sizeimage;
	return std::make_unique<CameraProbe>(std::move(*node), size);
}

} /* namespace heapflow */
