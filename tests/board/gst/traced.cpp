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

} /* namespace */

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
	report = nlohmann::json::parse(contents(file("json")), nullptr, false);
	if (report.is_discarded())
		report = nullptr;
}

nlohmann::json Traced::element(const std::string &name) const
{
	if (!report.is_null())
		for (const nlohmann::json &one : report.at("elements"))
			if (one.at("name") == name)
				return one;
	return nullptr;
}

uint64_t Traced::sum(const char *field, const char *part) const
{
	uint64_t total = 0;
	if (!report.is_null())
		for (const nlohmann::json &one : report.at("elements"))
			total += one.at(field).at(part).get<uint64_t>();
	return total;
}

uint64_t Traced::copies(const std::string &name) const
{
	if (name.empty())
		return sum("copies", "count");
	const nlohmann::json one = element(name);
	return one.is_null() ? 0 : one.at("copies").at("count").get<uint64_t>();
}

uint64_t Traced::copiedBytes(const std::string &name) const
{
	if (name.empty())
		return sum("copies", "bytes");
	const nlohmann::json one = element(name);
	return one.is_null() ? 0 : one.at("copies").at("bytes").get<uint64_t>();
}

uint64_t Traced::mapsToRead() const
{
	return sum("maps-read", "count");
}

uint64_t Traced::mapsToWrite() const
{
	return sum("maps-written", "count");
}

std::string Traced::text() const
{
	return describe(outside) + outside.error + table + errors + report.dump(1);
}

} /* namespace heapflow::test */
