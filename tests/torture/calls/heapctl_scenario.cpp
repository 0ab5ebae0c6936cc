/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool as a process of its own, with the interposer preloaded. */
#include "scenario.h"

#include "run_command.h"

#include <cstdlib>
#include <format>
#include <optional>

namespace heapflow::torture
{

namespace
{

/* With the interposer, which finds the plan by the environment. */
test::CommandResult heapctl(const std::string &arguments)
{
	const char *build = std::getenv("HEAPFLOW_BUILD");
	return test::runCommand(std::format("LD_PRELOAD={0}/tests/torture/libtorture-interposer.so "
					    "{0}/tools/heapctl {1}",
					    build ? build : "build", arguments));
}

std::optional<Error> wrong(const std::string &arguments, const test::CommandResult &result)
{
	if (result.status >= 128)
		return Error{0,
			     std::format("WRONG: heapctl {} ended by signal {}", arguments,
					 result.status - 128),
			     {}};
	if (result.output.empty() && result.errors.empty())
		return Error{0, std::format("WRONG: heapctl {} says nothing", arguments), {}};
	return std::nullopt;
}

} /* namespace */

Result<void> useHeapctl()
{
	for (const char *arguments :
	     {"list", "list --json", "explain 'video@*:default'", "alloc 'video@*' 4096"}) {
		const auto result = heapctl(arguments);
		if (const auto error = wrong(arguments, result))
			return std::unexpected(*error);
		if (result.status != 0)
			return fail(0, std::format("heapctl {}: exit status {}: {}", arguments,
						   result.status, result.errors));
	}
	return {};
}

/* What it finds are findings, in its report: there is no other error than that it gives none. */
Result<void> useDoctor()
{
	const auto result = heapctl("doctor --json");
	if (const auto error = wrong("doctor", result))
		return std::unexpected(*error);
	if (result.status > 1 || !result.output.starts_with("{"))
		return fail(0, std::format("heapctl doctor: exit status {}: {}", result.status,
					   result.errors));
	return {};
}

} /* namespace heapflow::torture */
