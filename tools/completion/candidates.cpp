/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "candidates.h"

#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/heap_expression.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace heapflow::tool
{

namespace
{

/* docs/heap-expressions.md */
constexpr const char *kWords[] = {"auto", "default"};
constexpr HeapProperty kProperties[] = {HeapProperty::Contiguous, HeapProperty::Protected,
					HeapProperty::Cached, HeapProperty::CcShared,
					HeapProperty::Dedicated};

std::vector<std::string> conditions()
{
	std::vector<std::string> all{"below=", "min-free=", "usage="};
	for (const HeapProperty property : kProperties) {
		all.push_back("is=" + std::string(propertyName(property)));
		all.push_back("not=" + std::string(propertyName(property)));
	}
	return all;
}

/* Where the walk over the words has come to. */
struct Place {
	const CLI::App *command = nullptr;
	const CLI::Option *waiting = nullptr; /**< an option whose value comes next */
	size_t positionals = 0;
	bool onlyPositionals = false; /**< after "--" */
	std::set<std::string> used;   /**< options, as written */
};

bool takesValue(const CLI::Option &option)
{
	return option.get_items_expected_max() > 0;
}

bool isHidden(const std::string &group)
{
	return group.empty();
}

const CLI::Option *findOption(const CLI::App &command, const std::string &word)
{
	return command.get_option_no_throw(word);
}

const CLI::App *findCommand(const CLI::App &command, const std::string &name)
{
	for (const CLI::App *one : command.get_subcommands([](const CLI::App *) { return true; })) {
		if (one->get_name() == name)
			return one;
	}
	return nullptr;
}

void step(Place &place, const std::string &word)
{
	if (place.waiting) {
		place.waiting = nullptr;
	} else if (place.onlyPositionals || !word.starts_with('-') || word == "-") {
		const CLI::App *command = findCommand(*place.command, word);
		if (command && !place.onlyPositionals)
			place = Place{command, nullptr, 0, false, {}};
		else
			place.positionals++;
	} else if (word == "--") {
		place.onlyPositionals = true;
	} else {
		const size_t equals = word.find('=');
		const std::string name = word.substr(0, equals);
		place.used.insert(name);
		const CLI::Option *option = findOption(*place.command, name);
		if (option && takesValue(*option) && equals == std::string::npos)
			place.waiting = option;
	}
}

class Collector
{
public:
	explicit Collector(const std::string &begun) : begun_(begun) {}

	void offer(const std::string &candidate)
	{
		if (candidate.starts_with(begun_))
			found_.insert(candidate);
	}
	/* What the shell completes is not compared with what was begun. */
	void leaveToShell(const char *kind) { found_.insert(kind); }

	std::vector<std::string> take() { return {found_.begin(), found_.end()}; }

private:
	std::string begun_;
	std::set<std::string> found_;
};

/* The names of an option's fixed choices: CLI::IsMember shows itself as "{one,two}". */
std::vector<std::string> choicesIn(const std::string &type)
{
	std::vector<std::string> choices;
	const size_t open = type.find('{');
	const size_t close = type.find('}', open);
	if (open == std::string::npos || close == std::string::npos)
		return choices;
	std::istringstream list(type.substr(open + 1, close - open - 1));
	for (std::string one; std::getline(list, one, ',');)
		choices.push_back(one);
	return choices;
}

/*
 * The last alternative of an expression, or the last condition of one. A ',' also stands in names
 * ("linux,cma"): it separates conditions only where the alternative has a '='.
 */
void offerExpression(Collector &collector, const std::string &begun, const std::string &before,
		     const std::vector<std::string> &heaps)
{
	const size_t colon = begun.rfind(':');
	const size_t from = colon == std::string::npos ? 0 : colon + 1;
	std::string kept = before + begun.substr(0, from);
	const std::string alternative = begun.substr(from);
	const size_t comma = alternative.rfind(',');
	const bool hasConditions = alternative.substr(0, comma).find('=') != std::string::npos;

	if (hasConditions && comma != std::string::npos) {
		kept += alternative.substr(0, comma + 1);
	} else {
		for (const std::string &heap : heaps)
			collector.offer(kept + heap);
		for (const char *word : kWords)
			collector.offer(kept + word);
	}
	for (const std::string &condition : conditions())
		collector.offer(kept + condition);
}

bool mentions(const std::string &text, std::initializer_list<std::string_view> words)
{
	return std::ranges::any_of(words, [&text](std::string_view word) {
		return text.find(word) != std::string::npos;
	});
}

/* `begun`: the value so far; `before`: what stands in the same word before it, as "--heap=". */
void offerValue(Collector &collector, const CLI::Option &option, const std::string &begun,
		const std::string &before, const std::vector<std::string> &heaps)
{
	/* What --help calls the value: the type name given to it, or the positional's name. */
	const std::string what = option.get_positional()
					 ? option.get_name() + " " + option.get_type_name()
					 : option.get_type_name();
	for (const std::string &choice : choicesIn(what))
		collector.offer(before + choice);
	if (mentions(what, {"HEAP", "EXPRESSION"}))
		offerExpression(collector, begun, before, heaps);
	if (mentions(what, {"FORMAT"})) {
		for (const FormatInfo &format : knownFormats())
			collector.offer(before + fourccToString(format.fourcc));
	}
	if (mentions(what, {"DIR"}))
		collector.leaveToShell(kAnyDirectory);
	else if (mentions(what, {"FILE", "PATH", "BLOB", "SOURCE"}))
		collector.leaveToShell(kAnyFile);
}

void offerOptions(Collector &collector, const Place &place)
{
	for (const CLI::Option *option : place.command->get_options()) {
		if (option->get_positional() || isHidden(option->get_group()))
			continue;
		/* One that makes a list. */
		const bool again = option->get_items_expected_max() > 1;
		const auto names = option->get_lnames();
		const bool used = std::ranges::any_of(names, [&](const std::string &name) {
			return place.used.contains("--" + name);
		});
		if (used && !again)
			continue;
		for (const std::string &name : names)
			collector.offer("--" + name);
	}
}

void offerCommands(Collector &collector, const CLI::App &command)
{
	for (const CLI::App *one : command.get_subcommands([](const CLI::App *) { return true; })) {
		if (!isHidden(one->get_group()))
			collector.offer(one->get_name());
	}
}

const CLI::Option *positionalAt(const CLI::App &command, size_t index)
{
	size_t at = 0;
	for (const CLI::Option *option : command.get_options()) {
		if (!option->get_positional())
			continue;
		/* One that takes many words takes all that come. */
		if (at++ == index || option->get_items_expected_max() > 1)
			return option;
	}
	return nullptr;
}

} /* namespace */

std::vector<std::string> candidates(const CLI::App &app, const std::vector<std::string> &words,
				    const std::vector<std::string> &heaps)
{
	if (words.size() < 2)
		return {};
	Place place{&app};
	for (size_t i = 1; i + 1 < words.size(); i++)
		step(place, words[i]);

	const std::string &last = words.back();
	Collector collector(last);
	if (place.waiting) {
		offerValue(collector, *place.waiting, last, "", heaps);
	} else if (last.starts_with('-') && !place.onlyPositionals) {
		const size_t equals = last.find('=');
		const CLI::Option *option =
			equals == std::string::npos
				? nullptr
				: findOption(*place.command, last.substr(0, equals));
		if (option && takesValue(*option))
			offerValue(collector, *option, last.substr(equals + 1),
				   last.substr(0, equals + 1), heaps);
		else
			offerOptions(collector, place);
	} else {
		if (!place.onlyPositionals)
			offerCommands(collector, *place.command);
		if (const CLI::Option *option = positionalAt(*place.command, place.positionals))
			offerValue(collector, *option, last, "", heaps);
	}
	return collector.take();
}

} /* namespace heapflow::tool */
