/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an interposed function is made of. */
#pragma once

#include "fault_plan.h"

#include <atomic>
#include <cerrno>
#include <string_view>

#include <dlfcn.h>
#include <sys/syscall.h>

#define EXPORTED extern "C" __attribute__((visibility("default")))
/* Inline, so that it is the return address of the interposed function. */
#define CALLER __builtin_return_address(0)

namespace heapflow::torture
{

/* libc's function. */
template<typename Signature>
Signature *next(const char *name)
{
	return reinterpret_cast<Signature *>(dlsym(RTLD_NEXT, name));
}

/*
 * libc's syscall(), which is interposed itself. Looked up at the first call, before there are other
 * threads: dlsym() waits for a dlopen() whose constructors may wait for the thread that calls. No
 * static that is guarded, because the guard waits by syscall().
 */
inline constinit std::atomic<long (*)(long, ...)> libcSyscall = nullptr;

template<typename... Arguments>
long kernel(long number, Arguments... arguments)
{
	auto *call = libcSyscall.load(std::memory_order_relaxed);
	if (!call)
		libcSyscall = call = next<long(long, ...)>("syscall");
	return call(number, arguments...);
}

/* Sets errno when the call is to fail. */
inline bool fails(Function function, uint32_t detail, const void *caller)
{
	const int code = faultOf({function, detail}, caller);
	if (code)
		errno = code;
	return code != 0;
}

inline bool failsOn(Function function, const char *path, const void *caller)
{
	if (!planIsActive())
		return false;
	return fails(function, uint32_t(subjectOf(std::string_view(path ? path : ""))), caller);
}

inline bool failsOn(Function function, int descriptor, const void *caller)
{
	if (!planIsActive())
		return false;
	return fails(function, uint32_t(subjectOf(descriptor)), caller);
}

/* A path that begins at a directory is about what the directory is. */
inline bool failsBelow(Function function, int directory, const char *path, const void *caller)
{
	return *path == '/' ? failsOn(function, path, caller)
			    : failsOn(function, directory, caller);
}

inline bool failsAtAll(Function function, const void *caller)
{
	return planIsActive() && fails(function, 0, caller);
}

} /* namespace heapflow::torture */
