/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_access.h"

#include <cerrno>
#include <cstdio>

#include <grp.h>
#include <pwd.h>

namespace heapflow
{

namespace
{

std::string userName(uid_t id)
{
	char buffer[4096];
	passwd entry{};
	passwd *found = nullptr;
	if (getpwuid_r(id, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		return found->pw_name;
	return std::to_string(id);
}

std::string groupName(gid_t id)
{
	char buffer[4096];
	group entry{};
	group *found = nullptr;
	if (getgrgid_r(id, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		return found->gr_name;
	return std::to_string(id);
}

} /* namespace */

std::string describeAccess(const Heap &heap)
{
	char mode[8];
	std::snprintf(mode, sizeof(mode), "%04o", static_cast<unsigned>(heap.mode & 07777));
	return userName(heap.owner) + ":" + groupName(heap.group) + " " + mode;
}

Error accessError(const Heap &heap)
{
	/* The rule names the node that the kernel made, not a link to it. */
	const std::string &kernelName = heap.linkTarget.empty() ? heap.name.text : heap.linkTarget;

	/* devtmpfs makes nodes 0600, and a `change` event does not apply MODE: hence --action=add.
	 */
	return {EACCES,
		"the heap " + printable(heap.name.text) + " may not be opened by this user: " +
			heap.node.string() + " is " + describeAccess(heap),
		"Add a udev rule, in /etc/udev/rules.d/70-dma-heap.rules: SUBSYSTEM==\"dma_heap\", "
		"KERNEL==\"" +
			printable(kernelName) +
			"\", GROUP=\"video\", MODE=\"0660\"; then run udevadm control --reload && "
			"udevadm trigger --action=add --subsystem-match=dma_heap, and be in the "
			"group "
			"video"};
}

std::string missingHeapHint()
{
	return "Heaps come from the kernel: load their drivers (modprobe system_heap cma_heap), or "
	       "give "
	       "the device tree a reserved-memory node of that name with compatible = "
	       "\"shared-dma-pool\" and reusable";
}

std::string listNames(const std::vector<Heap> &heaps)
{
	std::string names;
	for (const Heap &heap : heaps)
		names += (names.empty() ? "" : ", ") + printable(heap.name.text);
	return names.empty() ? "none" : names;
}

std::string printable(std::string_view text)
{
	std::string shown;
	for (const char character : text) {
		const auto byte = static_cast<unsigned char>(character);
		shown += byte >= 0x20 && byte < 0x7f ? character : '?';
	}
	return shown;
}

} /* namespace heapflow */
