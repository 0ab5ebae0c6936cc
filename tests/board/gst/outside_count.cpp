/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child installs a seccomp filter that asks a supervisor about few system calls
 * (SECCOMP_RET_USER_NOTIF) and hands the descriptor of it over. The parent looks at each of them
 * and lets it go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE). See seccomp_unotify(2). The caller waits
 * in the system call meanwhile, so what its descriptors refer to cannot change under our eyes,
 * unless another thread of it closes them.
 */
#include "outside_count.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <memory>
#include <optional>

#include <drm.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::test
{

namespace
{

/* DRM_IOCTL_MODE_ADDFB2 has struct drm_mode_fb_cmd2 in drm_mode.h, which drm.h includes. */
constexpr std::array<uint32_t, 4> watchedIoctls = {
	uint32_t(DMA_BUF_IOCTL_SYNC),
	uint32_t(DMA_HEAP_IOCTL_ALLOC),
	uint32_t(DRM_IOCTL_PRIME_FD_TO_HANDLE),
	uint32_t(DRM_IOCTL_MODE_ADDFB2),
};

/* The low half of an argument: descriptors and requests are ints. Little endian. */
constexpr uint32_t argument(unsigned index)
{
	return uint32_t(offsetof(seccomp_data, args) + index * sizeof(uint64_t));
}

std::vector<sock_filter> filterProgram()
{
	const uint8_t after = uint8_t(watchedIoctls.size());
	std::vector<sock_filter> program = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, uint8_t(after + 3)),
		/* Of a descriptor? */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(4)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, uint32_t(-1), uint8_t(after + 1),
			 uint8_t(after + 2)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(1)),
	};
	for (size_t i = 0; i < watchedIoctls.size(); i++)
		program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, watchedIoctls[i],
					   uint8_t(watchedIoctls.size() - i), 0));
	program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
	return program;
}

void sendDescriptor(int socket, int descriptor)
{
	char byte = 0;
	iovec data = {&byte, 1};
	alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
	msghdr message = {};
	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control.data();
	message.msg_controllen = control.size();
	cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	if (sendmsg(socket, &message, 0) != 1)
		_exit(125);
}

int receiveDescriptor(int socket)
{
	char byte;
	iovec data = {&byte, 1};
	alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
	msghdr message = {};
	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control.data();
	message.msg_controllen = control.size();
	const cmsghdr *header = nullptr;
	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1)
		header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	int descriptor = -1;
	memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
	return descriptor;
}

[[noreturn]] void runFiltered(const std::vector<std::string> &command, int socket)
{
	std::vector<char *> words;
	for (const std::string &word : command)
		words.push_back(strdup(word.c_str()));
	words.push_back(nullptr);

	std::vector<sock_filter> instructions = filterProgram();
	const sock_fprog program = {static_cast<unsigned short>(instructions.size()),
				    instructions.data()};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(125);
	const long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				      SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		_exit(125);
	sendDescriptor(socket, int(listener));
	close(int(listener));
	close(socket);
	execvp(words.front(), words.data());
	_exit(127);
}

struct Dmabuf {
	uint64_t size = 0;
	bool ofHeap = false;
};

/* fdinfo of a dma-buf has "size:" and "exp_name:", which for heaps is the heap's node. */
std::optional<Dmabuf> dmabufOf(uint32_t thread, int descriptor)
{
	const std::string process = std::format("/proc/{}", thread);
	std::error_code error;
	const auto link =
		std::filesystem::read_symlink(std::format("{}/fd/{}", process, descriptor), error);
	if (error || !link.string().starts_with("/dmabuf:"))
		return std::nullopt;

	Dmabuf found;
	std::ifstream info(std::format("{}/fdinfo/{}", process, descriptor));
	for (std::string key, value; info >> key >> value;) {
		if (key == "size:")
			found.size = std::stoull(value);
		if (key == "exp_name:")
			found.ofHeap = std::filesystem::exists("/dev/dma_heap/" + value);
	}
	return found;
}

uint64_t syncFlags(uint32_t thread, uint64_t address)
{
	dma_buf_sync sync = {};
	const int memory = open(std::format("/proc/{}/mem", thread).c_str(), O_RDONLY | O_CLOEXEC);
	const ssize_t got = pread(memory, &sync, sizeof(sync), off_t(address));
	close(memory);
	return got == sizeof(sync) ? sync.flags : uint64_t(DMA_BUF_SYNC_END);
}

