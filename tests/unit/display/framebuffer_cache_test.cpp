/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of the cache. That its framebuffers are made once is seen on the board. */
#include "framebuffer_cache.h"

#include "example_display.h"
#include "fake_kms.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

/* A file in memory stands for a dma-buf: descriptor, inode and size work alike. */
UniqueFd memory(off_t size)
{
	UniqueFd fd(memfd_create("framebuffer-cache-test", MFD_CLOEXEC));
	EXPECT_EQ(ftruncate(fd.get(), size), 0);
	return fd;
}

} /* namespace */

TEST(BufferIdentity, IsTheBuffersNotTheDescriptors)
{
	const UniqueFd a = memory(4096);
	const UniqueFd b = memory(4096);
	const UniqueFd again(dup(a.get()));
	EXPECT_EQ(*bufferIdentity(a.get()), *bufferIdentity(again.get()));
	EXPECT_NE(*bufferIdentity(a.get()), *bufferIdentity(b.get()));
	EXPECT_EQ(bufferIdentity(a.get())->size, 4096u);
}

TEST(BufferIdentity, NumberThatIsUsedAgainIsAnotherBuffer)
{
	UniqueFd fd = memory(4096);
	const int number = fd.get();
	const BufferIdentity first = *bufferIdentity(number);
	UniqueFd fresh = memory(4096);
	ASSERT_EQ(dup3(fresh.get(), number, O_CLOEXEC), number);
	EXPECT_NE(*bufferIdentity(number), first);
}

TEST(BufferIdentity, ClosedDescriptor)
{
	const auto identity = bufferIdentity(-1);
	ASSERT_FALSE(identity);
	EXPECT_EQ(identity.error().code, EBADF);
}

static Result<void> fits(const FrameLayout &layout, uint64_t size)
{
	return checkLayoutFits(layout, {BufferIdentity{.size = size}}, 1);
}

TEST(CheckLayoutFits, ToTheByte)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	EXPECT_TRUE(fits(layout, 460800));
	const auto small = fits(layout, 460799);
	ASSERT_FALSE(small);
	EXPECT_EQ(small.error().code, EINVAL);
	EXPECT_THAT(small.error().message, HasSubstr("460799"));
	EXPECT_THAT(small.error().message, HasSubstr("460800"));
}

TEST(CheckLayoutFits, DoesNotOverflow)
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	layout.planes[0].offset = 0xffffffff;
	layout.planes[0].length = 0xffffffff;
	EXPECT_FALSE(fits(layout, 1 << 20));
}

TEST(CheckLayoutFits, NumberOfPlanes)
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	layout.planes.resize(5);
	EXPECT_FALSE(fits(layout, 1 << 30)) << "KMS has four";
	layout.planes.clear();
	EXPECT_FALSE(fits(layout, 1 << 30));
}

/* V4L2's NV12M: each plane in a dma-buf of its own, from its beginning. */
TEST(FramebufferOfPlanes, HasADmabufForEach)
{
	test::FakeKms fake({.modes = {test::makeMode(640, 480)}});
	FramebufferCache cache(fake.fd(), true);
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	layout.planes[1].offset = 0;
	const UniqueFd luma(memfd_create("luma", MFD_CLOEXEC));
	const UniqueFd chroma(memfd_create("chroma", MFD_CLOEXEC));
	ASSERT_EQ(ftruncate(luma.get(), 640 * 480), 0);
	ASSERT_EQ(ftruncate(chroma.get(), 640 * 240), 0);
	const int planes[] = {luma.get(), chroma.get()};
	const int swapped[] = {chroma.get(), luma.get()};

	const auto framebuffer = cache.get(planes, layout);
	ASSERT_TRUE(framebuffer) << framebuffer.error().text();
	EXPECT_EQ(cache.imports(), 2u);
	EXPECT_EQ(fake.planeInodes(),
		  (std::array<uint64_t, 4>{bufferIdentity(luma.get())->inode,
					   bufferIdentity(chroma.get())->inode}));
	EXPECT_EQ(fake.handles(), 0u) << "closed when the framebuffer holds the memory";
	EXPECT_EQ(cache.get(planes, layout).value_or(0), *framebuffer) << "known";
	EXPECT_EQ(cache.imports(), 2u);

	const auto wrong = cache.get(swapped, layout);
	ASSERT_FALSE(wrong);
	EXPECT_THAT(wrong.error().message, HasSubstr("dma-buf of plane 0 is too small: 153600"));
	const int three[] = {luma.get(), chroma.get(), chroma.get()};
	EXPECT_FALSE(cache.get(three, layout));

	/* Either of them may die first. */
	cache.forget(*bufferIdentity(chroma.get()), [](uint32_t) { return false; });
	EXPECT_EQ(cache.framebuffers(), 0u);
}

/* Whoever had it may have closed it, or made its number that of something else. */
TEST(FramebufferCache, ForgetsADmabufWhoseDescriptorIsGone)
{
	test::FakeKms fake({.modes = {test::makeMode(640, 480)}});
	FramebufferCache cache(fake.fd(), true);
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	UniqueFd buffer(memfd_create("frame", MFD_CLOEXEC));
	ASSERT_EQ(ftruncate(buffer.get(), static_cast<off_t>(layout.size())), 0);
	const BufferIdentity identity = *bufferIdentity(buffer.get());
	ASSERT_TRUE(cache.get(buffer.get(), layout));
	buffer.reset();
	cache.forget(identity, [](uint32_t) { return false; });
	EXPECT_EQ(cache.framebuffers(), 0u);
}

TEST(FramebufferCache, SaysWhatADescriptorIsOfThatIsNoDmabuf)
{
	test::FakeKms fake({.modes = {test::makeMode(640, 480)}});
	FramebufferCache cache(fake.fd(), true);
	const UniqueFd empty(memfd_create("empty", MFD_CLOEXEC));
	const auto refused =
		cache.get(empty.get(), makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value());
	ASSERT_FALSE(refused);
	EXPECT_THAT(refused.error().message, HasSubstr("is no dma-buf but /memfd:empty"));
}

/* A driver that said no is not asked again about the same dma-buf and layout. */
TEST(FramebufferRefusal, IsRememberedWithItsReason)
{
	test::FakeDisplay display{.modes = {test::makeMode(640, 480)}};
	display.pitchAlignment = 256;
	test::FakeKms fake(display);
	FramebufferCache cache(fake.fd(), true);
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	const UniqueFd buffer(memfd_create("frame", MFD_CLOEXEC));
	ASSERT_EQ(ftruncate(buffer.get(), static_cast<off_t>(layout.size())), 0);
	const auto first = cache.get(buffer.get(), layout);
	ASSERT_FALSE(first);
	fake.failCall(0, 0); /* counts from here */
	const auto second = cache.get(buffer.get(), layout);
	ASSERT_FALSE(second);
	EXPECT_EQ(second.error().text(), first.error().text());
	EXPECT_EQ(fake.calls(), 0u);
	EXPECT_EQ(cache.framebuffers(), 0u);

	/* What may be over next time is asked again. */
	const UniqueFd other(memfd_create("frame", MFD_CLOEXEC));
	const FrameLayout good = makeFrameLayout(DRM_FORMAT_NV12, 512, 480).value();
	ASSERT_EQ(ftruncate(other.get(), static_cast<off_t>(good.size())), 0);
	fake.failCall(1, ENOMEM);
	EXPECT_EQ(cache.get(other.get(), good).error_or(Error{}).code, ENOMEM);
	EXPECT_TRUE(cache.get(other.get(), good));
}
