/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcopynotice.h"

#include "gstheapframeoriginprivate.h"
#include "gstheapi18n.h"
#include "gstheapneighbours.h"
#include "tracer/frame_watch.h"

namespace heapflow::gst
{

void announceCopy(GstElement *owner, const CopyNotice &notice)
{
	GstStructure *said = gst_structure_new(
		"heapflow-copy", "reason", G_TYPE_STRING, notice.reason.c_str(), "hint",
		G_TYPE_STRING, notice.hint.c_str(), "element", G_TYPE_STRING,
		notice.element.c_str(), "bytes", G_TYPE_UINT64, guint64(notice.bytes), nullptr);
	gst_element_post_message(owner, gst_message_new_element(GST_OBJECT_CAST(owner), said));
	GST_ELEMENT_WARNING(owner, STREAM, FORMAT, ("%s.", notice.reason.c_str()),
			    ("%s", notice.hint.c_str()));
}

bool noticeEarlierCopy(GstElement *owner, GstPad *sinkPad, GstBuffer *frame, bool &said)
{
	if (!gst_buffer_is_cpu_copy(frame))
		return false;
	if (gst_buffer_tell_cpu_copy(frame) || said || FrameWatch::instance().isActive())
		return true;
	said = true;
	const std::string name = peerName(sinkPad);
	announceCopy(
		owner,
		{.reason = formatted(_("%s, or an element before it, copies frames by CPU from "
				       "memory of a heap into other memory"),
				     name.c_str()),
		 .hint = _("Let the elements agree on one format so that frames pass "
			   "untouched. GST_TRACERS=heapflow tells which element copies; "
			   "copied-upstream in the statistics counts the frames; "
			   "require-zero-copy makes it an error."),
		 .element = {},
		 .bytes = gst_buffer_get_size(frame)});
	return true;
}

} /* namespace heapflow::gst */
