/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_access.h"
#include "heap_lint_parts.h"
#include "heapflow/heap/known_heap_names.h"

#include <algorithm>

namespace heapflow
{

namespace
{

constexpr size_t kLongestName = 63; /* CMA_MAX_NAME without its NUL, include/linux/cma.h */

/* Findings about the text of one name, each with the same name to take instead. */
class NameJudge
{
public:
	NameJudge(const LintSubject &subject, LintFindings &findings)
		: subject_(subject),
		  name_(parseHeapName(subject.name)),
		  known_(knownHeapName(subject.name)),
		  words_(nameWords(headOf(subject.name))),
		  findings_(findings)
	{
	}

	void judge()
	{
		if (isKernelsOwn() || !subject_.linkTarget.empty())
			return;
		form();
		if (!isSystemHeapName(subject_.name))
			description();
		implementation();
		stability();
		properties();
		unitAddress();
		origin();
	}

private:
	/* The words before the '@': an address can look like one, as `@dma` does. */
	static std::string_view headOf(std::string_view name)
	{
		return name.substr(0, name.find('@'));
	}

	/* A heap that the kernel makes under a name of the convention; a node must not take it. */
	bool isKernelsOwn() const
	{
		return known_ && known_->origin == NameOrigin::Kernel && !subject_.node;
	}

	void add(std::string_view rule, LintSeverity severity, std::string message)
	{
		/* The name is wrong where it stands, but not by this integrator's choice. */
		if (subject_.givenByKernel && severity == LintSeverity::Error) {
			severity = LintSeverity::Warning;
			message += known_ ? "; " + std::string(known_->maker) + " gives this name"
					  : "; this kernel gives the name";
		}
		findings_.push_back({rule, severity, subject_.name, std::move(message),
				     severity == LintSeverity::Note ? "" : suggestion()});
	}

	/* A kernel's name is not the integrator's to change. */
	const std::string &suggestion()
	{
		if (suggestion_.empty() && !subject_.givenByKernel)
			suggestion_ = suggestHeapName(subject_);
		return suggestion_;
	}

	std::string wordsThat(bool (*test)(std::string_view)) const
	{
		std::string found;
		for (const std::string &word : words_) {
			if (test(word))
				found += (found.empty() ? "'" : ", '") + printable(word) + "'";
		}
		return found;
	}

	void form()
	{
		if (subject_.name.size() > kLongestName)
			add("name-length", LintSeverity::Error,
			    "the name has " + std::to_string(subject_.name.size()) +
				    " bytes; the heap is called by the first 63 of them");
		if (!hasNodeCharacters(subject_.name))
			add("name-characters", LintSeverity::Error,
			    "the name is empty, has a character that no node name has, or does not "
			    "begin with a letter");
	}

	void description()
	{
		if (name_.unitAddress)
			return;
		const bool said = std::ranges::any_of(words_, [](const std::string &word) {
			return !isEmptyWord(word) && !isImplementationWord(word) &&
			       !isPassingWord(word) && properPropertyWord(word).empty() &&
			       word != "contiguous" && word != "protected";
		});
		if (!said)
			add("describes-region", LintSeverity::Error,
			    "nothing in the name tells this region from another: neither a usage "
			    "nor "
			    "an address");
	}

	void implementation()
	{
		const std::string found = wordsThat(isImplementationWord);
		if (!found.empty())
			add("no-implementation", LintSeverity::Error,
			    found + " says how the kernel allocates, not what the memory is");
	}

	void stability()
	{
		const std::string found = wordsThat(isPassingWord);
		if (!found.empty())
			add("stable", LintSeverity::Error, found + " will not be true for long");
		/* A node called reserved is one for ever; the kernel's is called so by accident. */
		if (known_ && known_->origin == NameOrigin::Old)
			add("stable", LintSeverity::Error,
			    "before Linux 6.17 this was a name of the default CMA region on some "
			    "platforms, and another one on others");
	}

