/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"
#include "table.h"

#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/size_text.h"

#include <cerrno>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kExplainExamples =
	"EXPRESSION lists alternatives in the order of preference, separated by ':'. Each is\n"
	"  a name           video@42000000\n"
	"  a pattern        'video@*', with * ? [a-z] [!a]\n"
	"  default          the default CMA region under whatever name this kernel gives it\n"
	"  conditions       is=contiguous,not=cached,usage=video,min-free=64M,below=4G\n"
	"                   is= and not= take contiguous, protected, cached, cc_shared, dedicated\n"
	"  auto             what the devices need: --needs says what that is\n\n"
	"Examples:\n"
	"  heapctl explain 'video@*:default'      a region for video, else the default CMA region\n"
	"  heapctl explain 'is=contiguous,below=4G,min-free=32M'\n"
	"  heapctl explain auto --needs contiguous,below=4G\n"
	"  heapctl explain linux,cma              an old name: finds the region under its new "
	"one\n\n"
	"Status: 0 a heap is taken, 1 none is, 2 the expression cannot be read.";

struct ExplainOptions {
	bool json = false;
	std::string expression;
	std::vector<std::string> needs;
	SystemPaths paths;
};

bool isMet(const HeapChoice &choice)
{
	return !choice.candidates.empty() && choice.taken().matches;
}

/* One device with all the needs that were given. */
Result<std::vector<MemoryNeeds>> readNeeds(const std::vector<std::string> &words)
{
	MemoryNeeds needs{.who = "the device"};
	for (const std::string &word : words) {
		if (word == "contiguous") {
			needs.contiguous = Demand::Yes;
		} else if (word == "scattered") {
			needs.contiguous = Demand::No;
		} else if (word == "cpu") {
			needs.cpuMappable = true;
		} else if (word.starts_with("below=")) {
			const auto limit = parseSize(word.substr(6));
			if (!limit)
				return std::unexpected(limit.error());
			needs.addressLimit = *limit;
		} else {
			return fail(
				EINVAL, "'" + safeText(word) + "' is no need of a device",
				"Needs are contiguous, scattered (either will do), cpu, below=4G");
		}
	}
	if (words.empty())
		return std::vector<MemoryNeeds>{};
	return std::vector<MemoryNeeds>{needs};
}

const std::string &textOf(const HeapChoice &choice, size_t alternative)
{
	return choice.expression.alternatives[alternative].text;
}

/* A line for each alternative that had something to say; the heap stands in the first one only. */
void addRows(Table &table, const HeapChoice &choice, const HeapCandidate &candidate,
	     const std::string &turn)
{
	std::vector<std::string> heap{turn, candidate.heap.name.text,
				      sizeText(candidate.heap.available),
				      contiguousText(candidate.heap)};
	if (candidate.considered.empty()) {
		heap.insert(heap.end(), {"-", candidate.reason});
		table.addRow(std::move(heap));
		return;
	}
	for (const Consideration &one : candidate.considered) {
		heap.insert(heap.end(), {textOf(choice, one.alternative), one.reason});
		table.addRow(std::move(heap));
		heap.assign(4, "");
	}
}

int printReasons(const HeapChoice &choice)
{
	using enum Table::Align;
	std::string text;
	if (isMet(choice))
		text = choice.expression.text + " takes " +
		       safeText(choice.taken().heap.name.text) + "\n\n";

	Table table({{"TRY", Right},
		     {"HEAP", Left},
		     {"FREE", Right},
		     {"CONTIGUOUS", Left},
		     {"BY", Left},
		     {"REASON", Left}});
	size_t turn = 0;
	for (const HeapCandidate &candidate : choice.candidates)
		addRows(table, choice, candidate, candidate.matches ? std::to_string(++turn) : "-");
	text += table.text();
	for (const UnmetAlternative &unmet : choice.unmet)
		text += textOf(choice, unmet.alternative) +
			" adds nothing: " + safeText(unmet.reason) + "\n";
	return print(text);
}

const char *verdictText(Verdict verdict)
{
	switch (verdict) {
	case Verdict::Met:
		return "met";
	case Verdict::NotMet:
		return "not met";
	case Verdict::Unknown:
		break;
	}
	return "unknown";
}

Json considerationJson(const HeapChoice &choice, const Consideration &one)
{
	Json conditions = Json::array();
	for (const ConditionReport &report : one.conditions)
		conditions.push_back({{"condition", report.condition},
				      {"verdict", verdictText(report.verdict)},
				      {"reason", report.reason}});
	return {{"alternative", one.alternative},
		{"text", textOf(choice, one.alternative)},
		{"named", one.named},
		{"reason", one.reason},
		{"conditions", std::move(conditions)}};
}

int printReasonsJson(const HeapChoice &choice)
{
	Json alternatives = Json::array();
	for (const HeapAlternative &alternative : choice.expression.alternatives)
		alternatives.push_back(alternative.text);

	Json candidates = Json::array();
	for (const HeapCandidate &candidate : choice.candidates) {
		Json considered = Json::array();
		for (const Consideration &one : candidate.considered)
			considered.push_back(considerationJson(choice, one));
		candidates.push_back(
			{{"matches", candidate.matches},
			 {"alternative",
			  candidate.matches ? Json(candidate.alternative) : Json(nullptr)},
			 {"reason", candidate.reason},
			 {"considered", std::move(considered)},
			 {"heap", toJson(candidate.heap)}});
	}
	Json unmet = Json::array();
	for (const UnmetAlternative &one : choice.unmet)
		unmet.push_back({{"alternative", one.alternative}, {"reason", one.reason}});

	return printJson({
		{"expression", choice.expression.text},
		{"alternatives", std::move(alternatives)},
		{"taken", isMet(choice) ? Json(choice.taken().heap.name.text) : Json(nullptr)},
		{"candidates", std::move(candidates)},
		{"unmet", std::move(unmet)},
	});
}

int explain(const ExplainOptions &options)
{
	const auto expression = readExpression(options.expression);
	if (!expression)
		return kUsage;
	const auto needs = readNeeds(options.needs);
	if (!needs)
		return report(needs.error(), kUsage);
	const auto heaps = listHeaps(options.paths);
	if (!heaps)
		return report(heaps.error());

	const DeviceDemands demands{.needs = *needs};
	const HeapChoice choice = explainChoice(*expression, *heaps, demands);
	const int printed = options.json ? printReasonsJson(choice) : printReasons(choice);
	if (const auto chosen = chooseHeap(*expression, *heaps, demands, &options.paths); !chosen)
		return report(chosen.error());
	return printed;
}

} /* namespace */

void addExplainCommand(CLI::App &app, Run &run)
{
	auto *command =
		app.add_subcommand("explain", "Say which heap an expression takes, and why");
	const auto options = std::make_shared<ExplainOptions>();
	command->footer(kExplainExamples);
	command->add_option("EXPRESSION", options->expression, "Such as 'video@*:default'")
		->required();
	command->add_option("--needs", options->needs,
			    "What 'auto' may rely on: contiguous, scattered, cpu, below=SIZE")
		->type_name("NEED,...")
		->delimiter(',');
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return explain(*options);
		};
	});
}

} /* namespace heapflow::tool */
