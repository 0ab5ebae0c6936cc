/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks as tables and as JSON: what `top --once` prints, and the rows of the live view. */
#pragma once

#include "look.h"

#include "../table.h"

namespace heapflow::tool
{

using Flows = std::map<std::string, Flow>;

Table regionTable(const Look &look, const Flows &flows);
Table processTable(const std::vector<ProcessRow> &rows);
Table bufferTable(const std::vector<BufferRow> &rows);

/** \brief "1.5 MiB/s", "0", "-" when unknown */
std::string rateText(std::optional<double> bytesPerSecond);

/** \brief All three tables, the largest first */
std::string lookText(const Look &look, const Look *before, const Flows &flows);

/** \brief One object: time, regions with their rates, processes, buffers */
nlohmann::ordered_json lookToJson(const Look &look, const Look *before, const Flows &flows);

} /* namespace heapflow::tool */
