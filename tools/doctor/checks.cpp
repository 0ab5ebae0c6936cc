/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks.h"

#include <algorithm>

namespace heapflow::tool::doctor
{

std::vector<Finding> judge(const SystemFacts &facts)
{
	std::vector<Finding> all = judgeKernel(facts);
	for (auto part : {judgeHeaps(facts), judgeLimits(facts), judgeDevices(facts),
			  judgeGstreamer(facts.gstreamer)})
		all.insert(all.end(), std::make_move_iterator(part.begin()),
			   std::make_move_iterator(part.end()));
	return all;
}

bool anyFailed(const std::vector<Finding> &findings)
{
	return std::ranges::any_of(
		findings, [](const Finding &finding) { return finding.status == Status::Fail; });
}

std::string_view nameOf(Status status)
{
	switch (status) {
	case Status::Ok:
		return "ok";
	case Status::Warn:
		return "warn";
	case Status::Fail:
		return "fail";
	case Status::Unknown:
		break;
	}
	return "unknown";
}

std::string udevRule()
{
	return "SUBSYSTEM==\"dma_heap\", GROUP=\"video\", MODE=\"0660\"";
}

std::vector<std::string> serviceLines(const SystemFacts &facts)
{
	/* systemd takes the names of /proc/devices (systemd.resource-control(5), DeviceAllow=). */
	std::vector<std::string> lines{"[Service]", "DevicePolicy=closed"};
	for (const char *group : {"dma_heap", "drm", "media", "video4linux"}) {
		const auto &known = facts.kernel.deviceGroups;
		/* A group that is not there yet comes with its driver: it is wanted all the same.
		 */
		const bool there = known.empty() || known.contains(group);
		lines.push_back(
			(there ? "DeviceAllow=char-" : "# no such device now: DeviceAllow=char-") +
			std::string(group) + " rw");
	}
	lines.emplace_back("SupplementaryGroups=video render");
	return lines;
}

} /* namespace heapflow::tool::doctor */
