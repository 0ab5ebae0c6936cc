/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_lint_parts.h"

namespace heapflow
{

namespace
{

constexpr size_t kLongestUsage = 24; /* leaves room for an address and a property */

/* Words of the old name that say something; without the properties, which are put back where true.
 */
std::string usageOf(std::string_view text)
{
	std::string usage;
	for (const std::string &word : nameWords(text.substr(0, text.find('@')))) {
		const bool says = !isImplementationWord(word) && !isEmptyWord(word) &&
				  !isPassingWord(word) && properPropertyWord(word).empty() &&
				  word != "contiguous" && word != "protected" &&
				  word != "uncached" && word != "cached" && word != "system" &&
				  word != "shared" && word != "cc" && word != "rk" &&
				  word != "qcom" && hasNodeCharacters(word);
		if (!says || usage.size() + word.size() > kLongestUsage)
			continue;
		usage += (usage.empty() ? "" : "-") + word;
	}
	return usage;
}

/* By evidence where there is any, else by the old name. */
std::optional<uint64_t> addressOf(const LintSubject &subject)
{
	if (subject.node)
		return subject.node->base();
	return subject.base ? subject.base : parseHeapName(subject.name).unitAddress;
}

} /* namespace */

std::string suggestHeapName(const LintSubject &subject)
{
	const HeapName old = parseHeapName(subject.name);
	const bool isPool = subject.contiguous || (subject.node && subject.node->becomesHeap());
	const bool isProtected = old.isProtected && !isPool;
	const std::string usage = usageOf(subject.name);
	const auto address = addressOf(subject);

	/* `memory` needs an address: alone it describes nothing. */
	std::string name = !usage.empty() ? usage : address ? "memory" : "video";
	if (address)
		name += "@" + hexText(*address).substr(2);
	if (isProtected)
		name += "-protected";
	else if (usage.empty() || old.contiguous)
		name += "-contiguous";
	return name;
}

} /* namespace heapflow */
