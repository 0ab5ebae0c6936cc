/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the place of libFuzzer where the compiler has none: the corpus, and a fixed number of inputs
 * made of it, the same ones in every run. Usage: TARGET COUNT CORPUS-DIRECTORY
 */
#include "fuzz_target.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace
{

using Random = std::mt19937_64;

/* Not std::uniform_int_distribution: what it gives differs between standard libraries. */
size_t below(Random &random, size_t limit)
{
	return limit ? random() % limit : 0;
}

/* A byte that means something to the parsers, or any byte. */
char interestingByte(Random &random)
{
	static constexpr std::string_view special = "*?[]!-:=@,_./ \n\t\x7f\xff"
						    "09azAF";
	return below(random, 3) ? special[below(random, special.size())]
				: static_cast<char>(random());
}

std::string mutate(const std::vector<std::string> &corpus, Random &random)
{
	std::string input = corpus[below(random, corpus.size())];
	for (size_t left = 1 + below(random, 8); left > 0; left--) {
		const size_t at = below(random, input.size() + 1);
		switch (below(random, 5)) {
		case 0:
			input.insert(at, 1, interestingByte(random));
			break;
		case 1:
			if (at < input.size())
				input[at] = interestingByte(random);
			break;
		case 2:
			input.erase(at, 1 + below(random, 4));
			break;
		case 3:
			input += input.substr(at);
			break;
		default: {
			const std::string &other = corpus[below(random, corpus.size())];
			input = input.substr(0, at) + other.substr(below(random, other.size()));
			break;
		}
		}
	}
	return input.substr(0, 8192);
}

void run(const std::string &input)
{
	LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
}

/* Every file of the corpus, sorted: a directory's own order differs between machines. */
std::optional<std::vector<std::string>> readCorpus(const std::filesystem::path &directory)
{
	std::error_code error;
	std::vector<std::filesystem::path> files;
	std::filesystem::directory_iterator entry(directory, error);
	for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
		files.push_back(entry->path());
	if (error || files.empty()) {
		std::fprintf(stderr, "there is no corpus in %s\n", directory.c_str());
		return std::nullopt;
	}
	std::ranges::sort(files);

	std::vector<std::string> corpus{""};
	for (const std::filesystem::path &name : files) {
		std::ifstream file(name, std::ios::binary);
		std::ostringstream content;
		content << file.rdbuf();
		/* Of an empty file nothing is read, which the stream takes for a failure. */
		if (!file.is_open() || (!content && std::filesystem::file_size(name, error) != 0)) {
			std::fprintf(stderr, "cannot read %s\n", name.c_str());
			return std::nullopt;
		}
		corpus.push_back(content.str());
	}
	return corpus;
}

} /* namespace */

int main(int argc, char **argv)
{
	const unsigned long count = argc == 3 ? std::strtoul(argv[1], nullptr, 10) : 0;
	if (count == 0) {
		std::fprintf(stderr, "usage: %s COUNT CORPUS-DIRECTORY\n", argv[0]);
		return 1;
	}
	const auto corpus = readCorpus(argv[2]);
	if (!corpus)
		return 1;

	for (const std::string &input : *corpus)
		run(input);
	Random random(20250101);
	for (unsigned long i = 0; i < count; i++)
		run(mutate(*corpus, random));
	std::printf("%zu inputs of the corpus and %lu made of them kept every promise\n",
		    corpus->size(), count);
	return 0;
}
