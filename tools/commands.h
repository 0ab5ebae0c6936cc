/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of heapctl; each returns the exit status. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <string>

namespace heapflow::tool
{

struct ListOptions {
	bool json = false;
	SystemPaths paths;
};
int listCommand(const ListOptions &options);

struct ExplainOptions {
	bool json = false;
	std::string expression;
	SystemPaths paths;
};
int explainCommand(const ExplainOptions &options);

struct AllocOptions {
	bool json = false;
	std::string expression;
	std::string size;
	uint64_t count = 1;
	std::string name = "heapctl";
	double hold = 0; /**< seconds */
};
int allocCommand(const AllocOptions &options);

} /* namespace heapflow::tool */
