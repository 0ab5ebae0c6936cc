/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/buffer_holders.h"

#include "heap_access.h"
#include "small_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

struct CloseDirectory {
	void operator()(DIR *directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

template<typename Number>
std::optional<Number> numberName(const char *name)
{
	Number number{};
	const std::string_view text(name);
	const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error != std::errc() || stop != text.data() + text.size() || number < 0)
		return std::nullopt;
	return number;
}

bool isPermission(int code)
{
	return code == EACCES || code == EPERM;
}

/* The field `flags` of /proc/PID/stat: kernel threads have no descriptors to miss. */
bool isKernelThread(const fs::path &process)
{
	constexpr uint64_t kernelThread = 0x00200000; /* PF_KTHREAD, include/linux/sched.h */
	const auto stat = readSmallFile(process / "stat");
	/* The name is in parentheses and may hold any of them; the last ends it. */
	size_t place = stat ? stat->rfind(')') : std::string::npos;
	if (place == std::string::npos)
		return false;
	/* ") state ppid pgrp session tty tpgid flags" */
	for (int field = 0; field < 7 && place != std::string::npos; field++)
		place = stat->find(' ', place + 1);
	if (place == std::string::npos)
		return false;
	uint64_t flags = 0;
	std::from_chars(stat->data() + place + 1, stat->data() + stat->size(), flags);
	return flags & kernelThread;
}

std::string commandOf(const fs::path &process)
{
	auto name = readSmallFile(process / "comm");
	if (name && name->ends_with('\n'))
		name->pop_back();
	return name.value_or("");
}

constexpr size_t fdinfoLimit = 65536;

class HolderReader
{
public:
	void readProcess(pid_t id, const fs::path &process);

	/* Everything that was found, in order. */
	BufferHolders take();

	void setIncomplete() { found_.complete = false; }

private:
	enum class Reading { Done, Forbidden, Gone, Failed };

	static Reading outcomeOf(int code);

	Reading readDescriptors(pid_t id, const fs::path &process);
	Reading readMappings(pid_t id, const fs::path &process);
	void addDescriptor(pid_t id, int directory, const fs::path &process, const char *number);
	void addMapping(pid_t id, const fs::path &process, const BufferMapping &mapping);
	BufferUse &use(HeldBuffer &buffer, pid_t id);

	std::map<uint64_t, HeldBuffer> buffers_;
	BufferHolders found_;
	bool holds_ = false; /* the process that is being read holds a buffer */
};

/* A process that has ended holds nothing; what cannot be read otherwise, may. */
HolderReader::Reading HolderReader::outcomeOf(int code)
{
	if (isPermission(code))
		return Reading::Forbidden;
	return code == ENOENT || code == ESRCH ? Reading::Gone : Reading::Failed;
}

BufferUse &HolderReader::use(HeldBuffer &buffer, pid_t id)
{
	holds_ = true;
	const auto place = std::ranges::find(buffer.uses, id, &BufferUse::process);
	if (place != buffer.uses.end())
		return *place;
	return buffer.uses.emplace_back(BufferUse{.process = id});
}

void HolderReader::addDescriptor(pid_t id, int directory, const fs::path &process,
				 const char *number)
{
	constexpr std::string_view path = "/dmabuf:";
	char target[sizeof("/dmabuf:")];
	const ssize_t length = readlinkat(directory, number, target, path.size());
	if (length < 0 && errno != ENOENT)
		setIncomplete();
	if (length < 0 || std::string_view(target, static_cast<size_t>(length)) != path)
		return;

	const auto text = readFile(process / "fdinfo" / number, fdinfoLimit);
	if (!text && text.error().code != ENOENT)
		setIncomplete();
	auto info = text ? parseBufferInfo(*text) : std::nullopt;
	if (!info)
		return;
	/* Kernels before 5.14 say no inode there; the descriptor itself does. */
	struct stat status;
	if (!info->inode && fstatat(directory, number, &status, 0) == 0)
		info->inode = status.st_ino;
	if (!info->inode)
		return;

	HeldBuffer &buffer = buffers_[*info->inode];
	buffer.inode = *info->inode;
	buffer.size = info->size;
	buffer.references = info->references;
	buffer.exporter = std::move(info->exporter);
	buffer.name = std::move(info->name);
	use(buffer, id).descriptors++;
}

HolderReader::Reading HolderReader::readDescriptors(pid_t id, const fs::path &process)
{
	const Directory directory(opendir((process / "fd").c_str()));
	if (!directory)
		return outcomeOf(errno);
	errno = 0;
	while (const dirent *entry = readdir(directory.get())) {
		if (numberName<int>(entry->d_name))
			addDescriptor(id, dirfd(directory.get()), process, entry->d_name);
		errno = 0;
	}
	return errno ? outcomeOf(errno) : Reading::Done;
}

void HolderReader::addMapping(pid_t id, const fs::path &process, const BufferMapping &mapping)
{
	HeldBuffer &buffer = buffers_[mapping.inode];
	if (buffer.exporter.empty()) {
		/* No descriptor of it was seen so far. */
		char range[40];
		std::snprintf(range, sizeof(range), "%llx-%llx",
			      static_cast<unsigned long long>(mapping.begin),
			      static_cast<unsigned long long>(mapping.end));
		/* A link that only CAP_CHECKPOINT_RESTORE may follow (proc_pid_map_files(5)). */
		struct stat status;
		const bool known = stat((process / "map_files" / range).c_str(), &status) == 0;
		buffer.inode = mapping.inode;
		buffer.size = std::max(buffer.size, known ? static_cast<uint64_t>(status.st_size)
							  : mapping.end - mapping.begin);
		buffer.name = mapping.name;
	}
	use(buffer, id).mappings++;
}

HolderReader::Reading HolderReader::readMappings(pid_t id, const fs::path &process)
{
	/* A line has 80 to 200 bytes and vm.max_map_count is 65530 unless raised. */
	constexpr size_t limit = 64 << 20;
	const auto maps = readFile(process / "maps", limit);
	if (!maps)
		return outcomeOf(maps.error().code);
	for (const BufferMapping &mapping : parseBufferMappings(*maps))
		addMapping(id, process, mapping);
	return Reading::Done;
}

void HolderReader::readProcess(pid_t id, const fs::path &process)
{
	holds_ = false;
	const Reading descriptors = readDescriptors(id, process);
	const Reading mappings =
		descriptors == Reading::Done ? readMappings(id, process) : descriptors;
	if (holds_)
		found_.processes.push_back({id, commandOf(process)});
	if (mappings == Reading::Forbidden && !isKernelThread(process)) {
		found_.unread.push_back({id, commandOf(process)});
		found_.complete = false;
	}
	if (mappings == Reading::Failed)
		setIncomplete();
}

BufferHolders HolderReader::take()
{
	for (auto &[inode, buffer] : buffers_) {
		std::ranges::sort(buffer.uses, {}, &BufferUse::process);
		found_.buffers.push_back(std::move(buffer));
	}
	std::ranges::sort(found_.processes, {}, &ProcessName::id);
	std::ranges::sort(found_.unread, {}, &ProcessName::id);
	return std::move(found_);
}

} /* namespace */

