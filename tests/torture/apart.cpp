/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apart.h"

#include "board_node.h"
#include "camera_to_screen.h"
#include "kernel_memory.h"
#include "leftovers.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <format>
#include <thread>

#include <drm_fourcc.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::torture
{

using namespace std::chrono_literals;

namespace
{

constexpr auto hangs = 60s;
/* The kernel gives some things back in a worker of its own. */
constexpr auto givesBack = 5s;

/* Of the whole system. */
struct SystemHoldings {
	KernelMemory memory = KernelMemory::now();
	unsigned framebuffers = holdings().framebuffers;

	bool operator==(const SystemHoldings &) const = default;
	std::string text() const
	{
		return std::format("{}, {} framebuffers", memory.text(), framebuffers);
	}
};

std::string lostSince(const SystemHoldings &before)
{
	SystemHoldings after;
	for (auto waited = 0ms; after != before && waited < givesBack; waited += 50ms) {
		std::this_thread::sleep_for(50ms);
		after = SystemHoldings();
	}
	return after == before
		       ? ""
		       : std::format("lost: before {}; after {}", before.text(), after.text());
}

/* All that comes until the other end is closed; nothing of what comes after `hangs`. */
bool readAll(int pipe, std::string &text)
{
	const auto end = std::chrono::steady_clock::now() + hangs;
	for (;;) {
		const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
			end - std::chrono::steady_clock::now());
		pollfd ready = {pipe, POLLIN, 0};
		if (left <= 0ms || poll(&ready, 1, int(left.count())) == 0)
			return false;
		char part[4096];
		const ssize_t count = read(pipe, part, sizeof(part));
		if (count <= 0)
			return true;
		text.append(part, size_t(count));
	}
}

/* The first byte is the kind, as a digit. */
Verdict parse(const std::string &report, int status)
{
	if (WIFSIGNALED(status))
		return Verdict::broken(std::format("crashed: {}; {}", strsignal(WTERMSIG(status)),
						   report.empty() ? "" : report.substr(1)));
	if (WEXITSTATUS(status) != 0)
		return Verdict::broken(std::format("exit status {}", WEXITSTATUS(status)));
	if (report.empty() || report[0] < '0' || report[0] > '2')
		return Verdict::broken("ended without a verdict");
	return {Verdict::Kind(report[0] - '0'), report.substr(1)};
}

} /* namespace */

Verdict Verdict::of(const Result<void> &result)
{
	if (result)
		return played();
	if (result.error().code <= 0 || result.error().message.empty())
		return broken("an error that says nothing");
	return refused(result.error().text());
}

Verdict apart(const std::function<Verdict()> &fault)
{
	const SystemHoldings before;
	int line[2];
	if (pipe(line) != 0)
		return Verdict::broken(std::format("no pipe: {}", strerror(errno)));
	const pid_t child = fork();
	if (child == 0) {
		close(line[0]);
		const Verdict verdict = fault();
		dprintf(line[1], "%d%s", int(verdict.kind), verdict.text.c_str());
		/* As an application ends: destructors of statics run, and sanitizers look. */
		std::exit(0);
	}
	close(line[1]);
	std::string report;
	const bool ended = readAll(line[0], report);
	close(line[0]);
	if (!ended)
		kill(child, SIGKILL);
	int status = 0;
	waitpid(child, &status, 0);
	Verdict verdict = ended ? parse(report, status) : Verdict::broken("hangs");
	std::ranges::replace(verdict.text, '\n', ' ');
	std::ranges::replace(verdict.text, '\t', ' ');
	if (const std::string lost = lostSince(before);
	    !lost.empty() && verdict.kind != Verdict::Kind::Broken)
		verdict = Verdict::broken(lost + "; " + verdict.text);
	return verdict;
}

std::string stillUsable(const std::string &heap)
{
	const Verdict verdict = apart([&] {
		CameraToScreen application({.heap = heap, .camera = vividNode()});
		for (const auto part : {&CameraToScreen::start, &CameraToScreen::play,
					&CameraToScreen::stop, &CameraToScreen::close})
			if (const auto done = (application.*part)(); !done)
				return Verdict::of(done);
		return Verdict::played();
	});
	return verdict.kind == Verdict::Kind::Played
		       ? ""
		       : "afterwards camera and screen do not work: " + verdict.text;
}

/* A grey that no bar of a camera has. */
static Verdict showGrey()
{
	constexpr uint8_t grey = 0x5b;
	const auto choice = chooseHeap("system");
	const auto layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 360);
	if (!choice || !layout)
		return Verdict::of(choice ? Result<void>(std::unexpected(layout.error()))
					  : Result<void>(std::unexpected(choice.error())));
	auto buffers = allocateBuffers(*choice, 1, layout->size(), "grey");
	auto screen = Screen::open({.driver = "vkms"});
	if (!buffers || !screen)
		return Verdict::refused((buffers ? screen.error() : buffers.error()).text());
	const Buffer &buffer = buffers->buffers.front();
	if (auto mapping = buffer.map(Access::Write); mapping)
		std::ranges::fill(mapping->bytes(), std::byte(grey));
	if (const auto plan = (*screen)->configure(*layout, buffer.fd()); !plan)
		return Verdict::refused(plan.error().text());
	if (const auto shown = (*screen)->show(buffer.fd(), *layout, 1); !shown)
		return Verdict::of(shown);
	if (const auto drained = (*screen)->drain(2s); !drained)
		return Verdict::of(drained);
	const auto image = (*screen)->screenshot();
	if (!image)
		return Verdict::refused(image.error().text());
	const size_t middle = (size_t(image->height / 2) * image->width + image->width / 2) * 4;
	if (image->pixels[middle] != grey)
		return Verdict::broken(std::format("the screen shows {:#x}, not {:#x}",
						   image->pixels[middle], grey));
	return Verdict::played();
}

std::string screenStillUsable()
{
	const Verdict verdict = apart(showGrey);
	return verdict.kind == Verdict::Kind::Played
		       ? ""
		       : "afterwards the screen does not work: " + verdict.text;
}

} /* namespace heapflow::torture */
