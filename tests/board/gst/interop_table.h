/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of docs/interop.md as data, and what its rows need around them. */
#pragma once

#include "syscall_witness.h"

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace heapflow::test
{

/** \brief The cells that a run fills in */
struct InteropResult {
	std::string frames;
	std::string memory;
	std::string copied;
	std::string cpu;
	std::string mapped;

	bool operator==(const InteropResult &) const = default;
};
std::ostream &operator<<(std::ostream &out, const InteropResult &result);

struct InteropRow {
	std::string name;
	std::string pipeline;
	std::string setup;
	InteropResult result;

	/** \brief The line of the table, with other results */
	std::string with(const InteropResult &other) const;
	/** \brief As GoogleTest takes it: "V4l2srcDmabufImport" */
	std::string testName() const;
};

/** \brief All rows of the document; a row that cannot be read ends the program */
std::vector<InteropRow> interopRows();

/**
 * \brief What gst-row printed, the tracer reported and strace counted, as cells
 *
 * \param[in] reports The tracer's JSON; none when it wrote none
 */
InteropResult resultOf(const Witnessed &seen, const std::vector<nlohmann::json> &reports);

/** \brief What must be there while a row runs */
class InteropSetup
{
public:
	/** \param[in] name Of the column "setup" */
	static std::unique_ptr<InteropSetup> make(const std::string &name);

	virtual ~InteropSetup() = default;
	/** \brief The pipeline with the nodes and files of this board */
	virtual std::string complete(std::string pipeline) const;
	virtual std::string environment() const { return {}; }
	/** \brief What runs the pipeline and prints as gst-row does */
	virtual std::string program() const { return "gst-row"; }
};

} /* namespace heapflow::test */
