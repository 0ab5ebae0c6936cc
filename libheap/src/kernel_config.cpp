/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel_config.h"

#include "small_file.h"

#include <sys/utsname.h>

#if HEAPFLOW_HAVE_ZLIB
#include <memory>

#include <zlib.h>
#endif

namespace heapflow
{

namespace
{

constexpr size_t kLimit = 4 << 20; /* of a distribution: a quarter of a megabyte */

#if HEAPFLOW_HAVE_ZLIB
std::string readPacked(const std::filesystem::path &file)
{
	struct Close {
		void operator()(gzFile opened) const { gzclose(opened); }
	};
	std::error_code ignored;
	/* Not a FIFO in its place, which would hang. */
	if (!std::filesystem::is_regular_file(file, ignored))
		return {};
	const std::unique_ptr<gzFile_s, Close> opened(gzopen(file.c_str(), "rbe"));
	std::string text;
	char part[16384];
	while (opened && text.size() <= kLimit) {
		const int count = gzread(opened.get(), part, sizeof(part));
		if (count == 0)
			return text;
		if (count < 0)
			break;
		text.append(part, static_cast<size_t>(count));
	}
	return {};
}
#else
std::string readPacked(const std::filesystem::path &)
{
	return {};
}
#endif

} /* namespace */

KernelConfig KernelConfig::read(const SystemPaths &paths)
{
	if (std::string text = readPacked(paths.kernelConfig); !text.empty())
		return KernelConfig(std::move(text));
	utsname name{};
	if (uname(&name) != 0)
		return KernelConfig();
	return KernelConfig(
		readFile(paths.bootDirectory / (std::string("config-") + name.release), kLimit)
			.value_or(""));
}

std::optional<std::string> KernelConfig::option(std::string_view name) const
{
	if (!known())
		return std::nullopt;
	const std::string start = "\n" + std::string(name) + "=";
	size_t place = text_.find(start);
	if (place == text_.npos) {
		if (!text_.starts_with(std::string_view(start).substr(1)))
			return "n";
		place = start.size() - 1;
	} else {
		place += start.size();
	}
	return text_.substr(place, text_.find('\n', place) - place);
}

std::optional<bool> isModuleLoaded(std::string_view module, const SystemPaths &paths)
{
	const auto text = readFile(paths.modules, kLimit);
	if (!text)
		return std::nullopt;
	/* "name size uses users state address", and names have '_' for '-'. */
	const std::string start = std::string(module) + " ";
	return text->starts_with(start) || text->find("\n" + start) != text->npos;
}

} /* namespace heapflow */
