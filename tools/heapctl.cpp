/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl: look at dma-buf heaps from a shell. The manual page is docs/heapctl.1. */
#include "command_line.h"
#include "output.h"

namespace
{

using namespace heapflow::tool;

constexpr const char *kExamples =
	"Examples:\n"
	"  heapctl list\n"
	"  heapctl explain 'video@*:default'\n"
	"  heapctl alloc 'video@*' 8M\n\n"
	"Status: 0 done, 1 failed (the reason is on stderr), 2 used wrongly, 130 ended by Ctrl-C.";

/* A usage error in one line, and where to look. */
int reportUsage(const CLI::ParseError &error)
{
	return report({0, error.what(),
		       "heapctl --help and heapctl COMMAND --help show what is possible"},
		      kUsage);
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app("Look at the dma-buf heaps of this system, choose one, allocate from it.",
		     "heapctl");
	app.set_version_flag("--version", "heapctl " HEAPFLOW_VERSION);
	app.require_subcommand(1);
	app.footer(kExamples);

	Run run;
	addListCommand(app, run);
	addExplainCommand(app, run);
	addAllocCommand(app, run);
	addBenchCommand(app, run);
	addFitCommand(app, run);
	addTopCommand(app, run);
	addWatchCommand(app, run);
	addCompleteCommand(app, run);
	addDoctorCommand(app, run);
	addLintCommand(app, run);
	addDtCommand(app, run);
	addScreenshotCommand(app, run);

	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		/* --help and --version are done by leaving the parser. */
		return app.exit(success);
	} catch (const CLI::ParseError &error) {
		return reportUsage(error);
	}
	return run();
}
