/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display_fixture.h"

#include <cctype>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace heapflow::test
{

std::string testName(std::string text)
{
	for (char &character : text) {
		if (!std::isalnum(static_cast<unsigned char>(character)))
			character = '_';
	}
	return text;
}

Buffer allocate(const std::string &heapName, uint64_t size)
{
	const auto heaps = listHeaps();
	EXPECT_TRUE(heaps) << textOf(heaps);
	for (const Heap &heap : heaps.value_or(std::vector<Heap>{})) {
		if (heap.name.text != heapName)
			continue;
		auto device = HeapDevice::open(heap);
		EXPECT_TRUE(device) << textOf(device);
		if (!device)
			break;
		auto buffer = device->allocate(size, "display-test");
		EXPECT_TRUE(buffer) << textOf(buffer);
		if (buffer)
			return std::move(*buffer);
		break;
	}
	ADD_FAILURE() << "no buffer from heap " << heapName;
	return Buffer(UniqueFd(), 0, heapName);
}

std::unique_ptr<Screen> openVkms(ScreenOptions options)
{
	options.driver = "vkms";
	auto screen = Screen::open(options);
	EXPECT_TRUE(screen) << textOf(screen);
	return screen ? std::move(*screen) : nullptr;
}

std::string readText(const std::string &path)
{
	std::ostringstream text;
	text << std::ifstream(path).rdbuf();
	return text.str();
}

std::string vkmsDebug()
{
	for (const auto &entry : std::filesystem::directory_iterator("/sys/kernel/debug/dri")) {
		if (readText(entry.path() / "name").starts_with("vkms"))
			return entry.path();
	}
	ADD_FAILURE() << "vkms is not in debugfs";
	return {};
}

std::string vkmsNode()
{
	return "/dev/dri/card" + std::filesystem::path(vkmsDebug()).filename().string();
}

std::vector<uint32_t> framebuffersOfDevice()
{
	std::istringstream lines(readText(vkmsDebug() + "/framebuffer"));
	std::vector<uint32_t> ids;
	for (std::string line; std::getline(lines, line);) {
		uint32_t id = 0;
		if (std::sscanf(line.c_str(), "framebuffer[%u]:", &id) == 1)
			ids.push_back(id);
	}
	return ids;
}

std::vector<uint32_t> settledFramebuffers(const std::vector<uint32_t> &expected)
{
	const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
	std::vector<uint32_t> now = framebuffersOfDevice();
	while (now != expected && std::chrono::steady_clock::now() < end) {
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
		now = framebuffersOfDevice();
	}
	return now;
}

int attachments(int dmabuf)
{
	struct stat status;
	EXPECT_EQ(fstat(dmabuf, &status), 0);

	/*
	 * A line of numbers for each dma-buf, the inode the fifth; then the attached devices, one
	 * to a line, up to "Total N devices attached".
	 */
	std::istringstream lines(readText("/sys/kernel/debug/dma_buf/bufinfo"));
	bool ours = false;
	for (std::string line; std::getline(lines, line);) {
		std::istringstream words(line);
		std::string size, flags, mode, count, exporter;
		unsigned long inode = 0;
		if (words >> size >> flags >> mode >> count >> exporter >> inode &&
		    size.size() == 8)
			ours = inode == status.st_ino;
		int total = 0;
		if (ours && std::sscanf(line.c_str(), "Total %d devices attached", &total) == 1)
			return total;
	}
	ADD_FAILURE() << "dma-buf " << status.st_ino << " is not in bufinfo:\n"
		      << readText("/sys/kernel/debug/dma_buf/bufinfo");
	return -1;
}

int64_t monotonicNow()
{
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return int64_t{now.tv_sec} * 1000 * ms + now.tv_nsec;
}

void sleepUntil(int64_t at)
{
	const timespec when{at / (1000 * ms), at % (1000 * ms)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR)
		;
}

size_t openDescriptors()
{
	const auto list = std::filesystem::directory_iterator("/proc/self/fd");
	return static_cast<size_t>(std::distance(begin(list), end(list)));
}

uint64_t freeCmaPages()
{
	uint64_t pages = 0;
	for (const auto &area : std::filesystem::directory_iterator("/sys/kernel/mm/cma"))
		pages += std::stoull(readText(area.path() / "available_pages"));
	return pages;
}

bool eventually(const std::function<bool()> &condition)
{
	for (int i = 0; i < 200; i++) {
		if (condition())
			return true;
		std::this_thread::sleep_for(std::chrono::milliseconds(10));
	}
	return false;
}

Screen::FlipHandler FlipLog::handler()
{
	return [this](const FlipEvent &event) {
		const std::lock_guard lock(mutex_);
		events_.push_back(event);
		changed_.notify_all();
	};
}

bool FlipLog::wait(size_t count, std::chrono::milliseconds timeout)
{
	std::unique_lock lock(mutex_);
	return changed_.wait_for(lock, timeout, [&] { return events_.size() >= count; });
}

std::vector<FlipEvent> FlipLog::events() const
{
	const std::lock_guard lock(mutex_);
	return events_;
}

} /* namespace heapflow::test */
