/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another process, root's, that does to a heap what a program on it has to live with. */
#pragma once

#include <string>

#include <sys/types.h>

namespace heapflow::torture
{

/**
 * \brief Forked by the constructor: before there is any thread; all is undone when it goes
 *
 * Each function returns when it is done, and may be called from any thread, one at a time.
 */
class HeapAdversary
{
public:
	/** \param[in] heap A name in /dev/dma_heap, of a region */
	explicit HeapAdversary(const std::string &heap);
	~HeapAdversary();
	HeapAdversary(const HeapAdversary &) = delete;
	HeapAdversary &operator=(const HeapAdversary &) = delete;

	void exhaust() { command('e'); }            /**< all memory that there is */
	void fragment() { command('f'); }           /**< every other 128 KiB */
	void withdrawPermission() { command('p'); } /**< root's alone */
	void removeNode() { command('n'); }
	/** \brief Memory, permission, node: as it was */
	void undo() { command('u'); }

private:
	void command(char what);

	int line_ = -1;
	pid_t process_ = -1;
};

} /* namespace heapflow::torture */