void countMap(OutsideCount &count, const seccomp_notif &call)
{
	const auto dmabuf = dmabufOf(call.pid, int(call.data.args[4]));
	if (!dmabuf)
		return;
	if (!dmabuf->ofHeap) {
		count.otherMaps++;
		return;
	}
	count.maps++;
	count.mappedBytes += call.data.args[1];
}

void countSync(OutsideCount &count, const seccomp_notif &call)
{
	const uint64_t flags = syncFlags(call.pid, call.data.args[2]);
	const auto dmabuf = dmabufOf(call.pid, int(call.data.args[0]));
	if (!dmabuf || (flags & DMA_BUF_SYNC_END))
		return;
	if (flags & DMA_BUF_SYNC_READ) {
		count.reads++;
		count.readBytes += dmabuf->size;
	}
	if (flags & DMA_BUF_SYNC_WRITE) {
		count.writes++;
		count.writtenBytes += dmabuf->size;
	}
}

void countCall(OutsideCount &count, const seccomp_notif &call)
{
	if (call.data.nr == SYS_mmap) {
		countMap(count, call);
		return;
	}
	const auto request = uint32_t(call.data.args[1]);
	if (request == uint32_t(DMA_BUF_IOCTL_SYNC))
		countSync(count, call);
	else if (request == uint32_t(DMA_HEAP_IOCTL_ALLOC))
		count.allocations++;
	else if (request == uint32_t(DRM_IOCTL_PRIME_FD_TO_HANDLE))
		count.imports++;
	else
		count.framebuffers++;
}

/* Until nobody is left under the filter: then the descriptor hangs up. */
void supervise(OutsideCount &count, int listener)
{
	seccomp_notif_sizes sizes = {};
	syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
	const auto size = std::max<size_t>(sizes.seccomp_notif, sizeof(seccomp_notif));
	const auto storage = std::make_unique<uint64_t[]>(size / sizeof(uint64_t) + 1);
	auto *call = reinterpret_cast<seccomp_notif *>(storage.get());

	for (;;) {
		pollfd wait = {listener, POLLIN, 0};
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return;
		if (!(wait.revents & POLLIN)) {
			if (wait.revents & (POLLHUP | POLLERR))
				return;
			continue;
		}
		memset(call, 0, size);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call) != 0)
			continue; /* a signal took the caller out of its call: it comes again */
		countCall(count, *call);
		std::array<uint64_t, 16> room = {};
		auto *answer = reinterpret_cast<seccomp_notif_resp *>(room.data());
		answer->id = call->id;
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
	}
}

} /* namespace */

OutsideCount countOutside(const std::vector<std::string> &command)
{
	OutsideCount count;
	std::array<int, 2> sockets = {-1, -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
		count.error = strerror(errno);
		return count;
	}
	const pid_t child = fork();
	if (child == 0)
		runFiltered(command, sockets[1]);
	close(sockets[1]);
	const int listener = child > 0 ? receiveDescriptor(sockets[0]) : -1;
	close(sockets[0]);
	if (listener >= 0) {
		supervise(count, listener);
		close(listener);
	} else {
		count.error = "the kernel has no seccomp filter with a listener "
			      "(CONFIG_SECCOMP_FILTER)";
	}
	int wait = 0;
	while (child > 0 && waitpid(child, &wait, 0) < 0 && errno == EINTR)
		;
	count.status = WIFSIGNALED(wait) ? 128 + WTERMSIG(wait) : WEXITSTATUS(wait);
	return count;
}

OutsideCount countOutside(const std::string &line)
{
	return countOutside(std::vector<std::string>{"/bin/sh", "-c", line});
}

std::string describe(const OutsideCount &count)
{
	return std::format("maps {}\nmapped-bytes {}\nother-maps {}\nreads {}\nread-bytes {}\n"
			   "writes {}\nwritten-bytes {}\nallocations {}\nimports {}\n"
			   "framebuffers {}\n",
			   count.maps, count.mappedBytes, count.otherMaps, count.reads,
			   count.readBytes, count.writes, count.writtenBytes, count.allocations,
			   count.imports, count.framebuffers);
}

} /* namespace heapflow::test */