std::string ProcessName::text() const
{
	return printable(name) + "[" + std::to_string(id) + "]";
}

const ProcessName *BufferHolders::process(pid_t id) const
{
	const auto place = std::ranges::lower_bound(processes, id, {}, &ProcessName::id);
	return place == processes.end() || place->id != id ? nullptr : &*place;
}

BufferHolders readBufferHolders(const SystemPaths &paths)
{
	HolderReader reader;
	const Directory directory(opendir(paths.processes.c_str()));
	if (!directory)
		reader.setIncomplete();
	errno = 0;
	while (const dirent *entry = directory ? readdir(directory.get()) : nullptr) {
		if (const auto id = numberName<pid_t>(entry->d_name))
			reader.readProcess(*id, paths.processes / entry->d_name);
		errno = 0;
	}
	if (directory && errno)
		reader.setIncomplete();
	return reader.take();
}

uint64_t RegionHolders::unseen(const Region &region) const
{
	if (!region.total || !region.free || *region.free > *region.total)
		return 0;
	const uint64_t used = *region.total - *region.free;
	return used > bytes ? used - bytes : 0;
}

RegionHolders holdersOf(const BufferHolders &holders, const std::vector<std::string> &names)
{
	RegionHolders region;
	std::map<pid_t, RegionHolder> byProcess;
	for (const HeldBuffer &buffer : holders.buffers) {
		if (std::ranges::find(names, buffer.exporter) == names.end())
			continue;
		region.bytes += buffer.size;
		region.buffers++;
		for (const BufferUse &use : buffer.uses) {
			RegionHolder &holder = byProcess[use.process];
			const ProcessName *process = holders.process(use.process);
			holder.process = process ? *process : ProcessName{use.process, ""};
			holder.bytes += buffer.size;
			holder.inodes.push_back(buffer.inode);
			if (!buffer.name.empty())
				holder.names.push_back(buffer.name);
		}
	}
	for (auto &[id, holder] : byProcess) {
		std::ranges::sort(holder.names);
		const auto repeated = std::ranges::unique(holder.names);
		holder.names.erase(repeated.begin(), repeated.end());
		region.holders.push_back(std::move(holder));
	}
	std::ranges::stable_sort(region.holders, std::ranges::greater{}, &RegionHolder::bytes);
	return region;
}

std::vector<std::string> heapsOfRegion(const std::vector<Heap> &heaps, std::string_view region)
{
	std::vector<std::string> names;
	for (const Heap &heap : heaps) {
		/* A link gives the buffers of the heap it leads to. */
		if (heap.region.id == region && heap.linkTarget.empty())
			names.push_back(heap.name.text);
	}
	return names;
}

std::string describeHolders(const RegionHolders &holders, size_t most)
{
	std::string text;
	const size_t shown = std::min(most, holders.holders.size());
	for (size_t i = 0; i < shown; i++) {
		const RegionHolder &holder = holders.holders[i];
		const size_t count = holder.inodes.size();
		text += (i ? ", " : "") + holder.process.text() + " " +
			std::to_string(holder.bytes) + " bytes in " + std::to_string(count) +
			(count == 1 ? " buffer" : " buffers");
		if (holder.names.empty())
			continue;
		text += " (" + printable(holder.names.front());
		text += holder.names.size() > 1
				? " and " + std::to_string(holder.names.size() - 1) + " more names)"
				: ")";
	}
	if (const size_t more = holders.holders.size() - shown)
		text += ", " + std::to_string(more) +
			(more == 1 ? " more process" : " more processes");
	return text;
}

std::string describeUnread(const BufferHolders &holders, size_t most)
{
	const auto &unread = holders.unread;
	if (unread.empty())
		return {};
	std::string text = std::to_string(unread.size()) +
			   (unread.size() == 1 ? " process" : " processes") +
			   " could not be read for lack of permission (";
	const size_t shown = std::min(most, unread.size());
	for (size_t i = 0; i < shown; i++)
		text += (i ? ", " : "") + unread[i].text();
	return text + (unread.size() > shown ? ", ...)" : ")");
}

} /* namespace heapflow */
