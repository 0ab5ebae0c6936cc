/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_access.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <endian.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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

bool isInGroup(gid_t id)
{
	if (getegid() == id)
		return true;
	std::vector<gid_t> groups(65536); /* NGROUPS_MAX */
	const int count = getgroups(static_cast<int>(groups.size()), groups.data());
	groups.resize(static_cast<size_t>(std::max(count, 0)));
	return std::ranges::find(groups, id) != groups.end();
}

std::string permissionText(unsigned permission)
{
	std::string text = "---";
	if (permission & ACL_READ)
		text[0] = 'r';
	if (permission & ACL_WRITE)
		text[1] = 'w';
	if (permission & ACL_EXECUTE)
		text[2] = 'x';
	return text;
}

/*
 * "user:cam rw-, group:video r--": what an access list gives beyond the mode; udev's `uaccess` is
 * made of it. Empty when there is none or it cannot be read. As in linux/posix_acl_xattr.h.
 */
std::string accessListText(const std::filesystem::path &node)
{
	char content[4096];
	const ssize_t size =
		getxattr(node.c_str(), "system.posix_acl_access", content, sizeof(content));
	std::string text;
	for (size_t place = sizeof(posix_acl_xattr_header);
	     size > 0 && place + sizeof(posix_acl_xattr_entry) <= static_cast<size_t>(size);
	     place += sizeof(posix_acl_xattr_entry)) {
		posix_acl_xattr_entry entry;
		std::memcpy(&entry, content + place, sizeof(entry));
		const unsigned tag = le16toh(entry.e_tag);
		if (tag != ACL_USER && tag != ACL_GROUP)
			continue;
		const uint32_t id = le32toh(entry.e_id);
		text += (text.empty() ? "" : ", ") +
			(tag == ACL_USER ? "user:" + userName(id) : "group:" + groupName(id)) +
			" " + permissionText(le16toh(entry.e_perm));
	}
	return text;
}

/* Whom the node lets in, and why this user is not among them. */
std::string standingText(const Heap &heap)
{
	const std::string group = groupName(heap.group);
	const std::string user = userName(geteuid());
	std::string text = "; " + user;
	if (geteuid() == heap.owner)
		text += " owns it, which its mode does not help";
	else
		text += std::string(isInGroup(heap.group) ? " is" : " is not") + " in the group " +
			group;
	const std::string list = accessListText(heap.node);
	return text +
	       (list.empty() ? ", and it has no access list" : ", and its access list has " + list);
}

} /* namespace */

std::string describeAccess(const Heap &heap)
{
	char mode[8];
	std::snprintf(mode, sizeof(mode), "%04o", static_cast<unsigned>(heap.mode & 07777));
	return userName(heap.owner) + ":" + groupName(heap.group) + " " + mode;
}

namespace
{

/* The short way, where the node lets a group in. */
std::string groupHint(const Heap &heap)
{
	if (!(heap.mode & S_IRGRP) || heap.group == 0 || isInGroup(heap.group))
		return {};
	return "Be in the group " + groupName(heap.group) + " (usermod -aG " +
	       groupName(heap.group) + " " + userName(geteuid()) +
	       ", then log in again), which may open it. Or: ";
}

} /* namespace */

Error accessError(const Heap &heap)
{
	/* The rule names the node that the kernel made, not a link to it. */
	const std::string &kernelName = heap.linkTarget.empty() ? heap.name.text : heap.linkTarget;

	/* devtmpfs makes nodes 0600, and a `change` event does not apply MODE: hence --action=add.
	 */
	return {EACCES,
		"the heap " + printable(heap.name.text) + " may not be opened by this user: " +
			heap.node.string() + " is " + describeAccess(heap) + standingText(heap),
		groupHint(heap) +
			"Add a udev rule, in /etc/udev/rules.d/70-dma-heap.rules: "
			"SUBSYSTEM==\"dma_heap\", "
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
