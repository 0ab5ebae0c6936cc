/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program: who allocates memory, told at the end on the stream 2 as
 * "allocations MODULE COUNT". The module is the first on the stack that is not libc, libstdc++ or
 * GLib; "for-heapflow" is GStreamer called by one of ours. The main thread is left out: it sets up.
 */
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

namespace
{

struct Module {
	std::atomic<const char *> name = nullptr;
	std::atomic<unsigned long> count = 0;
};
std::array<Module, 256> modules;

/* Of this thread: inside of the witness, whose own allocations do not count. */
thread_local bool inside __attribute__((tls_model("initial-exec"))) = false;

const char *moduleOf(const void *address)
{
	Dl_info info{};
	if (!dladdr(address, &info) || !info.dli_fname)
		return "unknown";
	const char *slash = std::strrchr(info.dli_fname, '/');
	return slash ? slash + 1 : info.dli_fname;
}

bool startsWith(const char *text, const char *beginning)
{
	return std::strncmp(text, beginning, std::strlen(beginning)) == 0;
}

bool isRuntime(const char *module)
{
	for (const char *name :
	     {"liballocation-witness", "libc.", "libstdc++", "libglib", "libgobject", "ld-linux"})
		if (startsWith(module, name))
			return true;
	return false;
}

bool isOurs(const char *module)
{
	return startsWith(module, "libheapflow") || startsWith(module, "libgstheap");
}

const char *responsible()
{
	void *stack[24];
	const int depth = backtrace(stack, 24);
	const char *first = nullptr;
	for (int i = 0; i < depth; ++i) {
		const char *module = moduleOf(stack[i]);
		if (isRuntime(module))
			continue;
		if (!first)
			first = module;
		/* A helper of GStreamer that one of ours called, and not a buffer that it pushed.
		 */
		if (!startsWith(first, "libgst") || isOurs(first))
			return first;
		if (isOurs(module))
			return "for-heapflow";
	}
	return first ? first : "unknown";
}

void count()
{
	if (inside || gettid() == getpid())
		return;
	inside = true;
	const char *name = responsible();
	for (Module &module : modules) {
		const char *expected = nullptr;
		if (module.name.compare_exchange_strong(expected, name) ||
		    std::strcmp(module.name, name) == 0) {
			++module.count;
			break;
		}
	}
	inside = false;
}

__attribute__((destructor)) void tell()
{
	inside = true;
	for (const Module &module : modules)
		if (module.name)
			std::fprintf(stderr, "allocations %s %lu\n", module.name.load(),
				     module.count.load());
}

} /* namespace */

extern "C" {

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

__attribute__((visibility("default"))) void *malloc(size_t size) noexcept
{
	count();
	return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t number, size_t size) noexcept
{
	count();
	return __libc_calloc(number, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size) noexcept
{
	count();
	return __libc_realloc(memory, size);
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size) noexcept
{
	count();
	return __libc_memalign(alignment, size);
}
}
