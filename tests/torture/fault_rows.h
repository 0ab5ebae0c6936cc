/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of faults that are put in at random, as board/torture reads it. */
#pragma once

#include <map>
#include <string>
#include <vector>

namespace heapflow::torture
{

/** \brief A row for each kind of fault, in the order in which they first came */
class FaultRows
{
public:
	/**
	 * \brief Count one fault; what was not survived is printed at once
	 *
	 * \param[in] saw What the user saw, in few words: the same words are counted together
	 * \param[in] broken Why it was not survived; empty when it was
	 */
	void add(const std::string &fault, const std::string &saw, const std::string &broken);

	/** \brief Said beside what the user saw */
	void remark(const std::string &fault, const std::string &text) { row(fault).remark = text; }

	unsigned injected() const;

	/** \brief "ok N - FAULT" and the row of board/torture for each; false when any is not ok */
	bool print() const;

private:
	struct Row {
		std::string fault;
		unsigned injected = 0, survived = 0;
		std::map<std::string, unsigned> saw;
		std::string remark;
	};
	Row &row(const std::string &fault);
	static std::string textOf(const std::map<std::string, unsigned> &saw);

	std::vector<Row> rows_;
};

} /* namespace heapflow::torture */
