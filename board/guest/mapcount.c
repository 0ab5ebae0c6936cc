/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts how often a process maps memory of a dma-buf heap, whoever in it does so; for LD_PRELOAD.
 *
 * A dma-buf has no read() and no write(): a CPU in user space reaches its pixels only through mmap.
 * So a process that mapped none has copied none. dma-bufs of other exporters are left out:
 * libcamera's vimc handler maps two buffers of V4L2's own that never hold a frame. Threads: any;
 * atomic counters.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DMA_BUF_MAGIC 0x444d4142 /* linux/magic.h */

atomic_ulong dmabuf_maps;
atomic_ulong dmabuf_bytes;

/* fdinfo of a dma-buf has a line "exp_name:\tNAME"; for memory of a heap NAME is the heap's node.
 */
static int is_heap_memory(int fd)
{
	char path[64], text[1024], node[128] = "/dev/dma_heap/";
	const size_t prefix = strlen(node);
	ssize_t length;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return 1; /* cannot tell: count it */
	length = read(info, text, sizeof(text) - 1);
	close(info);
	text[length > 0 ? length : 0] = '\0';

	const char *name = strstr(text, "exp_name:\t");
	if (!name)
		return 1;
	name += strlen("exp_name:\t");
	const size_t size = strcspn(name, "\n");
	if (prefix + size >= sizeof(node))
		return 1;
	memcpy(node + prefix, name, size);
	return access(node, F_OK) == 0;
}

static void *map(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	struct statfs info;

	if (fd >= 0 && fstatfs(fd, &info) == 0 && info.f_type == DMA_BUF_MAGIC &&
	    is_heap_memory(fd)) {
		atomic_fetch_add(&dmabuf_maps, 1);
		atomic_fetch_add(&dmabuf_bytes, length);
	}
	return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

/* glibc has both names, for programs built with and without 64-bit file offsets. */
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map(at, length, protection, flags, fd, offset);
}
