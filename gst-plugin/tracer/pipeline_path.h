/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which elements lie between two others. */
#pragma once

#include <functional>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief Does the data that an element pushes reach one like this, over any number of bins? */
bool leadsTo(GstElement *from, const std::function<bool(GstElement *)> &wanted);

/**
 * \brief Does it show pictures to people?
 *
 * It has no source pad, and "Sink" and "Video" in its class or in that of a bin that it is in.
 */
bool isScreen(GstElement *element);

/** \brief What of a pipeline a contract is about, told by the element that it was made with */
enum class ContractScope {
	FromSource, /**< all between this element and the screens */
	ToSink,     /**< all between the sources and this element */
	Through,    /**< both */
};

/**
 * \brief Is an element on the way that frames take?
 *
 * The ends are on it. A branch that leads to no screen, as that of a tee to an appsink, is not,
 * unless no branch leads to a screen: then all count.
 */
bool isOnTheWay(GstElement *element, GstElement *owner, ContractScope scope);

} /* namespace heapflow::gst */
