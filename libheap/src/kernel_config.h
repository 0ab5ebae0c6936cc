/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How this kernel was built and which of its modules are loaded, where it says so. */
#pragma once

#include "heapflow/heap/heap.h"

#include <optional>
#include <string>
#include <string_view>

namespace heapflow
{

/** \brief The text of a kernel configuration, read once and asked often */
class KernelConfig
{
public:
	/**
	 * \brief /proc/config.gz (CONFIG_IKCONFIG_PROC; needs zlib), else /boot/config-RELEASE
	 *
	 * RELEASE is that of the running kernel, so it is asked only for the running system.
	 */
	static KernelConfig read(const SystemPaths &paths);

	explicit KernelConfig(std::string text = {}) : text_(std::move(text)) {}

	/** \brief Is anything known? */
	bool known() const { return !text_.empty(); }

	/** \brief "y", "m", "8"; "n" for one that is not set; nothing when nothing is known */
	std::optional<std::string> option(std::string_view name) const;

private:
	std::string text_;
};

/** \brief Is a module of that name in /proc/modules? Nothing when that cannot be read. */
std::optional<bool> isModuleLoaded(std::string_view module, const SystemPaths &paths);

} /* namespace heapflow */
