/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that heap names are made of, and what each gives away. */
#include "heap_lint_parts.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace heapflow
{

namespace
{

/*
 * Not ASCII functions of <cctype>: these depend on the locale, and the kernel's names do not.
 */
bool isLetter(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

bool isDigit(char character)
{
	return character >= '0' && character <= '9';
}

char toSmall(char character)
{
	return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
						    : character;
}

/* cma0 is cma: a number tells two apart and means nothing else. */
std::string_view withoutNumber(std::string_view word)
{
	while (!word.empty() && isDigit(word.back()))
		word.remove_suffix(1);
	return word;
}

template<size_t Count>
bool contains(const std::array<std::string_view, Count> &list, std::string_view word)
{
	return std::ranges::find(list, word) != list.end();
}

} /* namespace */

std::vector<std::string> nameWords(std::string_view text)
{
	std::vector<std::string> words;
	while (!text.empty()) {
		const size_t end = std::min(text.find_first_of(",-_.@+"), text.size());
		std::string word;
		for (const char character : text.substr(0, end))
			word += toSmall(character);
		if (!word.empty())
			words.push_back(std::move(word));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return words;
}

bool isImplementationWord(std::string_view word)
{
	static constexpr auto words = std::to_array<std::string_view>({
		"alloc",  "allocator", "buddy",   "carveout", "cma",     "cmaheap", "dma",
		"dmabuf", "dmaheap",   "genpool", "heap",     "heaps",   "ion",     "kmalloc",
		"linux",  "memblock",  "optee",   "slab",     "swiotlb", "udmabuf", "vmalloc",
	});
	return contains(words, withoutNumber(word));
}

bool isEmptyWord(std::string_view word)
{
	static constexpr auto words = std::to_array<std::string_view>({
		"area",    "areas",   "buf",      "buffer",   "buffers", "chunk", "data", "default",
		"mem",     "memory",  "misc",     "node",     "pool",    "pools", "ram",  "region",
		"regions", "reserve", "reserved", "reusable", "shared",  "space", "the",
	});
	return withoutNumber(word).empty() || contains(words, withoutNumber(word));
}

bool isPassingWord(std::string_view word)
{
	static constexpr auto words = std::to_array<std::string_view>({
		"debug",
		"latest",
		"new",
		"old",
		"temp",
		"temporary",
		"test",
		"testing",
		"tmp",
		"wip",
	});
	return contains(words, withoutNumber(word));
}

std::string_view properPropertyWord(std::string_view word)
{
	static constexpr auto words = std::to_array<std::pair<std::string_view, std::string_view>>({
		{"contig", "contiguous"},
		{"continuous", "contiguous"},
		{"contigous", "contiguous"},
		{"contiguos", "contiguous"},
		{"encrypted", "protected"},
		{"protect", "protected"},
		{"secure", "protected"},
	});
	const auto found = std::ranges::find(words, withoutNumber(word),
					     &std::pair<std::string_view, std::string_view>::first);
	return found == words.end() ? std::string_view() : found->second;
}

bool hasNodeCharacters(std::string_view name)
{
	if (name.empty() || !isLetter(name.front()) || name.find('@') != name.rfind('@'))
		return false;
	return std::ranges::all_of(name, [](char character) {
		return isLetter(character) || isDigit(character) ||
		       std::string_view(",._+-@").contains(character);
	});
}

std::string hexText(uint64_t number)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return text;
}

} /* namespace heapflow */
