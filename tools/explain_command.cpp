/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include "output.h"
#include "size_text.h"
#include "table.h"

#include "heapflow/heap/heap_choice.h"

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

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

} /* namespace */

int explainCommand(const ExplainOptions &options)
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

} /* namespace heapflow::tool */
