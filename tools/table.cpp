/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <algorithm>
#include <cstdio>

namespace heapflow::tool
{

std::string safeText(std::string_view text)
{
	std::string safe;
	for (const char character : text) {
		const auto byte = static_cast<unsigned char>(character);
		if (byte >= 0x20 && byte < 0x7f) {
			safe += character;
			continue;
		}
		char escaped[8];
		std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
		safe += escaped;
	}
	return safe;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns))
{
	std::vector<std::string> titles;
	for (const Column &column : columns_)
		titles.push_back(column.title);
	addRow(std::move(titles));
}

void Table::addRow(std::vector<std::string> cells)
{
	cells.resize(columns_.size());
	for (std::string &cell : cells)
		cell = safeText(cell);
	rows_.push_back(std::move(cells));
}

std::string Table::text() const
{
	std::vector<size_t> widths(columns_.size());
	for (const auto &row : rows_) {
		for (size_t i = 0; i < row.size(); i++)
			widths[i] = std::max(widths[i], row[i].size());
	}

	std::string text;
	for (const auto &row : rows_) {
		std::string line;
		for (size_t i = 0; i < row.size(); i++) {
			const std::string padding(widths[i] - row[i].size(), ' ');
			line += i ? "  " : "";
			line += columns_[i].align == Align::Left ? row[i] + padding
								 : padding + row[i];
		}
		line.erase(line.find_last_not_of(' ') + 1);
		text += line + "\n";
	}
	return text;
}

} /* namespace heapflow::tool */
