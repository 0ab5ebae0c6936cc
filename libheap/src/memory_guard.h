/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the system heap from waking the OOM killer, without a look at /proc for each buffer. */
#pragma once

#include "heapflow/heap/heap.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

namespace heapflow
{

/**
 * \brief Admits an allocation when the machine has that much left
 *
 * A look says how much is available. One part in kShare of it may then be allocated without
 * another look: small buffers pay for a look once in thousands, large ones nearly always, and what
 * has gone unseen is never more than that part. What is given back meanwhile is not counted, which
 * errs to the safe side. Any thread; two that look at the same time count what they take once each.
 */
class MemoryGuard
{
public:
	using Look = std::function<std::optional<uint64_t>()>;

	/** \param[in] look Bytes available now; nothing when that is unknown, and all is admitted
	 */
	explicit MemoryGuard(Look look) : look_(std::move(look)) {}

	/** \return Nothing when it is admitted, else the bytes available */
	std::optional<uint64_t> refuse(uint64_t bytes);

	static constexpr uint64_t kShare = 16;

private:
	Look look_;
	std::atomic<uint64_t> credit_ = 0;
};

} /* namespace heapflow */
