/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heap names that kernels and vendors have given, and what each means. */
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace heapflow
{

/** \brief Who decided on a name: what can be done about it depends on that */
enum class NameOrigin {
	Kernel, /**< mainline Linux, by the present convention */
	Old,    /**< mainline Linux of the past */
	Vendor, /**< a vendor's kernel or distribution */
};

/** \brief A name, its maker and its meaning; hints all, as everything a name says */
struct KnownHeapName {
	std::string_view name;
	NameOrigin origin;
	std::string_view maker;   /**< "Rockchip's kernel" */
	std::string_view meaning; /**< one sentence */
	std::string_view source;  /**< a file or a project where it can be read */
	std::optional<bool> contiguous = {};
	std::optional<bool> cached = {};
	bool isProtected = false;
	bool ccShared = false;
	std::optional<uint64_t> addressLimit = {}; /**< bytes; the memory ends below */
	std::string_view sameRegionAs = {};        /**< another heap of the same kernel */
};

/** \brief All of them, the kernel's own first */
std::span<const KnownHeapName> knownHeapNames();

/** \return nullptr for a name that is not known: most names come from device trees */
const KnownHeapName *knownHeapName(std::string_view name);

} /* namespace heapflow */
