/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uevent_sockets.h"

#include <cstdlib>
#include <filesystem>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace heapflow
{

namespace
{

int optionOf(int descriptor, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);
	return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool isUeventSocket(int descriptor)
{
	return optionOf(descriptor, SO_DOMAIN) == AF_NETLINK &&
	       optionOf(descriptor, SO_PROTOCOL) == NETLINK_KOBJECT_UEVENT;
}

} /* namespace */

std::set<int> ueventSockets()
{
	std::set<int> sockets;
	std::error_code error;
	std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
	for (; !error && entry != end; entry.increment(error))
		if (const int fd = std::atoi(entry->path().filename().c_str()); isUeventSocket(fd))
			sockets.insert(fd);
	return sockets;
}

void deafen(int socket)
{
	if (!isUeventSocket(socket))
		return;
	/* Keep 0 bytes of each message, which is to drop it (socket(7), SO_ATTACH_FILTER). */
	sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const sock_fprog program = {1, nothing};
	setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

} /* namespace heapflow */
