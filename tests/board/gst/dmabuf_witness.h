/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of the dma-bufs of this process, without our libraries. */
#pragma once

#include <cstdint>
#include <string>

namespace heapflow::test
{

/** \brief "exp_name" of a dma-buf in /proc/self/fdinfo: the node of the heap that it came from */
std::string exporterOf(int dmabuf);

/** \brief "name" of a dma-buf, as set by DMA_BUF_SET_NAME */
std::string nameOf(int dmabuf);

/** \brief How many mappings of dma-bufs of this name the process has: libcamera has others */
unsigned mappedDmabufs(const std::string &name);

/** \brief How many different dma-bufs of this name the process has open */
unsigned openDmabufs(const std::string &name);

} /* namespace heapflow::test */
