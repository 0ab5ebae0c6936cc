/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"
#include "device_tree_blob.h"
#include "device_tree_source.h"
#include "output.h"
#include "run_program.h"
#include "table.h"

#include "heapflow/heap/heap_lint.h"
#include "heapflow/heap/known_heap_names.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kLintExamples =
	"Without INPUT: the heaps and the device tree of the running system.\n"
	"INPUT is a device-tree source (.dts, .dtsi, .dtso), a blob (known by its first bytes), a\n"
	"directory as /proc/device-tree, '-' for a source or blob on standard input, or heap "
	"names.\n\n"
	"Examples:\n"
	"  heapctl lint\n"
	"  heapctl lint board.dtb\n"
	"  heapctl lint --include linux/include board.dts\n"
	"  heapctl lint cma-video video@42000000\n"
	"  heapctl lint --rules                   every rule, and where it comes from\n\n"
	"Status: 0 no error was found, 1 an error (with --strict: or a warning),\n"
	"2 used wrongly, or the input cannot be read.";

struct LintOptions {
	bool json = false;
	bool strict = false;
	bool rules = false;
	std::vector<std::string> inputs;
	std::string source;
	std::string blob;
	std::vector<std::string> include;
	SystemPaths paths;
};

/* What was judged, and what it is called in the output. */
struct Judged {
	std::string origin;
	LintInput input;
};

Result<Judged> readTree(std::string_view bytes, const std::string &file,
			const std::vector<std::string> &include)
{
	std::string compiled;
	if (!isDeviceTreeBlob(bytes)) {
		auto blob = compileDeviceTree(bytes, {file, include});
		if (!blob)
			return std::unexpected(blob.error());
		compiled = std::move(*blob);
		bytes = compiled;
	}
	const auto root = readDeviceTreeBlob(bytes);
	if (!root)
		return std::unexpected(root.error());
	return Judged{file == "-" ? "standard input" : file, lintInput(readReservedMemory(*root))};
}

bool hasSourceSuffix(const std::string &file)
{
	static constexpr auto suffixes =
		std::to_array<std::string_view>({".dts", ".dtsi", ".dtso", ".dtb", ".dtbo"});
	return std::ranges::any_of(suffixes,
				   [&](std::string_view suffix) { return file.ends_with(suffix); });
}

/* A heap's name has no '/', and is seldom that of a file. */
bool isTree(const std::string &input)
{
	if (input == "-" || input.contains('/') || hasSourceSuffix(input))
		return true;
	std::error_code ignored;
	if (std::filesystem::is_directory(input, ignored))
		return true;
	if (!std::filesystem::is_regular_file(input, ignored))
		return false;
	const auto content = readWholeFile(input);
	return content && isDeviceTreeBlob(*content);
}

Result<Judged> readFileOrDirectory(const std::string &input,
				   const std::vector<std::string> &include)
{
	std::error_code ignored;
	if (std::filesystem::is_directory(input, ignored)) {
		const ReservedMemory tree = readReservedMemory(readDeviceTreeDirectory(input));
		if (!tree.present)
			return fail(ENOENT, input + " is no device tree: it has no reserved-memory",
				    "Give a directory as /proc/device-tree");
		return Judged{input, lintInput(tree)};
	}
	const auto content = readWholeFile(input);
	if (!content)
		return std::unexpected(content.error());
	return readTree(*content, input, include);
}

Result<Judged> readSystem(const SystemPaths &paths)
{
	const auto heaps = listHeaps(paths);
	const ReservedMemory tree = readReservedMemory(readDeviceTreeDirectory(paths.deviceTree));
	if (!heaps && !tree.present)
		return std::unexpected(heaps.error());

	const auto commandLine = readWholeFile((paths.processes / "cmdline").string());
	/* Without heaps every node would be said to be missing: that is another illness. */
	if (!heaps) {
		LintInput input = lintInput(tree);
		input.commandLine = commandLine.value_or(tree.bootArguments);
		return Judged{paths.deviceTree.string(), std::move(input)};
	}
	LintInput input = lintInput(*heaps, tree, commandLine.value_or(tree.bootArguments));
	return Judged{"this system", std::move(input)};
}

Result<Judged> readInput(const LintOptions &options)
{
	if (!options.source.empty() || !options.blob.empty()) {
		const std::string &file = options.source.empty() ? options.blob : options.source;
		const auto content = readWholeFile(file);
		if (!content)
			return std::unexpected(content.error());
		if (!options.blob.empty() && !isDeviceTreeBlob(*content))
			return fail(EINVAL,
				    file + " is no device-tree blob: it does not begin with d0 0d "
					   "fe ed",
				    "For source there is --dts");
		return readTree(*content, file, options.include);
	}
	if (options.inputs.empty())
		return readSystem(options.paths);
	const auto tree = std::ranges::find_if(options.inputs, isTree);
	if (tree == options.inputs.end())
		return Judged{"names", lintInput(options.inputs)};
	if (options.inputs.size() > 1)
		return fail(EINVAL, *tree + " is a device tree, and there are further arguments",
			    "Give one tree, or names");
	return readFileOrDirectory(*tree, options.include);
}

