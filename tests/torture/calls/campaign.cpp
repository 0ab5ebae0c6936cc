/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "campaign.h"

#include <algorithm>
#include <format>

namespace heapflow::torture
{

namespace
{

/* "For ever" of a call that is to be repeated: a storm of signals ends, or nothing would. */
constexpr uint32_t storm = 50;

std::vector<CallKind> kindsOf(const std::vector<CallSite> &sites)
{
	std::vector<CallKind> kinds;
	for (const CallSite &site : sites) {
		if (std::ranges::find(kinds, site.kind) == kinds.end())
			kinds.push_back(site.kind);
	}
	std::ranges::sort(kinds, {}, nameOf);
	return kinds;
}

void addBoth(std::vector<PlannedFault> &faults, Target target, const PossibleErrno &possible)
{
	target.code = possible.code;
	target.times = 1;
	faults.push_back({target, possible.meaning});
	/* poll() said that there is something: another may have read it once, but not each time. */
	if (possible.meaning == Meaning::Answer && target.kind.function == Function::Read)
		return;
	target.times = possible.meaning == Meaning::Retry ? storm : UINT32_MAX;
	faults.push_back({target, possible.meaning});
}

void addOfSite(std::vector<PlannedFault> &faults, const CallSite &site,
	       std::span<const PossibleErrno> errnos)
{
	for (const PossibleErrno &possible : errnos) {
		addBoth(faults, {.kind = site.kind, .stack = site.stack}, possible);
		if (site.count > 1)
			addBoth(faults,
				{.kind = site.kind, .stack = site.stack, .occurrence = site.count},
				possible);
	}
}

/* A storm of the errno that is to be repeated, and for ever the first that is not. */
std::vector<PlannedFault> briefly(const CallKind &kind, std::span<const PossibleErrno> errnos)
{
	std::vector<PlannedFault> faults;
	for (const Meaning meaning : {Meaning::Retry, Meaning::Fails}) {
		const auto found = std::ranges::find(errnos, meaning, &PossibleErrno::meaning);
		if (found == errnos.end())
			continue;
		faults.push_back({{.kind = kind,
				   .times = meaning == Meaning::Retry ? storm : UINT32_MAX,
				   .code = found->code},
				  meaning});
	}
	return faults;
}

/* Where in the library, for people: "libheapflow-heap.so.0+0x1234". */
std::string placeOf(const Target &target, const std::vector<CallSite> &sites)
{
	for (const CallSite &site : sites) {
		if (target.stack && site.kind == target.kind && site.stack == target.stack)
			return std::format(" at {}+{:#x} (stack {:016x})", site.library.data(),
					   site.offset, site.stack);
	}
	return "";
}

/* By another order of threads a run makes fewer of these calls. */
const char *whyFewer(const CallKind &kind, uint32_t occurrence)
{
	if (nameOf(kind) == "ioctl DRM_IOCTL_CRTC_GET_SEQUENCE")
		return "the vblank is asked for only when the last flip is long ago";
	if (occurrence == 1)
		return nullptr;
	if (occurrence > 2 &&
	    (nameOf(kind) == "ioctl DRM_IOCTL_MODE_ATOMIC" || nameOf(kind) == "read /dev/dri"))
		return "frames come a little sooner or later, and two flips may be read at once";
	switch (kind.function) {
	case Function::Poll:
		return "a thread that is late sleeps once for two events";
	case Function::Read:
	case Function::Write:
		return kind.detail == uint32_t(Subject::Event) ||
				       kind.detail == uint32_t(Subject::Timer)
			       ? "a thread that is awake is not woken"
			       : nullptr;
	default:
		return nullptr;
	}
}

void note(KindResult &result, const Run &run, const std::string &what)
{
	result.injected++;
	result.survived += run.survived;
	if (!run.survived)
		result.failures.push_back(what + ": " + run.saw);
	/* The shortest error says most; that nothing was seen says least. */
	const bool silent = result.example.empty() || result.example.starts_with("nothing");
	const bool says = !run.saw.starts_with("nothing");
	if (run.survived && (result.example.empty() || (silent && says)))
		result.example = run.saw;
}

std::vector<PlannedFault> thoroughly(const CallKind &kind, const std::vector<CallSite> &sites,
				     const CampaignOptions &options)
{
	const auto errnos = errnosOf(kind);
	std::vector<PlannedFault> faults;
	uint32_t count = 0;
	for (const CallSite &site : sites) {
		if (site.kind != kind)
			continue;
		count += site.count;
		if (options.depth == Depth::EveryStack)
			addOfSite(faults, site, errnos);
	}
	for (size_t i = 0; options.depth == Depth::Kinds && i < errnos.size(); i++) {
		addBoth(faults, {.kind = kind}, errnos[i]);
		const uint32_t further[] = {2, count};
		/* In turn, so that each errno comes at one of them. */
		const uint32_t occurrence = further[i % 2];
		if (occurrence <= count && occurrence > 1)
			faults.push_back(
				{{.kind = kind, .occurrence = occurrence, .code = errnos[i].code},
				 errnos[i].meaning});
	}
	return faults;
}

} /* namespace */

std::vector<PlannedFault> planFaults(const CallKind &kind, const std::vector<CallSite> &sites,
				     const CampaignOptions &options)
{
	std::vector<PlannedFault> faults = options.depth == Depth::Brief
						   ? briefly(kind, errnosOf(kind))
						   : thoroughly(kind, sites, options);
	for (PlannedFault &fault : faults)
		fault.mayBeMissed = whyFewer(kind, fault.target.occurrence);
	return faults;
}

bool runCampaign(Injector &injector, const CampaignOptions &options,
		 const std::function<void(const KindResult &)> &onKind)
{
	const std::vector<CallSite> sites = injector.record();
	std::vector<CallKind> kinds = kindsOf(sites);
	std::erase_if(kinds, [&](const CallKind &kind) {
		return !nameOf(kind).starts_with(options.only);
	});
	for (const CallKind &kind : kinds) {
		KindResult result{.kind = kind};
		for (const PlannedFault &fault : planFaults(kind, sites, options)) {
			Run run = injector.run(fault.target, fault.meaning);
			const std::string what =
				textOf(fault.target) + placeOf(fault.target, sites);
			if (!run.reached && run.survived && fault.mayBeMissed) {
				result.missed.push_back(what + ": " + fault.mayBeMissed);
				continue;
			}
			if (!run.reached)
				run = {false, false, "NOT REACHED: " + run.saw};
			note(result, run, what);
		}
		if (errnosOf(kind).empty())
			note(result, {}, nameOf(kind) + ": errnos.cpp does not know this call");
		const bool last = &kind == &kinds.back();
		if (options.depth != Depth::Brief || last) {
			if (const Run after = injector.runClean(); !after.survived)
				result.failures.push_back("NOT USABLE AFTERWARDS: " + after.saw);
		}
		onKind(result);
	}
	return !sites.empty();
}

} /* namespace heapflow::torture */
