/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/fdinfo/N and /proc/PID/maps, as far as dma-bufs are in it. */
#include "heapflow/heap/buffer_holders.h"

#include <algorithm>
#include <charconv>

namespace heapflow
{

namespace
{

/* What the kernel calls the path of every dma-buf: dmabuffs_dname(), drivers/dma-buf/dma-buf.c. */
constexpr std::string_view kPath = "/dmabuf:";

std::string_view takeLine(std::string_view &text)
{
	const size_t end = std::min(text.find('\n'), text.size());
	const std::string_view line = text.substr(0, end);
	text.remove_prefix(std::min(end + 1, text.size()));
	return line;
}

std::optional<uint64_t> parseNumber(std::string_view text, int base = 10)
{
	uint64_t number = 0;
	const auto [stop, error] =
		std::from_chars(text.data(), text.data() + text.size(), number, base);
	if (error != std::errc() || stop != text.data() + text.size())
		return std::nullopt;
	return number;
}

/* The value of "key:\tvalue"; nothing when the line has another key. */
std::optional<std::string_view> valueOf(std::string_view line, std::string_view key)
{
	if (!line.starts_with(key) || !line.substr(key.size()).starts_with(":\t"))
		return std::nullopt;
	return line.substr(key.size() + 2);
}

std::string_view takeWord(std::string_view &line)
{
	const size_t end = std::min(line.find(' '), line.size());
	const std::string_view word = line.substr(0, end);
	line.remove_prefix(end);
	line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
	return word;
}

/* "begin-end perms offset device inode   path" (proc_pid_maps(5)). */
std::optional<BufferMapping> parseMapping(std::string_view line)
{
	const std::string_view range = takeWord(line);
	for (int field = 0; field < 3; field++)
		takeWord(line);
	const auto inode = parseNumber(takeWord(line));
	const size_t dash = range.find('-');
	if (!inode || dash == range.npos || !line.starts_with(kPath))
		return std::nullopt;
	const auto begin = parseNumber(range.substr(0, dash), 16);
	const auto end = parseNumber(range.substr(dash + 1), 16);
	if (!begin || !end || *begin >= *end)
		return std::nullopt;
	return BufferMapping{*begin, *end, *inode, std::string(line.substr(kPath.size()))};
}

} /* namespace */

/*
 * The name comes last and may hold anything, line ends too: whoever names a buffer
 * "x\nexp_name:\tvideo" must not move it to another heap. So the name is all that follows, and of
 * any other key the first line counts.
 */
std::optional<BufferInfo> parseBufferInfo(std::string_view fdinfo)
{
	BufferInfo info;
	std::optional<uint64_t> size;
	std::optional<std::string_view> exporter;

	while (!fdinfo.empty()) {
		std::string_view rest = fdinfo;
		const std::string_view line = takeLine(fdinfo);
		if (valueOf(line, "name")) {
			rest = *valueOf(rest, "name");
			if (rest.ends_with('\n'))
				rest.remove_suffix(1);
			info.name = rest;
			break;
		}
		if (const auto value = valueOf(line, "ino"); value && !info.inode)
			info.inode = parseNumber(*value);
		else if (const auto bytes = valueOf(line, "size"); bytes && !size)
			size = parseNumber(*bytes);
		else if (const auto count = valueOf(line, "count"); count && !info.references)
			info.references = parseNumber(*count);
		else if (const auto heap = valueOf(line, "exp_name"); heap && !exporter)
			exporter = *heap;
	}
	if (!size || !exporter)
		return std::nullopt;
	info.size = *size;
	info.exporter = *exporter;
	return info;
}

std::vector<BufferMapping> parseBufferMappings(std::string_view maps)
{
	std::vector<BufferMapping> mappings;
	while (!maps.empty()) {
		const std::string_view line = takeLine(maps);
		/* Most lines are of libraries: look for the path before taking the line apart. */
		if (line.find(kPath) == line.npos)
			continue;
		if (auto mapping = parseMapping(line))
			mappings.push_back(std::move(*mapping));
	}
	return mappings;
}

} /* namespace heapflow */
