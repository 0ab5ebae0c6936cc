/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "completion/candidates.h"
#include "output.h"

#include <algorithm>

namespace heapflow::tool
{

namespace
{

/*
 * Names only: listHeaps() would read every region for each press of the key. What a shell could
 * take for more than a word is left out: the script puts candidates on the command line.
 */
std::vector<std::string> heapNames()
{
	constexpr std::string_view safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789,@+-._";
	std::vector<std::string> names;
	std::error_code error;
	std::filesystem::directory_iterator entry(SystemPaths{}.heapDirectory, error);
	for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
		const std::string name = entry->path().filename().string();
		if (name.find_first_not_of(safe) == std::string::npos)
			names.push_back(name);
	}
	return names;
}

} /* namespace */

void addCompleteCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("complete", "Print what the TAB key may put in");
	/* For the script in tools/completion, not for people. */
	command->group("");
	const auto words = std::make_shared<std::vector<std::string>>();
	command->add_option("WORDS", *words, "After --: the command line as far as the cursor");
	command->callback([&app, &run, words] {
		run = [&app, words] {
			std::string text;
			for (const std::string &candidate : candidates(app, *words, heapNames()))
				text += candidate + "\n";
			return print(text);
		};
	});
}

} /* namespace heapflow::tool */
