/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests that change who they are, or what is in /dev/dma_heap, and put it back. */
#pragma once

#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace heapflow::test
{

/** \brief The effective identity of nobody while it lives; the capabilities of root go with it */
class AsNobody
{
public:
	AsNobody() { entered_ = seteuid(65534) == 0; }
	~AsNobody()
	{
		if (entered_ && seteuid(0) != 0)
			std::abort();
	}
	AsNobody(const AsNobody &) = delete;
	AsNobody &operator=(const AsNobody &) = delete;

	bool entered() const { return entered_; }

private:
	bool entered_;
};

/** \brief An entry in /dev/dma_heap that goes with the test */
class Entry
{
public:
	explicit Entry(const char *name) : path_(std::filesystem::path("/dev/dma_heap") / name) {}
	~Entry() { unlink(path_.c_str()); }
	Entry(const Entry &) = delete;
	Entry &operator=(const Entry &) = delete;

	const char *path() const { return path_.c_str(); }

private:
	std::filesystem::path path_;
};

/** \brief Puts a node of the kernel's back as it was, with owner and mode, whatever a test did */
class NodeGuard
{
public:
	explicit NodeGuard(const char *name) : path_(std::filesystem::path("/dev/dma_heap") / name)
	{
		if (stat(path_.c_str(), &before_) != 0)
			std::abort();
	}
	~NodeGuard()
	{
		remove();
		if (!make(before_.st_mode) ||
		    chown(path_.c_str(), before_.st_uid, before_.st_gid) != 0)
			std::abort();
	}
	NodeGuard(const NodeGuard &) = delete;
	NodeGuard &operator=(const NodeGuard &) = delete;

	const char *path() const { return path_.c_str(); }
	bool remove() const { return unlink(path_.c_str()) == 0; }

	/** \brief As devtmpfs makes it when a heap driver is loaded: root's alone, unless told */
	bool make(mode_t mode = S_IFCHR | 0600) const
	{
		return mknod(path_.c_str(), mode, before_.st_rdev) == 0 &&
		       chmod(path_.c_str(), mode & 07777) == 0;
	}

private:
	std::filesystem::path path_;
	struct stat before_ = {};
};

} /* namespace heapflow::test */
