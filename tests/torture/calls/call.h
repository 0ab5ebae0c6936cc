/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds of calls that are told apart: a function of libc, and what it is about. */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heapflow::torture
{

enum class Function : uint32_t {
	Open,
	Close,
	Ioctl,
	Mmap,
	Mprotect,
	Poll,
	Read,
	Write,
	Eventfd,
	TimerfdCreate,
	TimerfdSettime,
	InotifyInit,
	InotifyAddWatch,
	Dup,
	Stat,
	Access,
	Opendir,
	Readdir,
	Readlink,
	Seek,
	Socket,
	Bind,
	SetSockopt,
	GetSockopt,
	Receive,
	MemfdCreate,
	Pipe,
	ThreadCreate,
	Kcmp,
	Print,
	Fsync,
	Rename,
	Mkstemp,
	Fchmod,
	Unlink,
	Signalfd,
	Spawn,
	Waitpid,
	Getxattr,
	Count,
};

/** \brief What a path or descriptor is of, as far as errors differ */
enum class Subject : uint32_t {
	Other,
	HeapNode,
	VideoNode,
	CardNode,
	OtherNode,
	Dmabuf,
	Fence,
	Event,
	Timer,
	Inotify,
	Socket,
	Pipe,
	Proc,
	Sys,
	Count,
};

struct CallKind {
	Function function = Function::Count;
	uint32_t detail = 0; /**< of Ioctl the request, else a Subject */

	bool operator==(const CallKind &) const = default;
};

/** \brief By a path, or by the link in /proc/self/fd */
Subject subjectOf(std::string_view path);

/** \brief Of an open descriptor; changes neither errno nor memory */
Subject subjectOf(int descriptor);

/** \brief "ioctl DMA_HEAP_IOCTL_ALLOC", "open /dev/dma_heap" */
std::string nameOf(const CallKind &kind);

} /* namespace heapflow::torture */
