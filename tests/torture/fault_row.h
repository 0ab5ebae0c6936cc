/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of board/torture's table. */
#pragma once

#include <string>

namespace heapflow::torture
{

/** \brief What came of one kind of fault */
struct FaultRow {
	std::string fault;
	unsigned injected = 0;
	unsigned survived = 0;
	std::string saw; /**< what the user saw */
	/** There may be nothing of this kind to inject; else a row without a fault is not ok */
	bool mayBeNone = false;

	bool good() const { return survived == injected && (injected > 0 || mayBeNone); }
};

/** \brief Print it as TAP and for board/torture, with tabs; numbered from 1. Main thread */
void print(const FaultRow &row);

/** \brief TAP's plan, of all that were printed */
void printPlan();

} /* namespace heapflow::torture */
