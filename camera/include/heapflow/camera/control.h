/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The controls of a camera: their names, kinds, limits and values. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace heapflow
{

/** \brief What the numbers of a control are */
enum class ControlType {
	Boolean,
	Integer,
	Float,
	Text,
	Rectangle, /**< four integers: x, y, width, height */
	Size,      /**< two integers: width, height */
	Point,     /**< two integers: x, y */
};

/**
 * \brief The value of a control
 *
 * Rectangles, sizes and points are lists of integers, an array of them one long list. An array of
 * booleans is a list of zeroes and ones. monostate is no value.
 */
using ControlValue = std::variant<std::monostate, bool, int64_t, double, std::string,
				  std::vector<int64_t>, std::vector<double>>;

/** \brief A name of controlValueText(): "true", "-3", "0.5", "[1,2]" */
std::string controlValueText(const ControlValue &value);

/** \brief One of the values that a control with names for them takes */
struct ControlChoice {
	int64_t value = 0;
	std::string name; /**< "ManualGain" */
};

/** \brief A control, as a camera or a whole library lists it */
struct ControlDescription {
	std::string name;   /**< "ExposureTime", or V4L2's "Exposure Time, Absolute" */
	std::string vendor; /**< "libcamera", "draft", "rpi" and so on; "v4l2" */
	ControlType type = ControlType::Integer;
	bool array = false;
	size_t elements = 0; /**< of an array; 0: any number */
	std::vector<ControlChoice> choices;
	/** Limits of a number, or of each in an array; monostate: the camera does not say */
	ControlValue minimum, maximum;
	ControlValue byDefault; /**< monostate: as the camera likes */
	bool settable = true;
	bool reported = false; /**< frames may carry it as metadata */
	/** A button or a trigger: to set it does something once, and leaves no value behind */
	bool momentary = false;

	/** \brief "0 to 1", "one of Auto, Manual", or empty */
	std::string limits() const;
};

/** \brief Values by name, to be set together */
using ControlList = std::vector<std::pair<std::string, ControlValue>>;

/** \brief A value that came with a frame; the name lives as long as the process */
struct FrameControl {
	std::string_view name;
	ControlValue value;
};
using FrameControls = std::vector<FrameControl>;

/**
 * \brief The control that a name means
 *
 * Case, blanks and punctuation do not matter: "exposure-time" is ExposureTime. The exact name wins.
 *
 * Errors: ENOENT none (the hint has the nearest name).
 */
Result<const ControlDescription *> findControl(const std::vector<ControlDescription> &controls,
					       std::string_view name);

/**
 * \brief A value as the control takes it: numbers in its type, names of choices as numbers
 *
 * Text is read as gst-launch gives it: "0.5", "Manual", "1,2,3,4".
 *
 * Errors: EINVAL the wrong type or number of elements, or none of the choices; ERANGE outside of
 * the limits; EACCES it can only be read.
 */
Result<ControlValue> fitControl(const ControlDescription &control, const ControlValue &value);

/** \brief The same for all names that findControl() takes for one; of no other use */
std::string controlKey(std::string_view name);

/** \brief "exposure-time" for "ExposureTime", "exposure-time-absolute" for V4L2's names */
std::string kebabName(std::string_view name);

} /* namespace heapflow */
