/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the display's board tests share: the vkms device, buffers, and what the kernel says. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/heap.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace heapflow::test
{

/** \brief Every heap of the virtual board (board/board.dts) */
inline const std::vector<std::string> boardHeaps = {
	"system", "default_cma_region", "linux,cma", "video@42000000", "memory@48000000-contiguous",
};

/** \brief A name that GoogleTest takes */
std::string testName(std::string text);

/** \brief The error's text as the failure message */
template<typename T>
std::string textOf(const Result<T> &result)
{
	return result ? "success" : result.error().text();
}

/** \brief A dma-buf of the heap; a failed test and an invalid buffer when that goes wrong */
Buffer allocate(const std::string &heap, uint64_t size);

/** \brief The vkms screen; null and a failed test when it cannot be opened */
std::unique_ptr<Screen> openVkms(ScreenOptions options = {});

/** \brief "/dev/dri/cardN" of vkms, without libdrm's or our own way to find it */
std::string vkmsNode();

/** \brief Its directory in debugfs */
std::string vkmsDebug();

/** \brief The whole text of a file; empty when there is none */
std::string readText(const std::string &path);

/** \brief Ids of all framebuffers of the device, of any process */
std::vector<uint32_t> framebuffersOfDevice();
/**
 * \brief The same once it is \a expected, or what it is after a second
 *
 * A framebuffer that user space has removed lives on in the state that a commit replaced, and the
 * kernel drops that state in a worker after it has sent the flip event (commit_work() in
 * drm_atomic_helper.c).
 */
std::vector<uint32_t> settledFramebuffers(const std::vector<uint32_t> &expected);

/** \brief How many devices are attached to this dma-buf (debugfs dma_buf/bufinfo) */
int attachments(int dmabuf);

constexpr int64_t ms = 1'000'000; /**< ns */

/** \brief CLOCK_MONOTONIC, ns */
int64_t monotonicNow();

/** \brief Sleep until then */
void sleepUntil(int64_t at);

/** \brief Open descriptors of this process */
size_t openDescriptors();

/** \brief Free pages of all CMA areas together */
uint64_t freeCmaPages();

/**
 * \brief Wait for what the kernel does in a worker, after it told us: up to 2 s
 *
 * It lets go of a framebuffer that was replaced only after the event (commit_tail()), and of a
 * killed process' files after wait() saw its end.
 */
bool eventually(const std::function<bool()> &condition);

/** \brief Flip events, collected in the Screen's thread */
class FlipLog
{
public:
	Screen::FlipHandler handler();

	/** \brief Waits until there are so many */
	bool wait(size_t count, std::chrono::milliseconds timeout = std::chrono::seconds(5));

	std::vector<FlipEvent> events() const;

private:
	mutable std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<FlipEvent> events_;
};

} /* namespace heapflow::test */
