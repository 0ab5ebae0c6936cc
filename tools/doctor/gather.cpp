/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gather.h"

#include "program_output.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

namespace heapflow::tool::doctor
{

namespace
{

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/* A kernel's configuration has 300 KiB, a list of modules 1 MiB. */
constexpr size_t kMostBytes = size_t{8} << 20;

std::optional<std::string> readFile(const fs::path &path)
{
	std::error_code error;
	if (!fs::is_regular_file(path, error))
		return std::nullopt;
	std::ifstream file(path, std::ios::binary);
	std::string text;
	char buffer[4096];
	while (text.size() < kMostBytes && (file.read(buffer, sizeof(buffer)), file.gcount() > 0))
		text.append(buffer, static_cast<size_t>(file.gcount()));
	if (text.empty() && !file.is_open())
		return std::nullopt;
	return text;
}

std::string firstLine(const std::optional<std::string> &text)
{
	return text ? text->substr(0, text->find('\n')) : std::string();
}

std::set<std::string> namesIn(const fs::path &directory)
{
	std::set<std::string> names;
	std::error_code error;
	fs::directory_iterator entry(directory, error);
	for (; !error && entry != fs::directory_iterator(); entry.increment(error))
		names.insert(entry->path().filename().string());
	return names;
}

/* "kernel/drivers/dma-buf/heaps/cma_heap.ko.xz: ..." to "cma_heap". */
void addModuleNames(std::string_view list, std::set<std::string> &names)
{
	std::istringstream lines{std::string(list)};
	for (std::string line; std::getline(lines, line);) {
		line = line.substr(0, line.find(':'));
		line = line.substr(line.rfind('/') + 1);
		line = line.substr(0, line.find(".ko"));
		std::ranges::replace(line, '-', '_');
		if (!line.empty())
			names.insert(line);
	}
}

void readConfig(const fs::path &root, KernelFacts &facts)
{
	const fs::path packed = root / "proc/config.gz";
	std::error_code error;
	if (fs::exists(packed, error)) {
		const auto text = runProgram({"gzip", "-dc", packed.string()}, 5s);
		if (text && text->status == 0) {
			facts.configFile = packed.string();
			facts.options = parseKernelConfig(text->text);
			return;
		}
	}
	for (const fs::path &file : {root / ("boot/config-" + facts.release),
				     root / "lib/modules" / facts.release / "config",
				     root / "lib/modules" / facts.release / "build/.config"}) {
		if (const auto text = facts.release.empty() ? std::nullopt : readFile(file)) {
			facts.configFile = file.string();
			facts.options = parseKernelConfig(*text);
			return;
		}
	}
}

std::optional<uint64_t> numberIn(std::string_view text)
{
	uint64_t number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	return error == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

/* The limit of a cgroup holds for all below it: the smallest on the way up counts. */
void readCgroup(const fs::path &root, LimitFacts &facts)
{
	const fs::path top = root / "sys/fs/cgroup";
	fs::path group = fs::path(facts.cgroup).relative_path();
	for (bool first = true;; first = false) {
		const fs::path directory = group.empty() ? top : top / group;
		const auto max = numberIn(firstLine(readFile(directory / "memory.max")));
		if (max && (!facts.memoryMax || *max < *facts.memoryMax)) {
			facts.memoryMax = max;
			facts.memoryMaxFile = (directory / "memory.max").string();
			facts.memoryCurrent =
				numberIn(firstLine(readFile(directory / "memory.current")));
		}
		const auto dmem = first ? readFile(directory / "dmem.max") : std::nullopt;
		std::istringstream words(dmem.value_or(""));
		for (std::string region, limit; words >> region >> limit;) {
			if (const auto bytes = numberIn(limit)) {
				facts.dmemMax[region] = *bytes;
				facts.dmemFile = (directory / "dmem.max").string();
			}
		}
		if (group.empty())
			return;
		group = group.parent_path();
	}
}

bool hasString(const fs::path &property, std::string_view wanted)
{
	std::string list = readFile(property).value_or("");
	std::ranges::replace(list, '\0', '\n');
	std::istringstream lines(list);
	for (std::string line; std::getline(lines, line);) {
		if (line == wanted)
			return true;
	}
	return false;
}

std::vector<ReservedNode> reservedNodes(const fs::path &deviceTree)
{
	std::vector<ReservedNode> nodes;
	const fs::path parent = deviceTree / "reserved-memory";
	std::error_code error;
	for (const std::string &name : namesIn(parent)) {
		const fs::path node = parent / name;
		const bool enabled = !fs::exists(node / "status", error) ||
				     hasString(node / "status", "okay") ||
				     hasString(node / "status", "ok");
		if (enabled && fs::exists(node / "reusable", error) &&
		    !fs::exists(node / "no-map", error) &&
		    hasString(node / "compatible", "shared-dma-pool"))
			nodes.push_back({name, node.string()});
	}
	return nodes;
}

std::set<std::string> groupNames()
{
	std::vector<gid_t> ids(static_cast<size_t>(std::max(0, getgroups(0, nullptr))));
	ids.resize(static_cast<size_t>(
		std::max(0, getgroups(static_cast<int>(ids.size()), ids.data()))));
	ids.push_back(getegid());
	std::set<std::string> names;
	for (const gid_t id : ids) {
		char buffer[4096];
		group entry{};
		group *found = nullptr;
		if (getgrgid_r(id, &entry, buffer, sizeof(buffer), &found) == 0 && found)
			names.insert(found->gr_name);
	}
	return names;
}

/* Nothing when this user may not look: debugfs is root's. */
std::optional<bool> cmaInDebugfs(const fs::path &directory)
{
	std::error_code error;
	const bool there = fs::is_directory(directory, error);
	if (error == std::errc::permission_denied)
		return std::nullopt;
	return there;
}

HeapFacts gatherHeaps(const fs::path &root, bool live)
{
	const SystemPaths paths = live ? SystemPaths{} : SystemPaths::below(root);
	HeapFacts facts;
	std::error_code error;
	if (auto heaps = listHeaps(paths))
		facts.heaps = std::move(*heaps);
	else
		facts.error = heaps.error();
	for (const Heap &heap : facts.heaps) {
		const UniqueFd node(
			live ? open(heap.node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
			     : -1);
		if (live)
			facts.openErrors[heap.name.text] = node.valid() ? 0 : errno;
	}
	facts.registered = namesIn(root / "sys/class/dma_heap");
	facts.cmaSysfs = fs::is_directory(paths.cmaDirectory, error);
	facts.cmaDebugfs = cmaInDebugfs(paths.cmaDebugDirectory);
	facts.reserved = reservedNodes(paths.deviceTree);
	facts.isRoot = geteuid() == 0;
	facts.groups = groupNames();
	return facts;
}

} /* namespace */

std::map<std::string, std::string> parseKernelConfig(std::string_view text)
{
	constexpr std::string_view prefix = "CONFIG_";
	std::map<std::string, std::string> options;
	while (!text.empty()) {
		const size_t end = std::min(text.find('\n'), text.size());
		const std::string_view line = text.substr(0, end);
		text.remove_prefix(std::min(end + 1, text.size()));
		const size_t equals = line.find('=');
		if (!line.starts_with(prefix) || equals == std::string_view::npos)
			continue;
		options.emplace(line.substr(prefix.size(), equals - prefix.size()),
				line.substr(equals + 1));
	}
	return options;
}

KernelFacts gatherKernel(const fs::path &root)
{
	KernelFacts facts;
	facts.release = firstLine(readFile(root / "proc/sys/kernel/osrelease"));
	readConfig(root, facts);
	facts.modules = namesIn(root / "sys/module");
	if (!facts.release.empty()) {
		const auto list = readFile(root / "lib/modules" / facts.release / "modules.dep");
		facts.moduleListRead = list.has_value();
		addModuleNames(list.value_or(""), facts.loadable);
	}

	std::istringstream lines(readFile(root / "proc/devices").value_or(""));
	for (std::string line; std::getline(lines, line) && !line.starts_with("Block");) {
		std::istringstream words(line);
		unsigned major = 0;
		std::string name;
		if (words >> major >> name)
			facts.deviceGroups.insert(name);
	}
	return facts;
}

LimitFacts gatherLimits(const fs::path &root)
{
	LimitFacts facts;
	const bool live = root == "/";
	const auto accounting = readFile(root / "sys/module/dma_heap/parameters/mem_accounting");
	if (accounting)
		facts.heapAccounting = accounting->starts_with('Y');
	facts.available = availableMemory(live ? SystemPaths{} : SystemPaths::below(root));
	if (!live)
		return facts;

	rlimit limit{};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		facts.descriptors = limit.rlim_cur;
	/* Version 2 has the one line "0::/path". */
	std::istringstream lines(readFile("/proc/self/cgroup").value_or(""));
	for (std::string line; std::getline(lines, line);) {
		if (line.starts_with("0::"))
			facts.cgroup = line.substr(3);
	}
	if (!facts.cgroup.empty())
		readCgroup(root, facts);
	return facts;
}

SystemFacts gatherFacts(const fs::path &root, const Extent &extent)
{
	const bool live = root == "/";
	SystemFacts facts;
	facts.kernel = gatherKernel(root);
	facts.heap = gatherHeaps(root, live);
	facts.limits = gatherLimits(root);
	facts.pageSize = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	if (live && extent.devices)
		facts.devices = gatherDevices();
	if (live && extent.gstreamer)
		facts.gstreamer = gatherGstreamer();
	return facts;
}

} /* namespace heapflow::tool::doctor */
