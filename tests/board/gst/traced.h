/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gst-launch line under the heapflow tracer, and counted from outside at the same time. */
#pragma once

#include "outside_count.h"
#include "temporary_directory.h"

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace heapflow::test
{

/** \brief The tracer's JSON from its file; null when there is none */
nlohmann::json readReport(const std::filesystem::path &file);

/** \brief Frames that all elements of a report copied by CPU */
uint64_t copiesIn(const nlohmann::json &report);

/** \brief Runs when it is made; what both counted is read afterwards */
class Traced
{
public:
	/** \param[in] line What gst-launch-1.0 takes */
	explicit Traced(const std::string &line);

	/** \brief What the kernel saw, with the command's exit status */
	OutsideCount outside;
	/** \brief The tracer's JSON; null when it wrote none */
	nlohmann::json report;
	std::string table; /**< as on a terminal */
	std::string svg;
	std::string errors; /**< what gst-launch wrote on stderr, the table included */

	/** \brief An element of the report by the name it has in the line; null if it is not in it
	 */
	nlohmann::json element(const std::string &name) const;
	/** \brief Copies of an element, or of all with "" */
	uint64_t copies(const std::string &name = "") const;
	uint64_t copiedBytes(const std::string &name = "") const;
	/** \brief Maps by all elements, of frames of dma-bufs only if all are such */
	uint64_t mapsToRead() const;
	uint64_t mapsToWrite() const;
	/** \brief All there is to see when a test fails */
	std::string text() const;
};

} /* namespace heapflow::test */
