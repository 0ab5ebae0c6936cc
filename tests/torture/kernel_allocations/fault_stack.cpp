/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault_stack.h"

#include <algorithm>
#include <cerrno>
#include <ranges>

#include <fcntl.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

/* Each calls the one before it, and what the kernel does when the first cannot allocate. */
struct KernelLeak {
	std::string_view function, caller, why;
};

/* drivers/media/common/videobuf2/videobuf2-core.c of Linux 7.3.4: __prepare_dmabuf() takes its
 * reference with dma_buf_get(), and goes to err_put_vb2_buf when attach_dmabuf() fails. There only
 * planes with mem_priv give theirs back, which a plane gets after it is attached. */
constexpr KernelLeak kernelLeaks[] = {
	{"vb2_vmalloc_attach_dmabuf", "__prepare_dmabuf",
	 "__prepare_dmabuf() of videobuf2 forgets its reference when attach_dmabuf() fails"},
	{"vb2_dc_attach_dmabuf", "__prepare_dmabuf",
	 "__prepare_dmabuf() of videobuf2 forgets its reference when attach_dmabuf() fails"},
};

/* " [<60705ca0>] vb2_vmalloc_attach_dmabuf+0x80/0x100", of which the name may end in .cold or
 * .constprop.0; empty for any other line, and for one with a question mark. */
std::string functionOf(std::string_view line)
{
	const size_t begin = line.find(">] ");
	const size_t end = line.find("+0x");
	if (begin == line.npos || end == line.npos || line.contains("? "))
		return {};
	const std::string_view name = line.substr(begin + 3, end - begin - 3);
	return std::string(name.substr(0, name.find('.')));
}

} /* namespace */

Result<KernelMessages> KernelMessages::fromNow()
{
	UniqueFd log(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	if (!log.valid() || lseek(log.get(), 0, SEEK_END) < 0)
		return fail(errno, "cannot read /dev/kmsg");
	return KernelMessages(std::move(log));
}

/* A record a read: "PRIORITY,NUMBER,TIME,FLAGS;TEXT\n" and lines of properties after it; EPIPE says
 * that records were overwritten before they were read (Documentation/ABI/testing/dev-kmsg). */
std::string KernelMessages::read() const
{
	std::string text;
	char record[8192];
	for (ssize_t n; (n = ::read(log_.get(), record, sizeof(record))) > 0 || errno == EPIPE;) {
		const std::string_view whole(record, static_cast<size_t>(std::max<ssize_t>(n, 0)));
		const size_t begin = whole.find(';');
		if (begin != whole.npos)
			text += whole.substr(begin + 1, whole.find('\n') - begin);
	}
	return text;
}

std::vector<std::string> functionsOfFault(std::string_view log)
{
	const size_t begin = log.find("FAULT_INJECTION: ");
	if (begin == log.npos)
		return {};
	std::vector<std::string> functions;
	for (const auto part : std::views::split(log.substr(begin), '\n')) {
		std::string function = functionOf(std::string_view(part));
		/* What comes before is the fault's own message. */
		if (function.starts_with("should_fail"))
			functions.clear();
		else if (!function.empty())
			functions.push_back(std::move(function));
	}
	return functions;
}

std::string_view keptByTheKernel(const std::vector<std::string> &functions)
{
	for (const KernelLeak &leak : kernelLeaks) {
		const auto found = std::ranges::find(functions, leak.function);
		if (found != functions.end() && found + 1 != functions.end() &&
		    found[1] == leak.caller)
			return leak.why;
	}
	return {};
}

} /* namespace heapflow::torture */
