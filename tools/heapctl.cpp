/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl: look at dma-buf heaps from a shell. The manual page is docs/heapctl.1. */
#include "commands.h"
#include "output.h"
#include "table.h"

#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>

namespace
{

using namespace heapflow;
using namespace heapflow::tool;

constexpr const char *kListExamples =
	"Examples:\n"
	"  heapctl list\n"
	"  heapctl list --json | jq -r '.heaps[] | select(.accessible) | .name'";

constexpr const char *kExplainExamples =
	"EXPRESSION lists alternatives in the order of preference, separated by ':'. Each is an "
	"exact\n"
	"name, a pattern with * ? [a-z] [!a], or 'default' for the default CMA region.\n\n"
	"Examples:\n"
	"  heapctl explain 'video@*:default'      a region for video, else the default CMA region\n"
	"  heapctl explain '*-contiguous'         any heap whose name says so\n"
	"  heapctl explain linux,cma              an old name: finds the region under its new "
	"one\n\n"
	"Status: 0 a heap is taken, 1 none is, 2 the expression cannot be read.";

constexpr const char *kAllocExamples =
	"HEAP is a heap expression (heapctl explain --help). SIZE is in bytes, or with K, M, G, "
	"T.\n"
	"Each buffer is looked at: its true size, and that every byte of it is zero.\n\n"
	"Examples:\n"
	"  heapctl alloc system 4096\n"
	"  heapctl alloc 'video@*:default' 3110400 --count 6     do six NV12 frames of 1080p fit?\n"
	"  heapctl alloc default 8MiB --hold 60 --name probe     hold it, to look at the counters";

constexpr const char *kExamples =
	"Examples:\n"
	"  heapctl list\n"
	"  heapctl explain 'video@*:default'\n"
	"  heapctl alloc 'video@*' 8M\n\n"
	"Status: 0 done, 1 failed (the reason is on stderr), 2 used wrongly, 130 ended by Ctrl-C.";

SystemPaths belowRoot(const std::string &root)
{
	SystemPaths paths;
	if (!root.empty()) {
		const std::filesystem::path directory(root);
		for (auto *path : {&paths.heapDirectory, &paths.cmaDirectory,
				   &paths.cmaDebugDirectory, &paths.deviceTree, &paths.memoryInfo})
			*path = directory / path->relative_path();
	}
	return paths;
}

void addJson(CLI::App *command, bool &json)
{
	command->add_flag("--json", json, "Print JSON; sizes in bytes, null where unknown");
}

void addRoot(CLI::App *command, std::string &root)
{
	command->add_option("--sysroot", root,
			    "Read DIR/dev, DIR/sys and DIR/proc: a copy of a board")
		->type_name("DIR")
		->check(CLI::ExistingDirectory);
}

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

	ListOptions listOptions;
	ExplainOptions explainOptions;
	AllocOptions allocOptions;
	std::string root;
	std::function<int()> run;

	auto *list = app.add_subcommand("list", "List the heaps and the regions behind them");
	list->footer(kListExamples);
	addJson(list, listOptions.json);
	addRoot(list, root);
	list->callback([&] {
		listOptions.paths = belowRoot(root);
		run = [&] {
			return listCommand(listOptions);
		};
	});

	auto *explain =
		app.add_subcommand("explain", "Say which heap an expression takes, and why");
	explain->footer(kExplainExamples);
	explain->add_option("EXPRESSION", explainOptions.expression, "Such as 'video@*:default'")
		->required();
	addJson(explain, explainOptions.json);
	addRoot(explain, root);
	explain->callback([&] {
		explainOptions.paths = belowRoot(root);
		run = [&] {
			return explainCommand(explainOptions);
		};
	});

	auto *alloc = app.add_subcommand("alloc",
					 "Allocate buffers, prove their size and zeros, free them");
	alloc->footer(kAllocExamples);
	alloc->add_option("HEAP", allocOptions.expression, "A heap expression")->required();
	alloc->add_option("SIZE", allocOptions.size, "Such as 4096, 8M, 8MiB")->required();
	alloc->add_option("--count", allocOptions.count, "Buffers, all from one heap (1)")
		->type_name("N")
		->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}));
	alloc->add_option("--name", allocOptions.name, "Their name in /proc/PID/fdinfo (heapctl)")
		->type_name("NAME");
	alloc->add_option("--hold", allocOptions.hold, "Keep them that long; Ctrl-C ends it (0)")
		->type_name("SECONDS")
		->check(CLI::Range(0.0, 1e9));
	addJson(alloc, allocOptions.json);
	alloc->callback([&] {
		run = [&] {
			return allocCommand(allocOptions);
		};
	});

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
