/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheaphdr.h"

#include <algorithm>

namespace heapflow::gst
{

std::optional<HdrMetadata> hdrFromCaps(const GstCaps *caps, const GstVideoInfo &info)
{
	HdrMetadata metadata;
	switch (info.colorimetry.transfer) {
	case GST_VIDEO_TRANSFER_SMPTE2084:
		metadata.transfer = HdrMetadata::Transfer::Pq;
		break;
	case GST_VIDEO_TRANSFER_ARIB_STD_B67:
		metadata.transfer = HdrMetadata::Transfer::Hlg;
		break;
	default:
		return std::nullopt;
	}

	const auto narrow = [](guint32 value) {
		return static_cast<uint16_t>(std::min<guint32>(value, UINT16_MAX));
	};
	GstVideoMasteringDisplayInfo mastering;
	if (gst_video_mastering_display_info_from_caps(&mastering, caps)) {
		for (size_t i = 0; i < 3; i++)
			metadata.primaries[i] = {mastering.display_primaries[i].x,
						 mastering.display_primaries[i].y};
		metadata.whitePoint = {mastering.white_point.x, mastering.white_point.y};
		/* GStreamer counts both in 0.0001 cd/m², the infoframe the maximum in cd/m². */
		metadata.maximumLuminance =
			narrow(mastering.max_display_mastering_luminance / 10000);
		metadata.minimumLuminance = narrow(mastering.min_display_mastering_luminance);
	}
	GstVideoContentLightLevel light;
	if (gst_video_content_light_level_from_caps(&light, caps)) {
		metadata.maximumContentLight = light.max_content_light_level;
		metadata.maximumFrameAverage = light.max_frame_average_light_level;
	}
	return metadata;
}

} /* namespace heapflow::gst */
