/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bash would offer: the completion script, called as readline calls it. */
#pragma once

#include "checkout_paths.h"
#include "run_command.h"

#include <string>

namespace heapflow::test
{

/**
 * \brief The candidates for `line`, one a line; the cursor stands at its end
 *
 * \param[in] line As typed, beginning with the program
 */
inline CommandResult completeInBash(const std::string &line)
{
	const TemporaryDirectory directory;
	directory.write("line", line);
	/* compopt works inside of a completion only; what it is asked for is shown instead. */
	directory.write("script",
			"source " HEAPFLOW_COMPLETION "/heapctl.bash\n"
			"compopt() { echo \"compopt $*\"; }\n"
			"COMP_LINE=$(cat " +
				(directory.path() / "line").string() +
				"; printf x); COMP_LINE=${COMP_LINE%x}; "
				"COMP_POINT=${#COMP_LINE}\n"
				"_heapctl\n"
				"[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' \"${COMPREPLY[@]}\"\n");
	return runCommand("bash --norc " + (directory.path() / "script").string());
}

} /* namespace heapflow::test */