size_t countOf(const std::vector<LintFinding> &findings, LintSeverity severity)
{
	return static_cast<size_t>(std::ranges::count(findings, severity, &LintFinding::severity));
}

int printFindings(const Judged &judged, const std::vector<LintFinding> &findings)
{
	std::string text;
	for (const LintFinding &finding : findings) {
		const LintRule *rule = lintRule(finding.rule);
		text += safeText(finding.name) + ": " +
			std::string(severityName(finding.severity)) + ": " +
			safeText(finding.message) + " [" + std::string(finding.rule) + "]\n";
		if (finding.severity != LintSeverity::Note)
			text += "    rule: " + std::string(rule->text) +
				"\n    from: " + std::string(rule->citation) + "\n";
		if (!finding.suggestion.empty())
			text += "    take: " + safeText(finding.suggestion) + "\n";
	}
	auto number = [&](LintSeverity severity) {
		const size_t count = countOf(findings, severity);
		return std::to_string(count) + " " + std::string(severityName(severity)) +
		       (count == 1 ? "" : "s");
	};
	const size_t subjects = judged.input.subjects.size();
	text += safeText(judged.origin) + ": " + std::to_string(subjects) +
		(subjects == 1 ? " name, " : " names, ") + number(LintSeverity::Error) + ", " +
		number(LintSeverity::Warning) + ", " + number(LintSeverity::Note) + "\n";
	return print(text);
}

Json subjectJson(const LintSubject &subject)
{
	const HeapName name = parseHeapName(subject.name);
	const KnownHeapName *known = knownHeapName(subject.name);
	const auto &node = subject.node;
	return {{"name", subject.name},
		{"usage", name.usage},
		{"unit_address", orNull(name.unitAddress)},
		{"contiguous", name.contiguous},
		{"protected", name.isProtected},
		{"known_as", known ? Json(known->meaning) : Json(nullptr)},
		{"in_device_tree", node.has_value()},
		{"becomes_heap", node ? Json(node->becomesHeap()) : Json(nullptr)},
		{"is_heap", orNull(subject.exists)},
		{"base", node ? orNull(node->base()) : orNull(subject.base)},
		{"size", node ? orNull(node->bytes()) : Json(nullptr)}};
}

int printFindingsJson(const Judged &judged, const std::vector<LintFinding> &findings)
{
	Json names = Json::array();
	for (const LintSubject &subject : judged.input.subjects)
		names.push_back(subjectJson(subject));
	Json list = Json::array();
	for (const LintFinding &finding : findings) {
		const LintRule *rule = lintRule(finding.rule);
		list.push_back(
			{{"name", finding.name},
			 {"severity", severityName(finding.severity)},
			 {"rule", finding.rule},
			 {"message", finding.message},
			 {"text", rule->text},
			 {"citation", rule->citation},
			 {"suggestion",
			  finding.suggestion.empty() ? Json(nullptr) : Json(finding.suggestion)}});
	}
	return printJson({{"origin", judged.origin},
			  {"names", std::move(names)},
			  {"findings", std::move(list)},
			  {"errors", countOf(findings, LintSeverity::Error)},
			  {"warnings", countOf(findings, LintSeverity::Warning)},
			  {"notes", countOf(findings, LintSeverity::Note)}});
}

int printRules(bool json)
{
	Json list = Json::array();
	std::string text;
	for (const LintRule &rule : lintRules()) {
		list.push_back(
			{{"rule", rule.id}, {"text", rule.text}, {"citation", rule.citation}});
		text += std::string(rule.id) + "\n    " + std::string(rule.text) +
			"\n    from: " + std::string(rule.citation) + "\n";
	}
	return json ? printJson(list) : print(text);
}

int lintCommand(const LintOptions &options)
{
	if (options.rules)
		return printRules(options.json);
	const auto judged = readInput(options);
	if (!judged)
		return report(judged.error(), kUsage);

	const auto findings = lint(judged->input);
	const int printed = options.json ? printFindingsJson(*judged, findings)
					 : printFindings(*judged, findings);
	if (printed != kSuccess)
		return printed;
	const bool violated = countOf(findings, LintSeverity::Error) > 0 ||
			      (options.strict && countOf(findings, LintSeverity::Warning) > 0);
	return violated ? kFailure : kSuccess;
}

} /* namespace */

void addLintCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand(
		"lint", "Judge heap names and reserved memory by the kernel's rules");
	const auto options = std::make_shared<LintOptions>();
	command->footer(kLintExamples);
	auto *inputs = command->add_option("INPUT", options->inputs,
					   "A device tree, or heap names; none: this system");
	auto *source = command->add_option("--dts", options->source, "Device-tree source")
			       ->type_name("FILE")
			       ->excludes(inputs);
	command->add_option("--dtb", options->blob, "Device-tree blob")
		->type_name("FILE")
		->excludes(inputs)
		->excludes(source);
	command->add_option("--include,-I", options->include,
			    "Where included files are looked for; may be repeated")
		->type_name("DIR")
		->allow_extra_args(false);
	command->add_flag("--strict", options->strict, "Warnings count as errors");
	command->add_flag("--rules", options->rules, "Print the rules instead");
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return lintCommand(*options);
		};
	});
}

} /* namespace heapflow::tool */
