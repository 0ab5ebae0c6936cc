/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is there whole or not at all. */
#pragma once

#include "heapflow/heap/error.h"

#include <filesystem>
#include <string_view>

namespace heapflow::tool
{

/**
 * \brief Writes a file beside the target, then puts it in the target's place (rename(2))
 *
 * A file that was there stays as it was when anything fails. The mode is 0666 less the umask.
 * Errors: those of open(), write(), fsync(), rename(), with the path.
 */
Result<void> writeWholeFile(const std::filesystem::path &file, std::string_view content);

} /* namespace heapflow::tool */
