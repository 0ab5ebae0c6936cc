/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "doctor/checks.h"
#include "doctor/gather.h"
#include "output.h"
#include "table.h"

#include "heapflow/heap/heap_expression.h"

#include <algorithm>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;
using doctor::Finding;
using doctor::Status;

constexpr const char *kDoctorExamples =
	"Looks and changes nothing. Devices are opened without waiting and closed at once; opening "
	"a\n"
	"display that nobody has makes a program its master, which is given back in the same "
	"moment.\n"
	"With --sysroot only what stands in files is looked at.\n\n"
	"Examples:\n"
	"  heapctl doctor\n"
	"  heapctl doctor --only 'heaps.*' --only regions.free\n"
	"  heapctl doctor --service                    lines for a systemd unit\n"
	"  heapctl doctor --udev >70-dma-heap.rules    the udev rule\n"
	"  heapctl doctor --json | jq -r '.checks[] | select(.status == \"fail\") | .id'\n\n"
	"Status: 0 nothing stops a pipeline (warnings do not count), 1 something does, 2 used "
	"wrongly.";

struct DoctorOptions {
	bool json = false;
	bool service = false;
	bool udev = false;
	std::vector<std::string> only;
	std::string root = "/";
};

void addIndented(std::string &text, const Finding &finding)
{
	text += "\n" + std::string(nameOf(finding.status)) + " " + finding.id + ": " +
		safeText(finding.seen) + "\n";
	for (const std::string &line : finding.advice)
		text += "    " + safeText(line) + "\n";
}

/* "9 ok, 2 warn, 1 fail, 1 unknown" */
std::string countText(const std::vector<Finding> &findings)
{
	std::string text;
	for (const Status status : {Status::Ok, Status::Warn, Status::Fail, Status::Unknown}) {
		text += (text.empty() ? "" : ", ") +
			std::to_string(std::ranges::count(findings, status, &Finding::status)) +
			" " + std::string(nameOf(status));
	}
	return text;
}

int printFindings(const std::vector<Finding> &findings)
{
	Table table({{"STATUS"}, {"CHECK"}, {"SEEN"}});
	for (const Finding &finding : findings)
		table.addRow({std::string(nameOf(finding.status)), finding.id, finding.seen});
	std::string text = table.text();

	/* What stops a pipeline first. */
	std::string advice;
	for (const Status status : {Status::Fail, Status::Warn, Status::Unknown}) {
		for (const Finding &finding : findings) {
			if (finding.status == status && !finding.advice.empty())
				addIndented(advice, finding);
		}
	}
	text += (advice.empty() ? "" : "\nWhat to do:\n" + advice) + "\n" + countText(findings) +
		"\n";
	return print(text);
}

int printFindingsJson(const std::vector<Finding> &findings, const doctor::SystemFacts &facts)
{
	Json checks = Json::array();
	Json counts = Json::object();
	for (const Status status : {Status::Ok, Status::Warn, Status::Fail, Status::Unknown})
		counts[std::string(nameOf(status))] =
			std::ranges::count(findings, status, &Finding::status);
	for (const Finding &finding : findings)
		checks.push_back({{"id", finding.id},
				  {"status", nameOf(finding.status)},
				  {"seen", finding.seen},
				  {"advice", finding.advice},
				  {"sources", finding.sources}});
	return printJson({{"checks", std::move(checks)},
			  {"counts", std::move(counts)},
			  {"udev_rule", doctor::udevRule()},
			  {"service", doctor::serviceLines(facts)}});
}

bool isWanted(const std::vector<std::string> &patterns, std::string_view id)
{
	return patterns.empty() || std::ranges::any_of(patterns, [id](const std::string &pattern) {
		       return matchGlob(pattern, id);
	       });
}

/* Devices are left alone, and no program is started, when nobody asked for what they tell. */
doctor::Extent extentOf(const std::vector<std::string> &patterns)
{
	return {std::ranges::any_of(doctor::kDeviceChecks,
				    [&](const char *id) { return isWanted(patterns, id); }),
		isWanted(patterns, doctor::kGstreamerCheck)};
}

/* Keeps what some pattern matches; kUsage when a pattern matches no check at all. */
int select(std::vector<Finding> &findings, const std::vector<std::string> &patterns)
{
	for (const std::string &pattern : patterns) {
		if (std::ranges::none_of(findings, [&](const Finding &finding) {
			    return matchGlob(pattern, finding.id);
		    })) {
			std::string ids;
			for (const Finding &finding : findings)
				ids += (ids.empty() ? "" : ", ") + finding.id;
			return report({0, "--only " + pattern + ": there is no such check",
				       "the checks are " + ids},
				      kUsage);
		}
	}
	std::erase_if(findings,
		      [&](const Finding &finding) { return !isWanted(patterns, finding.id); });
	return kSuccess;
}

int printLines(const std::vector<std::string> &lines)
{
	std::string text;
	for (const std::string &line : lines)
		text += line + "\n";
	return print(text);
}

int examine(const DoctorOptions &options)
{
	if (options.udev)
		return printLines({doctor::udevRule()});
	if (options.service) {
		doctor::SystemFacts facts;
		facts.kernel = doctor::gatherKernel(options.root);
		return printLines(doctor::serviceLines(facts));
	}
	const doctor::SystemFacts facts = doctor::gatherFacts(options.root, extentOf(options.only));
	std::vector<Finding> findings = doctor::judge(facts);
	if (const int wrong = select(findings, options.only); wrong != kSuccess)
		return wrong;
	const int printed =
		options.json ? printFindingsJson(findings, facts) : printFindings(findings);
	return printed != kSuccess ? printed : doctor::anyFailed(findings) ? kFailure : kSuccess;
}

} /* namespace */

void addDoctorCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand(
		"doctor", "Check this system from end to end, and say what to change");
	const auto options = std::make_shared<DoctorOptions>();
	command->footer(kDoctorExamples);
	addJson(command, options->json);
	command->add_option("--only", options->only,
			    "Only checks whose id matches; may be repeated")
		->type_name("PATTERN")
		->allow_extra_args(false);
	auto *udev =
		command->add_flag("--udev", options->udev, "Print the udev rule, check nothing");
	command->add_flag("--service", options->service,
			  "Print the lines of a systemd unit, check nothing")
		->excludes(udev);
	command->add_option("--sysroot", options->root,
			    "Read DIR/dev, DIR/sys, DIR/proc, DIR/boot, DIR/lib: a copy of a board")
		->type_name("DIR")
		->check(CLI::ExistingDirectory);
	command->callback([&run, options] {
		run = [options] {
			return examine(*options);
		};
	});
}

} /* namespace heapflow::tool */
