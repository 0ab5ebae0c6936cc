/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

namespace heapflow::tool
{

void addJson(CLI::App *command, bool &json)
{
	command->add_flag("--json", json, "Print JSON; sizes in bytes, null where unknown");
}

CLI::Option *addSysroot(CLI::App *command, SystemPaths &paths)
{
	return command
		->add_option_function<std::string>(
			"--sysroot",
			[&paths](const std::string &root) { paths = SystemPaths::below(root); },
			"Read DIR/dev, DIR/sys and DIR/proc: a copy of a board")
		->type_name("DIR")
		->check(CLI::ExistingDirectory);
}

} /* namespace heapflow::tool */
