/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"
#include "size_text.h"
#include "table.h"

#include "heapflow/heap/heap_choice.h"

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kExplainExamples =
	"EXPRESSION lists alternatives in the order of preference, separated by ':'. Each is an "
	"exact\n"
	"name, a pattern with * ? [a-z] [!a], or 'default' for the default CMA region.\n\n"
	"Examples:\n"
	"  heapctl explain 'video@*:default'      a region for video, else the default CMA region\n"
	"  heapctl explain '*-contiguous'         any heap whose name says so\n"
	"  heapctl explain linux,cma              an old name: finds the region under its new "
	"one\n\n"
	"Status: 0 a heap is taken, 1 none is, 2 the expression cannot be read.";

struct ExplainOptions {
	bool json = false;
	std::string expression;
	SystemPaths paths;
};

bool isMet(const HeapChoice &choice)
{
	return !choice.candidates.empty() && choice.taken().matches;
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
		     {"BY", Left},
		     {"FREE", Right},
		     {"CONTIGUOUS", Left},
		     {"REASON", Left}});
	size_t turn = 0;
	for (const HeapCandidate &candidate : choice.candidates) {
		const auto &alternatives = choice.expression.alternatives;
		table.addRow({candidate.matches ? std::to_string(++turn) : "-",
			      candidate.heap.name.text,
			      candidate.matches ? alternatives[candidate.alternative].text : "-",
			      sizeText(candidate.heap.region.free), contiguousText(candidate.heap),
			      candidate.reason});
	}
	text += table.text();
	for (const UnmetAlternative &unmet : choice.unmet)
		text += choice.expression.alternatives[unmet.alternative].text +
			" adds nothing: " + safeText(unmet.reason) + "\n";
	return print(text);
}

int printReasonsJson(const HeapChoice &choice)
{
	Json alternatives = Json::array();
	for (const HeapAlternative &alternative : choice.expression.alternatives)
		alternatives.push_back(alternative.text);

	Json candidates = Json::array();
	for (const HeapCandidate &candidate : choice.candidates) {
		candidates.push_back(
			{{"matches", candidate.matches},
			 {"alternative",
			  candidate.matches ? Json(candidate.alternative) : Json(nullptr)},
			 {"reason", candidate.reason},
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
	const auto expression = parseHeapExpression(options.expression);
	if (!expression)
		return report(expression.error(), kUsage);
	const auto heaps = listHeaps(options.paths);
	if (!heaps)
		return report(heaps.error());

	const HeapChoice choice = explainChoice(*expression, *heaps);
	const int printed = options.json ? printReasonsJson(choice) : printReasons(choice);
	if (const auto chosen = chooseHeap(*expression, *heaps); !chosen)
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
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return explain(*options);
		};
	});
}

} /* namespace heapflow::tool */
