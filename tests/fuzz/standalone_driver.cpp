/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the place of libFuzzer where the compiler has none: the corpus, and a fixed number of inputs
 * made of it, the same ones in every run. Usage: TARGET COUNT CORPUS-FILE...
 */
#include "fuzz_target.h"

#include <fstream>
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

} /* namespace */

int main(int argc, char **argv)
{
	std::vector<std::string> corpus{""};
	for (int i = 2; i < argc; i++) {
		std::ifstream file(argv[i], std::ios::binary);
		std::ostringstream content;
		if (!(content << file.rdbuf())) {
			std::fprintf(stderr, "cannot read %s\n", argv[i]);
			return 1;
		}
		corpus.push_back(content.str());
	}
	const unsigned long count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
	if (count == 0) {
		std::fprintf(stderr, "usage: %s COUNT CORPUS-FILE...\n", argv[0]);
		return 1;
	}

	for (const std::string &input : corpus)
		run(input);
	Random random(20250101);
	for (unsigned long i = 0; i < count; i++)
		run(mutate(corpus, random));
	std::printf("%zu inputs of the corpus and %lu made of them kept every promise\n",
		    corpus.size(), count);
	return 0;
}
