/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes can be given to `heapctl lint` as a blob; what is read of them is judged as well. */
#include "fuzz_target.h"

#include "device_tree_blob.h"

#include "heapflow/heap/heap_lint.h"

#include <set>

using namespace heapflow;
using heapflow::test::promise;

namespace
{

/* The same node under the suggested name: what is said of the name must be gone. */
void keepSuggestion(const LintSubject &subject)
{
	static const std::set<std::string_view> rules{
		"stable",        "describes-region", "no-implementation", "says-property",
		"true-property", "property-word",    "name-characters",   "name-length",
	};
	LintSubject renamed = subject;
	renamed.name = suggestHeapName(subject);
	if (renamed.node)
		renamed.node->name = renamed.name;
	promise(isPlausibleHeapName(renamed.name), "a suggestion can be a heap's name");
	for (const LintFinding &finding : lint({.subjects = {renamed}})) {
		const bool ofName = rules.contains(finding.rule);
		promise(!ofName || finding.severity == LintSeverity::Note,
			"a suggestion keeps every rule of names");
		promise(finding.rule != "unit-address", "a suggestion tells the true address");
	}
}

void judge(const LintInput &input)
{
	for (const LintFinding &finding : lint(input)) {
		promise(lintRule(finding.rule) != nullptr, "each finding has its rule");
		promise(!finding.message.empty(), "each finding has a message");
	}
	for (const LintSubject &subject : input.subjects)
		keepSuggestion(subject);
}

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view bytes = heapflow::test::asText(data, size);
	if (const auto root = tool::readDeviceTreeBlob(bytes)) {
		promise(tool::isDeviceTreeBlob(bytes), "what can be read has the magic");
		const ReservedMemory tree = readReservedMemory(*root);
		judge(lintInput(tree));
	} else {
		promise(!root.error().message.empty(), "a refusal says why");
	}

	/* The first bytes as names, one a line; few, for each is judged twice. */
	std::vector<std::string> names;
	for (std::string_view rest = bytes.substr(0, 96); !rest.empty();) {
		const size_t end = std::min(rest.find('\n'), rest.size());
		names.emplace_back(rest.substr(0, end));
		rest.remove_prefix(std::min(end + 1, rest.size()));
	}
	judge(lintInput(names));
	return 0;
}
