/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_adversary.h"

#include "heapflow/heap/unique_fd.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

constexpr uint64_t piece = 128 << 10;

/* What the forked process does, until the line is closed. */
class Servant
{
public:
	explicit Servant(const std::string &heap) : path_("/dev/dma_heap/" + heap)
	{
		if (stat(path_.c_str(), &before_) != 0)
			std::abort();
	}

	void serve(int line)
	{
		for (char what; read(line, &what, 1) == 1;) {
			obey(what);
			if (write(line, &what, 1) != 1)
				break;
		}
		obey('u');
	}

private:
	void obey(char what);
	/* Buffers of this size until there is none. */
	void takeAll(uint64_t size);
	void restoreNode();

	std::string path_;
	struct stat before_ = {};
	std::vector<UniqueFd> held_;
};

void Servant::takeAll(uint64_t size)
{
	const UniqueFd heap(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
	for (;;) {
		dma_heap_allocation_data data = {
			.len = size, .fd = 0, .fd_flags = O_RDWR | O_CLOEXEC, .heap_flags = 0};
		if (ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &data) != 0)
			return;
		held_.emplace_back(int(data.fd));
	}
}

void Servant::restoreNode()
{
	struct stat now;
	if (stat(path_.c_str(), &now) != 0)
		mknod(path_.c_str(), before_.st_mode, before_.st_rdev);
	if (chmod(path_.c_str(), before_.st_mode & 07777) != 0 ||
	    chown(path_.c_str(), before_.st_uid, before_.st_gid) != 0)
		std::abort();
}

void Servant::obey(char what)
{
	switch (what) {
	case 'e':
		for (uint64_t size = 8 << 20; size >= 4096; size /= 4)
			takeAll(size);
		break;
	case 'f':
		takeAll(piece);
		for (size_t i = 0; i < held_.size(); i += 2)
			held_[i].reset();
		break;
	case 'p':
		chmod(path_.c_str(), 0600);
		break;
	case 'n':
		unlink(path_.c_str());
		break;
	default:
		held_.clear();
		restoreNode();
		break;
	}
}

} /* namespace */

HeapAdversary::HeapAdversary(const std::string &heap)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		std::abort();
	process_ = fork();
	if (process_ == 0) {
		/* Whatever else is open is the other's, the line of its verdict above all. */
		dup2(ends[1], 3);
		close_range(4, ~0U, 0);
		Servant(heap).serve(3);
		_exit(0);
	}
	close(ends[1]);
	line_ = ends[0];
}

HeapAdversary::~HeapAdversary()
{
	close(line_);
	waitpid(process_, nullptr, 0);
}

void HeapAdversary::command(char what)
{
	char answer = 0;
	if (write(line_, &what, 1) != 1 || read(line_, &answer, 1) != 1)
		std::abort();
}

} /* namespace heapflow::torture */
