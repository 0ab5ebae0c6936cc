/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* torture-calls: every call that the libraries make fails in turn, in every way it can. */
#include "campaign.h"
#include "fault_row.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <expected>
#include <format>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace heapflow::torture
{

std::span<const Scenario> scenarios()
{
	static constexpr std::array all = {
		Scenario{"heap", "heaps found, allocated from, mapped, fenced, watched", nullptr,
			 useHeaps},
		Scenario{"heapctl", "heapctl list, explain, alloc", nullptr, useHeapctl, true},
		Scenario{"doctor", "heapctl doctor", nullptr, useDoctor, true},
		Scenario{"camera", "vivid through V4L2: controls, import, 10 frames", nullptr,
			 useCamera},
		Scenario{"cameras", "the list of cameras, and the monitor of it", nullptr,
			 useCameraMonitor},
		Scenario{"display", "vkms: 10 frames with fences, and the screen restored", nullptr,
			 useDisplay},
		Scenario{"screenshot", "the screen read back, and written as PNG", nullptr,
			 useScreenshot},
		Scenario{"pipeline", "heapcamerasrc num-buffers=10 ! heapkmssink", preparePipeline,
			 usePipeline},
	};
	return all;
}

namespace
{

struct Arguments {
	const Scenario *scenario = nullptr;
	CampaignOptions campaign;
	bool list = false;
	std::string here; /**< one fault, in this process */
};

void usage(std::FILE *file)
{
	std::fputs(
		"usage: torture-calls [options] SCENARIO\n\n"
		"Runs SCENARIO again and again, each time with one call failing that heapflow's\n"
		"libraries make: with each errno that the call can give, once and for ever (of\n"
		"EINTR and EAGAIN 50 times). Only on the board, see docs/reliability.md.\n\n",
		file);
	for (const Scenario &scenario : scenarios())
		std::fprintf(file, "  %-11s %s\n", scenario.name, scenario.summary);
	std::fputs(
		"\n  --brief        two faults for each kind of call\n"
		"  --every-stack  each call stack by itself, not only each kind of call\n"
		"  --call KIND    only kinds of calls whose names, as in --list, begin so\n"
		"  --list         the calls that the scenario makes, with their number; exit "
		"status 1\n"
		"                 when errnos.cpp does not know one\n"
		"  --here FAULT   one fault in this process, for a debugger, as\n"
		"                 'open /dev/dri#2:ENOMEM:once'\n"
		"  --help         this text\n\n"
		"Prints TAP, and lines for the table of board/torture. Exit status 1 when a fault\n"
		"was not survived.\n",
		file);
}

std::optional<Arguments> parse(int argc, char **argv)
{
	Arguments arguments;
	for (int i = 1; i < argc; i++) {
		const std::string_view word = argv[i];
		const bool hasValue = i + 1 < argc;
		if (word == "--every-stack")
			arguments.campaign.depth = Depth::EveryStack;
		else if (word == "--brief")
			arguments.campaign.depth = Depth::Brief;
		else if (word == "--list")
			arguments.list = true;
		else if (word == "--call" && hasValue)
			arguments.campaign.only = argv[++i];
		else if (word == "--here" && hasValue)
			arguments.here = argv[++i];
		else if (const auto found = std::ranges::find(
				 scenarios(), word,
				 [](const Scenario &one) { return std::string_view(one.name); });
			 found != scenarios().end())
			arguments.scenario = &*found;
		else
			return std::nullopt;
	}
	return arguments.scenario ? std::optional(arguments) : std::nullopt;
}

std::string oneLine(std::string text)
{
	std::ranges::replace_if(
		text, [](char character) { return character == '\n' || character == '\t'; }, ' ');
	return text;
}

int listCalls(Injector &injector)
{
	const std::vector<CallSite> sites = injector.record();
	bool known = true;
	for (const CallSite &site : sites) {
		known = known && !errnosOf(site.kind).empty();
		std::printf("%6u  %-36s %s%s+%#x stack %016llx\n", site.count,
			    nameOf(site.kind).c_str(),
			    errnosOf(site.kind).empty() ? "NO ERRNOS " : "", site.library.data(),
			    site.offset, (unsigned long long)site.stack);
	}
	return sites.empty() || !known;
}

std::set<std::string> namesOfKinds(const std::vector<CallSite> &sites)
{
	std::set<std::string> names;
	for (const CallSite &site : sites)
		names.insert(nameOf(site.kind));
	return names;
}

/* KIND#OCCURRENCE:ERRNO:once|ever; an error names what is possible. */
std::expected<Target, std::string> parseTarget(std::string_view text,
					       const std::vector<CallSite> &sites)
{
	const size_t hash = text.rfind('#'), colon = text.find(':', hash),
		     second = text.find(':', colon + 1);
	if (hash == text.npos || colon == text.npos || second == text.npos)
		return std::unexpected("is not KIND#NUMBER:ERRNO:once or …:ever");
	Target target;
	uint32_t count = 0;
	for (const CallSite &site : sites)
		if (nameOf(site.kind) == text.substr(0, hash)) {
			target.kind = site.kind;
			count += site.count;
		}
	if (!count) {
		std::string all;
		for (const std::string &name : namesOfKinds(sites))
			all += "\n  " + name;
		return std::unexpected("is no call of this scenario, which are:" + all);
	}
	const auto number =
		std::from_chars(text.data() + hash + 1, text.data() + colon, target.occurrence);
	if (number.ec != std::errc() || number.ptr != text.data() + colon ||
	    target.occurrence < 1 || target.occurrence > count)
		return std::unexpected(std::format("the scenario makes this call {} times: a "
						   "number from 1 to {} is possible",
						   count, count));
	std::string possible;
	for (const PossibleErrno &one : errnosOf(target.kind)) {
		possible += std::string(" ") + errnoName(one.code);
		if (errnoName(one.code) == text.substr(colon + 1, second - colon - 1))
			target.code = one.code;
	}
	if (!target.code)
		return std::unexpected("the errnos of this call are" + possible);
	const std::string_view times = text.substr(second + 1);
	if (times != "once" && times != "ever")
		return std::unexpected("it fails once or ever");
	target.times = times == "once" ? 1 : UINT32_MAX;
	return target;
}

int runHere(Injector &injector, const std::string &text)
{
	const std::vector<CallSite> sites = injector.record();
	if (sites.empty())
		return 1;
	const auto target = parseTarget(text, sites);
	if (target)
		return injector.runHere(*target);
	std::fprintf(stderr, "torture-calls: '%s': %s\n", text.c_str(), target.error().c_str());
	return 2;
}

/* Why there may be nothing to inject; empty: there must be something. */
std::string noneBecause(const CallKind &kind, Depth depth)
{
	const auto errnos = errnosOf(kind);
	if (errnos.empty())
		return "it cannot fail in the way it is used";
	if (depth == Depth::Brief && std::ranges::all_of(errnos, [](const PossibleErrno &one) {
		    return one.meaning == Meaning::Answer;
	    }))
		return "its errors are answers, which the short form leaves out";
	return {};
}

int noSuchCall(Injector &injector, const Scenario &scenario, const std::string &only)
{
	std::fprintf(stderr, "torture-calls: no call of %s begins with '%s'; there is:\n",
		     scenario.name, only.c_str());
	for (const std::string &name : namesOfKinds(injector.record()))
		std::fprintf(stderr, "  %s\n", name.c_str());
	return 2;
}

int runAll(Injector &injector, const Scenario &scenario, const CampaignOptions &options)
{
	unsigned number = 0, broken = 0;
	/* The first run on a board is slower than all others, and makes calls that they do not:
	 * a late frame asks for the vblank counter. */
	(void)injector.runClean();
	const bool works = runCampaign(injector, options, [&](const KindResult &result) {
		const std::string fault = std::format("{}: {}", scenario.name, nameOf(result.kind));
		const bool survived = result.failures.empty();
		++number;
		for (const std::string &failure : result.failures)
			std::printf("# broken: %s\n", oneLine(failure).c_str());
		for (const std::string &missed : result.missed)
			std::printf("# not reached: %s\n", oneLine(missed).c_str());
		FaultRow row{fault, result.injected, result.survived,
			     survived ? result.example : result.failures.front()};
		if (row.injected == 0 && survived) {
			const std::string none = noneBecause(result.kind, options.depth);
			row.mayBeNone = !none.empty();
			row.saw = row.mayBeNone ? none : "NOTHING was injected";
		}
		print(row);
		broken += !survived || !row.good();
	});
	if (works && !number)
		return noSuchCall(injector, scenario, options.only);
	if (!works)
		std::printf("not ok %u - %s\n", number + 1, scenario.name);
	return broken || !works;
}

} /* namespace */

} /* namespace heapflow::torture */

int main(int argc, char **argv)
{
	using namespace heapflow::torture;
	if (argc == 2 && std::string_view(argv[1]) == "--help") {
		usage(stdout);
		return 0;
	}
	const auto arguments = parse(argc, argv);
	if (!arguments) {
		usage(stderr);
		return 2;
	}
	Injector injector(*arguments->scenario);
	if (arguments->list)
		return listCalls(injector);
	if (!arguments->here.empty())
		return runHere(injector, arguments->here);
	return runAll(injector, *arguments->scenario, arguments->campaign);
}
