/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways in which a consumer can be a bad one. */
#pragma once

#include "random_draw.h"

#include <string>
#include <vector>

namespace heapflow::torture
{

struct ConsumerOutcome {
	std::string saw;
	std::string broken; /**< empty: survived */
};

struct ConsumerScenario {
	const char *name;
	ConsumerOutcome (*run)(RandomDraw &random);
};

/** \brief Each begins and ends with nothing held */
const std::vector<ConsumerScenario> &consumerScenarios();

} /* namespace heapflow::torture */
