/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device-tree source, compiled with the dtc and the C preprocessor of this system. */
#pragma once

#include "heapflow/heap/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow::tool
{

/** \brief Where the source came from, and where what it includes is looked for */
struct SourceOrigin {
	std::string file;                 /**< "-" for standard input */
	std::vector<std::string> include; /**< directories, before the file's own */
};

/** \brief Has it lines for the C preprocessor: #include, #define, #if ...? */
bool needsPreprocessor(std::string_view source);

/**
 * \brief The blob that dtc makes of `source`
 *
 * Errors: ENOENT there is no dtc, or no preprocessor for a source that needs one; EINVAL the source
 * cannot be compiled, with what the program said in the message.
 */
Result<std::string> compileDeviceTree(std::string_view source, const SourceOrigin &origin);

} /* namespace heapflow::tool */
