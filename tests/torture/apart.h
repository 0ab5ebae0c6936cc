/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault in a process of its own, and what it left behind in the system. */
#pragma once

#include "heapflow/heap/error.h"

#include <functional>
#include <string>

namespace heapflow::torture
{

/** \brief What came of a fault, in the words of who would have seen it */
struct Verdict {
	enum class Kind {
		Played,  /**< frames came and were shown */
		Refused, /**< `text` is the error */
		Broken,  /**< a promise was broken: `text` says which */
	};

	Kind kind = Kind::Broken;
	std::string text;

	static Verdict played(std::string text = "works")
	{
		return {Kind::Played, std::move(text)};
	}
	static Verdict refused(std::string text) { return {Kind::Refused, std::move(text)}; }
	static Verdict broken(std::string text) { return {Kind::Broken, std::move(text)}; }
	static Verdict of(const Result<void> &result);
};

/** \brief What is to come of a fault */
enum class Promise {
	Works,   /**< as if nothing were wrong */
	Refused, /**< with an error that says what is wrong */
	Either,  /**< as the driver likes; when refused, with such an error */
};

/**
 * \brief Do it in a child, and look after it
 *
 * Broken as well when the child crashes, hangs for a minute or ends without a verdict, and when
 * the system has more dma-bufs or framebuffers afterwards, or less memory in its regions.
 */
Verdict apart(const std::function<Verdict()> &fault);

/**
 * \brief Can a program that comes now light the screen and show a frame? Empty: yes
 *
 * In a process of its own: it opens camera and screen, and shows frames in memory of `heap`.
 */
std::string stillUsable(const std::string &heap);

/** \brief The same for the screen alone, and what it shows is looked at */
std::string screenStillUsable();

} /* namespace heapflow::torture */
