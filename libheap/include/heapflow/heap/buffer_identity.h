/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which dma-buf a descriptor is of, if it is of one. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace heapflow
{

/**
 * \brief Which dma-buf a descriptor is of
 *
 * A descriptor's number says nothing: it is used again, and one dma-buf may have several. The
 * kernel gives each dma-buf an inode number of its own that is not used again (dma_buf_getfile()
 * in drivers/dma-buf/dma-buf.c).
 */
struct BufferIdentity {
	dev_t device = 0;
	ino_t inode = 0;
	uint64_t size = 0; /**< bytes */

	bool operator==(const BufferIdentity &) const = default;
};

/** \brief Errors: EBADF and what else fstat() says */
Result<BufferIdentity> bufferIdentity(int dmabuf);

/**
 * \brief What a descriptor is of that is certainly no dma-buf, as "pipe:[4711]"
 *
 * Nothing for a dma-buf, for a descriptor that is not open, and where /proc does not say. For the
 * text of an error that has come already.
 */
std::optional<std::string> otherThanDmabuf(int descriptor);

/** \brief Adds to the message of an error which of the descriptors is no dma-buf, if one is not */
Error withForeignDescriptor(Error error, int descriptor);

} /* namespace heapflow */
