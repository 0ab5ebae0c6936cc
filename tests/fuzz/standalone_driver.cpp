/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the place of libFuzzer where the compiler has none: the corpus, and inputs made of it, the
 * same ones for the same seed. Usage: TARGET COUNT CORPUS-DIRECTORY [SEED]
 *
 * COUNT is a number of inputs, or seconds of real time as "20s". An input that crashes or hangs is
 * named by its number, so that the same seed and that COUNT find it again.
 */
#include "fuzz_target.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace
{

using Random = std::mt19937_64;
using Clock = std::chrono::steady_clock;

constexpr uint64_t usualSeed = 20250101;
/* An input takes microseconds; so many seconds for a thousand of them are a hang. */
constexpr unsigned patience = 60;

struct Order {
	uint64_t count = 0;   /* 0: by time */
	uint64_t seconds = 0; /* real ones */
	std::filesystem::path corpus;
	uint64_t seed = usualSeed;
};

/* What runs at the moment, for the signal handler. */
uint64_t presentSeed, presentInput;

/* Only what a handler may call: no stdio. */
void tellWhere(int number)
{
	char text[128];
	char *end = text;
	const auto add = [&end](const char *words) {
		end = stpcpy(end, words);
	};
	const auto addNumber = [&end, &text](uint64_t value) {
		end = std::to_chars(end, text + sizeof(text), value).ptr;
	};
	add("signal ");
	addNumber(uint64_t(number));
	add(number == SIGALRM ? " (it hangs)" : "");
	add(" at input ");
	addNumber(presentInput);
	add(" of seed ");
	addNumber(presentSeed);
	add("\n");
	(void)!write(STDERR_FILENO, text, size_t(end - text));
	std::signal(number, SIG_DFL);
	std::raise(number);
}

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

bool readNumber(std::string_view text, uint64_t &number)
{
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	return error == std::errc() && end == text.data() + text.size();
}

std::optional<Order> readOrder(std::span<char *const> words)
{
	Order order;
	if (words.size() < 3 || words.size() > 4)
		return std::nullopt;
	std::string_view count = words[1];
	const bool timed = count.ends_with('s');
	if (timed)
		count.remove_suffix(1);
	uint64_t &number = timed ? order.seconds : order.count;
	if (!readNumber(count, number) || number == 0)
		return std::nullopt;
	order.corpus = words[2];
	if (words.size() == 4 && !readNumber(words[3], order.seed))
		return std::nullopt;
	return order;
}

/* \return how many inputs were made */
uint64_t runMutations(const Order &order, const std::vector<std::string> &corpus)
{
	Random random(order.seed);
	const auto end = Clock::now() + std::chrono::seconds(order.seconds);
	uint64_t made = 0;
	while (order.count == 0 || made < order.count) {
		if (made % 1000 == 0) {
			if (order.seconds && Clock::now() >= end)
				break;
			alarm(patience);
		}
		presentInput = ++made;
		run(mutate(corpus, random));
	}
	alarm(0);
	return made;
}

} /* namespace */

int main(int argc, char **argv)
{
	const auto order = readOrder({argv, size_t(argc)});
	if (!order) {
		std::fprintf(stderr, "usage: %s COUNT|SECONDSs CORPUS-DIRECTORY [SEED]\n", argv[0]);
		return 1;
	}
	const auto corpus = readCorpus(order->corpus);
	if (!corpus)
		return 1;

	presentSeed = order->seed;
	for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
		std::signal(number, tellWhere);
	for (const std::string &input : *corpus)
		run(input);
	const uint64_t made = runMutations(*order, *corpus);
	std::printf("%zu inputs of the corpus and %llu made of them kept every promise\n",
		    corpus->size(), static_cast<unsigned long long>(made));
	return 0;
}
