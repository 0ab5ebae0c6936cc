/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_tree_source.h"

#include "run_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace heapflow::tool
{

namespace
{

/* "include" of "  # include <a.h>"; empty for a line that is no directive. */
std::string_view directiveOf(std::string_view line)
{
	constexpr std::string_view blanks = " \t";
	line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
	if (!line.starts_with('#'))
		return {};
	line.remove_prefix(1);
	line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
	return line.substr(0, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz"));
}

std::vector<std::string> directoriesOf(const SourceOrigin &origin)
{
	std::vector<std::string> directories = origin.include;
	const std::string own = std::filesystem::path(origin.file).parent_path().string();
	directories.push_back(own.empty() ? "." : own);
	return directories;
}

/* What the program complained of; the whole of it, for only that helps. */
Error failure(const std::string &program, const SourceOrigin &origin, const ProgramOutput &result)
{
	std::string said;
	for (const char character : result.errors)
		said += character == '\n' ? std::string("; ") : std::string(1, character);
	while (said.ends_with("; "))
		said.resize(said.size() - 2);
	return {EINVAL,
		program + " cannot read " + (origin.file == "-" ? "standard input" : origin.file) +
			" (status " + std::to_string(result.status) + "): " + said,
		program == "dtc" ? "Compile the file as your board does, and give the .dtb"
				 : "Say where included files are: --include DIR, as include/ of a "
				   "kernel"};
}

Result<std::string> preprocess(std::string_view source, const SourceOrigin &origin)
{
	/* As the kernel's build does: scripts/Makefile.dtbs. */
	std::vector<std::string> options{"-E", "-nostdinc",         "-undef", "-D__DTS__", "-P",
					 "-x", "assembler-with-cpp"};
	for (const std::string &directory : directoriesOf(origin)) {
		options.push_back("-I");
		options.push_back(directory);
	}
	options.push_back("-");

	for (const char *program : {"cpp", "gcc", "clang", "cc"}) {
		std::vector<std::string> arguments{program};
		arguments.insert(arguments.end(), options.begin(), options.end());
		auto result = runProgram(arguments, source);
		if (!result && result.error().code == ENOENT)
			continue;
		if (!result)
			return std::unexpected(result.error());
		if (result->status != 0)
			return std::unexpected(failure(program, origin, *result));
		return std::move(result->output);
	}
	return fail(ENOENT,
		    "the source has lines for the C preprocessor, and there is none on PATH",
		    "Install cpp (Debian: apt install cpp), or give the compiled .dtb");
}

} /* namespace */

bool needsPreprocessor(std::string_view source)
{
	/* Not any '#': properties begin so, as #address-cells. */
	static constexpr auto directives =
		std::to_array<std::string_view>({"define", "elif", "else", "endif", "error", "if",
						 "ifdef", "ifndef", "include", "undef"});
	while (!source.empty()) {
		const size_t end = std::min(source.find('\n'), source.size());
		if (std::ranges::contains(directives, directiveOf(source.substr(0, end))))
			return true;
		source.remove_prefix(std::min(end + 1, source.size()));
	}
	return false;
}

Result<std::string> compileDeviceTree(std::string_view source, const SourceOrigin &origin)
{
	std::string preprocessed;
	if (needsPreprocessor(source)) {
		auto result = preprocess(source, origin);
		if (!result)
			return result;
		preprocessed = std::move(*result);
		source = preprocessed;
	}

	/*
	 * A part that a board includes, as `heapctl dt` prints it, leaves the version to the file
	 * that includes it. The line marker keeps dtc's line numbers true.
	 */
	std::string versioned;
	if (source.find("/dts-v1/") == std::string_view::npos) {
		versioned = "/dts-v1/;\n# 1 \"<stdin>\"\n" + std::string(source);
		source = versioned;
	}

	/* -q: its warnings are not what was asked for. */
	std::vector<std::string> arguments{"dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "-"};
	for (const std::string &directory : directoriesOf(origin)) {
		arguments.push_back("-i");
		arguments.push_back(directory);
	}
	arguments.push_back("-");
	auto result = runProgram(arguments, source);
	if (!result && result.error().code == ENOENT)
		return fail(ENOENT, "there is no dtc on PATH to compile device-tree source",
			    "Install it (Debian: apt install device-tree-compiler), or give the "
			    "compiled .dtb");
	if (!result)
		return std::unexpected(result.error());
	if (result->status != 0)
		return std::unexpected(failure("dtc", origin, *result));
	return std::move(result->output);
}

} /* namespace heapflow::tool */
