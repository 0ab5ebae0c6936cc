/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 6: what a frame costs once all buffers are known, counted below the library. */
#include "display_fixture.h"

#include <atomic>
#include <cstdarg>
#include <cstdlib>

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xf86drm.h>

/*
 * These definitions stand before those of the C library, for the libraries as well: each call is
 * counted and passed on.
 */

namespace
{

std::atomic<bool> counting = false;
std::atomic<uint64_t> atomicIoctls = 0;
std::atomic<uint64_t> otherIoctls = 0;
std::atomic<uint64_t> mappings = 0;
std::atomic<uint64_t> allocations = 0;

} /* namespace */

extern "C" {

int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (counting)
		(request == DRM_IOCTL_MODE_ATOMIC ? atomicIoctls : otherIoctls)++;
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) noexcept
{
	if (counting)
		mappings++;
	return reinterpret_cast<void *>(
		syscall(SYS_mmap, address, length, protection, flags, fd, offset));
}

/* A sanitizer has an allocator of its own, which may not be replaced. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size) noexcept
{
	if (counting)
		allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) noexcept
{
	if (counting)
		allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) noexcept
{
	if (counting)
		allocations++;
	return __libc_realloc(old, size);
}
#endif
}

using namespace heapflow;
using namespace heapflow::test;

TEST(DisplaySteadyState, AFrameIsOneAtomicIoctl)
{
	constexpr uint64_t warmUp = 12;
	constexpr uint64_t frames = 60;
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	std::vector<Buffer> buffers;
	for (int i = 0; i < 4; i++)
		buffers.push_back(allocate("video@42000000", layout.size()));
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	std::atomic<uint64_t> flips = 0;
	screen->setFlipHandler([&](const FlipEvent &) { flips++; });
	ASSERT_TRUE(screen->configure(layout, buffers[0].fd()));

	bool allShown = true;
	const auto showFrames = [&](uint64_t first, uint64_t last) {
		for (uint64_t cookie = first; cookie <= last; cookie++)
			allShown &=
				screen->show(buffers[cookie % 4].fd(), layout, cookie).has_value();
		allShown &= screen->drain(std::chrono::seconds(1)).has_value();
	};
	showFrames(1, warmUp);
	const ScreenCounts before = screen->counts();
	counting = true;
	showFrames(warmUp + 1, warmUp + frames);
	counting = false;
	const ScreenCounts after = screen->counts();

	EXPECT_TRUE(allShown);
	EXPECT_EQ(flips, warmUp + frames);
	EXPECT_EQ(atomicIoctls, frames);
	EXPECT_EQ(otherIoctls, 0u) << "an import, an AddFB2 or a GEM close";
	EXPECT_EQ(mappings, 0u);
#ifdef COUNTS_ALLOCATIONS
	EXPECT_EQ(allocations, 0u);
#endif
	EXPECT_EQ(after.commits - before.commits, frames);
	EXPECT_EQ(after.imports, before.imports);
}