	void properties()
	{
		for (const std::string &word : words_) {
			const std::string_view proper = properPropertyWord(word);
			if (!proper.empty() && !(known_ && known_->isProtected))
				add("property-word", LintSeverity::Warning,
				    "'" + printable(word) + "' is written '" + std::string(proper) +
					    "' in heap names");
		}
		if (isSystemHeapName(subject_.name))
			return;
		const bool saysProperty = name_.contiguous || name_.isProtected || name_.ccShared;
		if (saysUsage())
			return;
		/* Without an address, describes-region has said it all. */
		if (saysProperty && name_.unitAddress)
			add("says-usage", LintSeverity::Note,
			    "the name does not say what the region is for");
		else if (!saysProperty)
			add("says-property", LintSeverity::Warning,
			    "the name says neither what the buffers are, as 'contiguous', nor what "
			    "they are for, as 'video'");
	}

	bool saysUsage() const
	{
		return std::ranges::any_of(words_, [](const std::string &word) {
			return !isEmptyWord(word) && !isImplementationWord(word) &&
			       !isPassingWord(word) && word != "contiguous" &&
			       word != "protected" && properPropertyWord(word).empty();
		});
	}

	void unitAddress()
	{
		const size_t at = subject_.name.find('@');
		if (at == std::string::npos)
			return;
		const std::string_view tail = std::string_view(subject_.name).substr(at + 1);
		if (!name_.unitAddress) {
			add("unit-address", LintSeverity::Error,
			    "what follows the '@' is no hexadecimal address: '" + printable(tail) +
				    "'");
			return;
		}
		const std::string expected = hexText(*name_.unitAddress).substr(2);
		if (tail.substr(0, tail.find_first_of(",-")) != expected)
			add("unit-address", LintSeverity::Warning,
			    "the address is written '" + expected + "', not '" + printable(tail) +
				    "'");
	}

	void origin()
	{
		if (known_ && known_->origin == NameOrigin::Vendor)
			add("known-name", LintSeverity::Note,
			    "the name is of " + std::string(known_->maker) + ": " +
				    std::string(known_->meaning));
	}

	const LintSubject &subject_;
	HeapName name_;
	const KnownHeapName *known_;
	std::vector<std::string> words_;
	LintFindings &findings_;
	std::string suggestion_;
};

} /* namespace */

void lintName(const LintSubject &subject, LintFindings &findings)
{
	NameJudge(subject, findings).judge();
}

void lintTruth(const LintSubject &subject, LintFindings &findings)
{
	if (!subject.linkTarget.empty())
		return;
	const HeapName name = parseHeapName(subject.name);
	auto add = [&](std::string_view rule, std::string message) {
		findings.push_back({rule, LintSeverity::Error, subject.name, std::move(message),
				    suggestHeapName(subject)});
	};

	const bool isPool = subject.node && subject.node->becomesHeap();
	if (isPool && name.isProtected)
		add("true-property", "the name says 'protected', but the CPU reads and writes a "
				     "reusable region as any other memory");
	if (isPool && name.cached == false)
		add("true-property",
		    "the name says 'uncached', but buffers of a reusable region are cached");
	if (isPool && name.ccShared)
		add("true-property", "the name says 'cc_shared', but a reusable region is not");
	if (isSystemHeapName(subject.name) && name.contiguous)
		add("true-property",
		    "the name says 'contiguous', but the system heap gives scattered pages");

	const auto base = subject.node ? subject.node->base() : subject.base;
	if (base && name.unitAddress && *name.unitAddress != *base)
		add("unit-address", "the name says " + hexText(*name.unitAddress) +
					    ", but the region begins at " + hexText(*base));
	if (!subject.node)
		return;
	if (name.unitAddress && !subject.node->hasReg)
		add("unit-address", "the name says " + hexText(*name.unitAddress) +
					    ", but without `reg` the kernel chooses the address");
	if (base && !subject.name.contains('@'))
		findings.push_back({"unit-address", LintSeverity::Warning, subject.name,
				    "the region begins at " + hexText(*base) +
					    " by `reg`, and the name does not say it",
				    suggestHeapName(subject)});
}

} /* namespace heapflow */
