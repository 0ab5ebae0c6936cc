/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/cpu_access.h"

#include "access_check.h"
#include "cpu_window.h"
#include "heapflow/heap/buffer_identity.h"

#include <cerrno>
#include <string>
#include <utility>

#include <linux/dma-buf.h>
#include <sys/ioctl.h>

namespace heapflow
{

namespace
{

uint64_t syncFlags(Access access)
{
	switch (access) {
	case Access::Read:
		return DMA_BUF_SYNC_READ;
	case Access::Write:
		return DMA_BUF_SYNC_WRITE;
	case Access::ReadWrite:
		break;
	}
	return DMA_BUF_SYNC_RW;
}

Result<void> sync(int dmabuf, uint64_t flags, const char *what)
{
	dma_buf_sync request{flags};

	/*
	 * Documentation/driver-api/dma-buf.rst: "user space must always restart the ioctl when it
	 * returns -EAGAIN or -EINTR". A bracket that was not ended leaves stale cache lines.
	 */
	while (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &request) != 0) {
		if (errno != EINTR && errno != EAGAIN)
			return std::unexpected(withForeignDescriptor(
				{errno,
				 std::string("cannot ") + what +
					 " CPU access to the dma-buf on file descriptor " +
					 std::to_string(dmabuf),
				 ""},
				dmabuf));
	}
	return {};
}

} /* namespace */

Result<void> syncBegin(int dmabuf, Access access)
{
	auto begun = sync(dmabuf, syncFlags(access) | DMA_BUF_SYNC_START, "begin");
	if (AccessCheck *check = AccessCheck::get(); check && begun) [[unlikely]]
		check->began(dmabuf, access);
	return begun;
}

Result<void> syncEnd(int dmabuf, Access access)
{
	if (AccessCheck *check = AccessCheck::get()) [[unlikely]]
		check->ending(dmabuf, access);
	return sync(dmabuf, syncFlags(access) | DMA_BUF_SYNC_END, "end");
}

AccessScope::AccessScope(std::shared_ptr<CpuWindow> window, Access access)
	: window_(std::move(window)), access_(access)
{
}

AccessScope &AccessScope::operator=(AccessScope &&other) noexcept
{
	if (this != &other) {
		static_cast<void>(end());
		window_ = std::move(other.window_);
		access_ = other.access_;
	}
	return *this;
}

AccessScope::~AccessScope()
{
	const auto ended = end();
	AccessCheck *check = AccessCheck::get();
	if (!ended && check)
		check->report("the end of a bracket failed, and nobody asked: " +
				      ended.error().text(),
			      {});
}

std::span<std::byte> AccessScope::bytes() const
{
	return window_ ? window_->bytes() : std::span<std::byte>();
}

Result<void> AccessScope::end()
{
	/* Moved out first: it is ended once, also when the kernel refuses. */
	const std::shared_ptr<CpuWindow> window = std::move(window_);
	return window ? window->end(access_) : Result<void>();
}

Result<CpuView> CpuView::create(int dmabuf, ByteRange range, Access most)
{
	auto window = CpuWindow::create(dmabuf, range, most);
	if (!window)
		return std::unexpected(window.error());
	return CpuView(std::move(*window));
}

Result<AccessScope> CpuView::begin(Access access) const
{
	if (!window_)
		return fail(EINVAL, "a view that was moved from has no bytes");
	if (auto begun = window_->begin(access); !begun)
		return std::unexpected(begun.error());
	return AccessScope(window_, access);
}

uint64_t CpuView::size() const
{
	return window_ ? window_->bytes().size() : 0;
}

Result<Mapping> Mapping::create(int dmabuf, uint64_t size, Access access)
{
	return create(dmabuf, ByteRange{0, size}, access);
}

Result<Mapping> Mapping::create(int dmabuf, ByteRange range, Access access)
{
	const auto view = CpuView::create(dmabuf, range, access);
	if (!view)
		return std::unexpected(view.error());
	auto scope = view->begin(access);
	if (!scope)
		return std::unexpected(scope.error());
	return Mapping(std::move(*scope));
}

} /* namespace heapflow */
