/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traced.h"

#include <format>
#include <fstream>
#include <sstream>

namespace heapflow::test
{

namespace
{

std::string contents(const std::filesystem::path &file)
{
	std::ostringstream text;
	text << std::ifstream(file).rdbuf();
	return text.str();
}

uint64_t sumOf(const nlohmann::json &report, const char *field, const char *part)
{
	uint64_t total = 0;
	if (!report.is_null())
		for (const nlohmann::json &one : report.at("elements"))
			total += one.at(field).at(part).get<uint64_t>();
	return total;
}

} /* namespace */

nlohmann::json readReport(const std::filesystem::path &file)
{
	const auto report = nlohmann::json::parse(contents(file), nullptr, false);
	return report.is_discarded() ? nlohmann::json(nullptr) : report;
}

uint64_t copiesIn(const nlohmann::json &report)
{
	return sumOf(report, "copies", "count");
}

Traced::Traced(const std::string &line)
{
	const TemporaryDirectory directory;
	const auto file = [&directory](const char *name) {
		return directory.path() / name;
	};
	outside = countOutside(std::format(
		"GST_TRACERS='heapflow(table={},json={},svg={})' gst-launch-1.0 -q {} </dev/null "
		">{} 2>&1",
		file("table").string(), file("json").string(), file("svg").string(), line,
		file("errors").string()));
	errors = contents(file("errors"));
	table = contents(file("table"));
	svg = contents(file("svg"));
	report = readReport(file("json"));
}

nlohmann::json Traced::element(const std::string &name) const
{
	if (!report.is_null())
		for (const nlohmann::json &one : report.at("elements"))
			if (one.at("name") == name)
				return one;
	return nullptr;
}

uint64_t Traced::copies(const std::string &name) const
{
	if (name.empty())
		return copiesIn(report);
	const nlohmann::json one = element(name);
	return one.is_null() ? 0 : one.at("copies").at("count").get<uint64_t>();
}

uint64_t Traced::copiedBytes(const std::string &name) const
{
	if (name.empty())
		return sumOf(report, "copies", "bytes");
	const nlohmann::json one = element(name);
	return one.is_null() ? 0 : one.at("copies").at("bytes").get<uint64_t>();
}

uint64_t Traced::mapsToRead() const
{
	return sumOf(report, "maps-read", "count");
}

uint64_t Traced::mapsToWrite() const
{
	return sumOf(report, "maps-written", "count");
}

std::string Traced::text() const
{
	return describe(outside) + outside.error + table + errors + report.dump(1);
}

} /* namespace heapflow::test */
