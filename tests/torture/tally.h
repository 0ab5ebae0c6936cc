/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of board/torture's table. */
#pragma once

#include "apart.h"

#include <string>

namespace heapflow::torture
{

/** \brief One kind of fault: each case as it comes, and a row at the end */
class Tally
{
public:
	explicit Tally(std::string name) : name_(std::move(name)) {}

	/**
	 * \brief What came of one case, held against what is promised
	 *
	 * \param[in] says What an error must say, an ECMAScript regular expression
	 */
	void add(const std::string &what, const Verdict &verdict, Promise promise = Promise::Either,
		 const std::string &says = "");

	/** \brief Prints the row; false when something was not survived. `after` is of all cases */
	bool finish(const std::string &after = {});

private:
	std::string name_;
	unsigned injected_ = 0;
	unsigned survived_ = 0;
	unsigned played_ = 0;
	std::string saw_; /* the first error */
};

} /* namespace heapflow::torture */
