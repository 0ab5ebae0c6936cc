/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fail_nth.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace fs = std::filesystem;

namespace
{

/* What the kernel's own checks allocate beside each allocation that they look at. That it fails
 * tells nothing, and would switch the check off. */
constexpr std::string_view cachesOfChecks[] = {
	"debug_objects_cache",
	"kmemleak_object",
	"kmemleak_scan_area",
};

Result<void> write(const std::string &path, std::string_view value)
{
	const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
	if (!file.valid())
		return fail(errno, "cannot open " + path,
			    "Faults are injected on the debug kernel: board/run --debug");
	if (::write(file.get(), value.data(), value.size()) < 0)
		return fail(errno, "cannot write " + path);
	return {};
}

/* Each cache of the slab allocator takes part by itself. */
Result<void> failAllCaches()
{
	std::error_code error;
	for (const auto &cache : fs::directory_iterator("/sys/kernel/slab", error)) {
		const std::string name = cache.path().filename();
		if (std::ranges::contains(cachesOfChecks, name))
			continue;
		if (auto set = write(cache.path() / "failslab", "1"); !set)
			return set;
	}
	if (error)
		return fail(error.value(), "cannot list /sys/kernel/slab");
	return write("/sys/kernel/debug/failslab/cache-filter", "Y");
}

} /* namespace */

Result<void> failEveryKindOfAllocation()
{
	static constexpr struct {
		const char *file, *value;
	} settings[] = {
		{"failslab/ignore-gfp-wait", "N"},
		{"failslab/verbose", "2"}, /* a message and the stack */
		{"fail_page_alloc/ignore-gfp-wait", "N"},
		{"fail_page_alloc/ignore-gfp-highmem", "N"},
		{"fail_page_alloc/min-order", "0"},
		{"fail_page_alloc/verbose", "2"},
	};
	for (const auto &[file, value] : settings) {
		if (auto set = write(std::string("/sys/kernel/debug/") + file, value); !set)
			return set;
	}
	return failAllCaches();
}

Result<FailNth> FailNth::of(pid_t thread)
{
	const std::string path = "/proc/self/task/" + std::to_string(thread) + "/fail-nth";
	UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC));
	if (!file.valid())
		return fail(errno, "cannot open " + path);
	return FailNth(std::move(file));
}

Result<void> FailNth::arm(unsigned n)
{
	const std::string text = std::to_string(n);
	if (pwrite(file_.get(), text.data(), text.size(), 0) < 0)
		return fail(errno, "cannot write fail-nth");
	return {};
}

/* What is left to count; 0 when it came to that (Documentation/fault-injection). */
Result<bool> FailNth::disarm()
{
	char text[16] = {};
	if (pread(file_.get(), text, sizeof(text) - 1, 0) < 0 || pwrite(file_.get(), "0", 1, 0) < 0)
		return fail(errno, "cannot read fail-nth");
	return std::strtoul(text, nullptr, 10) == 0;
}

} /* namespace heapflow::torture */
