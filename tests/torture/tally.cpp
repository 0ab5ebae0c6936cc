/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tally.h"

#include "fault_row.h"

#include <cstdio>
#include <format>
#include <regex>

namespace heapflow::torture
{

namespace
{

/* Empty: as promised. */
std::string objection(const Verdict &verdict, Promise promise, const std::string &says)
{
	switch (verdict.kind) {
	case Verdict::Kind::Broken:
		return "BROKEN";
	case Verdict::Kind::Played:
		return promise == Promise::Refused ? "TAKEN, although it is wrong" : "";
	case Verdict::Kind::Refused:
		break;
	}
	if (promise == Promise::Works)
		return "REFUSED, although nothing is wrong";
	return std::regex_search(verdict.text, std::regex(says)) ? "" : "DOES NOT SAY " + says;
}

} /* namespace */

void Tally::add(const std::string &what, const Verdict &verdict, Promise promise,
		const std::string &says)
{
	const std::string wrong = objection(verdict, promise, says);
	injected_++;
	survived_ += wrong.empty();
	played_ += verdict.kind == Verdict::Kind::Played;
	std::printf("# %s%s: %s: %s%s%s\n", wrong.empty() ? "" : "broken: ", name_.c_str(),
		    what.c_str(), wrong.c_str(), wrong.empty() ? "" : ": ", verdict.text.c_str());
	std::fflush(stdout);
	if (!wrong.empty())
		saw_ = std::format("{}: {}: {}", what, wrong, verdict.text);
	else if (saw_.empty() && verdict.kind == Verdict::Kind::Refused)
		saw_ = std::format("{}: {}", what, verdict.text);
}

bool Tally::finish(const std::string &after)
{
	if (!after.empty()) {
		std::printf("# broken: %s: %s\n", name_.c_str(), after.c_str());
		saw_ = after;
		survived_ = 0;
	}
	if (injected_ == 0) {
		print({name_, 1, 0, "nothing was tried"});
		return false;
	}
	const FaultRow row{name_, injected_, survived_,
			   std::format("{} work{}{}", played_, saw_.empty() ? "" : "; ", saw_)};
	print(row);
	return row.good();
}

} /* namespace heapflow::torture */
