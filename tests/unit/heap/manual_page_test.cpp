/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual page and the program name the same commands and options. */
#include "run_command.h"

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

using heapflow::test::runCommand;

namespace
{

std::string heapctl(const std::string &arguments)
{
	const char *program = std::getenv("HEAPCTL");
	return runCommand(std::string(program ? program : "heapctl") + " " + arguments).output;
}

std::set<std::string> wordsOf(const std::string &text)
{
	std::istringstream stream(text);
	std::set<std::string> words;
	for (std::string word; stream >> word;)
		words.insert(word);
	return words;
}

/* The page as plain text: escapes of '-' undone, fonts and macros left out. */
std::string readManual()
{
	const char *named = std::getenv("HEAPCTL_MANUAL");
	std::ifstream file(named ? named : "docs/heapctl.1");
	EXPECT_TRUE(file) << "run in the project's directory, or set HEAPCTL_MANUAL";
	std::string text;
	for (std::string line; std::getline(file, line); text += "\n") {
		for (size_t i = 0; i < line.size(); i++) {
			if (line[i] != '\\')
				text += line[i];
			else if (line.compare(i, 2, "\\f") == 0)
				i += 2;
		}
	}
	return text;
}

/* The commands that have an entry: ".B list", ".BI explain". */
std::set<std::string> commandsOf(const std::string &manual)
{
	std::set<std::string> commands;
	const size_t from = manual.find("\n.SH COMMANDS");
	const size_t to = manual.find("\n.SH", from + 1);
	std::istringstream lines(manual.substr(from, to - from));
	bool entry = false;
	for (std::string line; std::getline(lines, line); entry = line == ".TP") {
		if (!entry)
			continue;
		std::istringstream words(line);
		std::string macro;
		std::string command;
		words >> macro >> command;
		commands.insert(command);
	}
	return commands;
}

} /* namespace */

TEST(ManualPage, HasTheCommandsOfTheProgramAndNoOthers)
{
	EXPECT_EQ(commandsOf(readManual()), wordsOf(heapctl("complete -- heapctl ''")));
}

TEST(ManualPage, NamesEveryOption)
{
	const std::string manual = readManual();
	for (const std::string &command : wordsOf(heapctl("complete -- heapctl ''"))) {
		const auto options = wordsOf(heapctl("complete -- heapctl " + command + " --"));
		EXPECT_TRUE(options.contains("--help")) << command;
		for (const std::string &option : options)
			EXPECT_NE(manual.find(option), std::string::npos)
				<< command << " " << option;
	}
}
