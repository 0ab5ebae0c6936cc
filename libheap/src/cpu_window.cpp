/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu_window.h"

#include "access_check.h"
#include "guarded_pages.h"
#include "heapflow/heap/buffer.h"
#include "heapflow/heap/buffer_identity.h"

#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

std::string rangeText(ByteRange range)
{
	std::string text = std::to_string(range.size) + " bytes";
	if (range.offset > 0)
		text += " at offset " + std::to_string(range.offset);
	return text;
}

Error mapError(int code, int dmabuf, ByteRange range)
{
	Error error{code,
		    "cannot map " + rangeText(range) + " of the dma-buf on file descriptor " +
			    std::to_string(dmabuf),
		    ""};
	const auto size = bufferSize(dmabuf);
	if (size && range.offset + range.size > *size)
		error.message += ", which has " + std::to_string(*size) + " bytes";
	else if (code == EINVAL)
		error.hint = "Its heap may be protected and give the CPU no view of it";
	else if (code == EACCES)
		error.hint = "The descriptor may have been made for reading only (O_RDONLY)";
	return withForeignDescriptor(std::move(error), dmabuf);
}

} /* namespace */

Result<std::shared_ptr<CpuWindow>> CpuWindow::create(int dmabuf, ByteRange range, Access most)
{
	constexpr uint64_t kMost = std::numeric_limits<size_t>::max() / 4;
	if (range.size == 0 || range.size > kMost || range.offset > kMost)
		return fail(EINVAL, "cannot map " + rangeText(range) + " of a dma-buf");

	auto window = std::make_shared<CpuWindow>();
	window->dmabuf_ = UniqueFd(fcntl(dmabuf, F_DUPFD_CLOEXEC, 0));
	if (!window->dmabuf_.valid())
		return fail(errno, "cannot hold the dma-buf on file descriptor " +
					   std::to_string(dmabuf) + " for mapping");

	/* mmap() begins at a page. */
	const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	const uint64_t before = range.offset % page;
	const size_t length = static_cast<size_t>(before + range.size);
	/* MAP_SHARED: CMA heaps refuse MAP_PRIVATE, and a private copy would be no access at all.
	 */
	const int protection = most == Access::Read ? PROT_READ : PROT_READ | PROT_WRITE;
	void *base = mmap(nullptr, length, protection, MAP_SHARED, window->fd(),
			  static_cast<off_t>(range.offset - before));
	if (base == MAP_FAILED) {
		return std::unexpected(mapError(errno, dmabuf, range));
	}
	window->base_ = static_cast<std::byte *>(base);
	window->length_ = length;
	window->bytes_ = {window->base_ + before, static_cast<size_t>(range.size)};
	window->most_ = most;
	window->guard();
	return window;
}

CpuWindow::~CpuWindow()
{
	if (!base_)
		return;
	AccessCheck *check = AccessCheck::get();
	if (check)
		check->closed(*this);
	if (slot_ >= 0)
		GuardedPages::retire(slot_);
	else
		munmap(base_, length_);
}

Result<void> CpuWindow::begin(Access access)
{
	if (access != Access::Read && most_ == Access::Read)
		return fail(EACCES, "the view was made for reading only",
			    "Make it with Access::ReadWrite");
	if (auto begun = syncBegin(fd(), access); !begun)
		return begun;
	if (slot_ >= 0) {
		const std::lock_guard lock(mutex_);
		(access == Access::Read ? readers_ : writers_)++;
		shut_ = false;
		setRights();
	}
	return {};
}

Result<void> CpuWindow::end(Access access)
{
	if (slot_ >= 0) {
		const std::lock_guard lock(mutex_);
		unsigned &count = access == Access::Read ? readers_ : writers_;
		if (count > 0)
			count--;
		setRights();
	}
	return syncEnd(fd(), access);
}

void CpuWindow::shut(const std::string &holder)
{
	const std::lock_guard lock(mutex_);
	shut_ = true;
	if (slot_ < 0)
		return;
	GuardedPages::setHolder(slot_, holder);
	setRights();
}

void CpuWindow::guard()
{
	AccessCheck *check = AccessCheck::get();
	if (!check || !check->settings().guards)
		return;
	slot_ = GuardedPages::add(base_, length_, bufferText(fd()));
	if (slot_ < 0)
		return; /* too many: this one goes unguarded */
	check->opened(*this);
	setRights();
}

void CpuWindow::setRights()
{
	using State = GuardedPages::State;
	if (shut_)
		GuardedPages::set(slot_, State::GivenBack);
	else if (writers_ > 0)
		GuardedPages::set(slot_, State::Writable);
	else
		GuardedPages::set(slot_, readers_ > 0 ? State::Readable : State::Outside);
}

} /* namespace heapflow */
