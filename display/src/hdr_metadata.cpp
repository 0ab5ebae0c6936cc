/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hdr_metadata.h"

namespace heapflow
{

hdr_output_metadata kmsHdrMetadata(const HdrMetadata &metadata)
{
	hdr_output_metadata result = {};
	/* HDMI_STATIC_METADATA_TYPE1 is 0 (linux/hdmi.h). */
	hdr_metadata_infoframe &frame = result.hdmi_metadata_type1;
	frame.eotf = static_cast<uint8_t>(metadata.transfer);
	for (int i = 0; i < 3; i++) {
		frame.display_primaries[i].x = metadata.primaries[i].x;
		frame.display_primaries[i].y = metadata.primaries[i].y;
	}
	frame.white_point.x = metadata.whitePoint.x;
	frame.white_point.y = metadata.whitePoint.y;
	frame.max_display_mastering_luminance = metadata.maximumLuminance;
	frame.min_display_mastering_luminance = metadata.minimumLuminance;
	frame.max_cll = metadata.maximumContentLight;
	frame.max_fall = metadata.maximumFrameAverage;
	return result;
}

} /* namespace heapflow */
