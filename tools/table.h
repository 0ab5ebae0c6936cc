/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of text that line up. */
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heapflow::tool
{

/** \brief What is not printable ASCII as \xNN: a node's name must not command the terminal */
std::string safeText(std::string_view text);

class Table
{
public:
	enum class Align { Left, Right };
	struct Column {
		std::string title;
		Align align = Align::Left;
	};

	explicit Table(std::vector<Column> columns);

	/** \brief Cells are made safe for a terminal; missing ones are empty, surplus ones dropped
	 */
	void addRow(std::vector<std::string> cells);

	/** \brief Lines with two spaces between columns and none at the end */
	std::string text() const;

private:
	std::vector<Column> columns_;
	std::vector<std::vector<std::string>> rows_;
};

} /* namespace heapflow::tool */
