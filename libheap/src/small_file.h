/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of sysfs, debugfs and procfs: small, and possibly missing, forbidden or full of rubbish. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace heapflow
{

/**
 * \brief The whole file
 *
 * Errors: that of open() or read(), EINVAL no regular file, EFBIG more than `limit` bytes.
 */
Result<std::string> readFile(const std::filesystem::path &file, size_t limit);

/** \brief The whole file, or nothing when it cannot be read or has more than 64 KiB */
std::optional<std::string> readSmallFile(const std::filesystem::path &file);

/** \brief The one decimal number in a file; nothing when there is anything else in it */
std::optional<uint64_t> readNumber(const std::filesystem::path &file);

/** \brief The one number of pages in a file, as bytes */
std::optional<uint64_t> readPages(const std::filesystem::path &file);

} /* namespace heapflow */
