/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every command of heapctl says about itself, and the options that several share. */
#pragma once

#include "heapflow/heap/heap.h"

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace heapflow::tool
{

/** \brief What main() does after the command line was read; returns the exit status */
using Run = std::function<int()>;

/**
 * \brief One function for each command: adds it, its options and its help to `app`
 *
 * Each is defined in the file of its command, and sets `run` when that command was given.
 */
void addAllocCommand(CLI::App &app, Run &run);
void addBenchCommand(CLI::App &app, Run &run);
void addCompleteCommand(CLI::App &app, Run &run);
void addDoctorCommand(CLI::App &app, Run &run);
void addDtCommand(CLI::App &app, Run &run);
void addExplainCommand(CLI::App &app, Run &run);
void addFitCommand(CLI::App &app, Run &run);
void addLintCommand(CLI::App &app, Run &run);
void addListCommand(CLI::App &app, Run &run);
void addScreenshotCommand(CLI::App &app, Run &run);
void addTopCommand(CLI::App &app, Run &run);
void addWatchCommand(CLI::App &app, Run &run);

/** \brief --json */
void addJson(CLI::App *command, bool &json);

/** \brief --sysroot; `paths` are those of this system until it is given */
CLI::Option *addSysroot(CLI::App *command, SystemPaths &paths);

} /* namespace heapflow::tool */
