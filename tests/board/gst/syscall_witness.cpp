/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscall_witness.h"

#include "run_command.h"
#include "temporary_directory.h"

#include <fstream>

namespace heapflow::test
{

namespace
{

/* With -y a descriptor is followed by what it is: 12</dmabuf:alloc>. dmabuffs_dname() of the
 * kernel names them so. */
bool isOfDmabuf(const std::string &line)
{
	return line.contains("</dmabuf:");
}

/* mmap(NULL, 1382400, PROT_READ, MAP_SHARED, 12</dmabuf:alloc>, 0) = 0x... */
uint64_t mappedLength(const std::string &line)
{
	const size_t begin = line.find("mmap(");
	const size_t comma = begin == std::string::npos ? begin : line.find(", ", begin);
	return comma == std::string::npos ? 0
					  : std::strtoull(line.c_str() + comma + 2, nullptr, 10);
}

void count(const std::string &line, SystemCalls &calls)
{
	/* "<unfinished ...>" has the arguments, "<... ioctl resumed>" has not: each call once. */
	if (line.contains(" resumed>"))
		return;
	const bool mapping = line.contains("mmap(");
	if (!mapping && !line.contains("ioctl("))
		return;
	calls.all++;
	if (mapping && isOfDmabuf(line)) {
		calls.mappings++;
		calls.mappedBytes += mappedLength(line);
	}
	calls.brackets += line.contains("DMA_BUF_IOCTL_SYNC");
	calls.allocations += line.contains("DMA_HEAP_IOCTL_ALLOC");
	calls.imports += line.contains("DRM_IOCTL_PRIME_FD_TO_HANDLE");
	calls.framebuffers += line.contains("DRM_IOCTL_MODE_ADDFB2");
	calls.dumbBuffers += line.contains("DRM_IOCTL_MODE_CREATE_DUMB");
}

} /* namespace */

Witnessed witness(const std::string &command, const std::string &environment)
{
	const TemporaryDirectory directory;
	const std::string trace = (directory.path() / "trace").string();
	const CommandResult result = runCommand(
		environment + " strace -f -q -y --signal=none -e trace=mmap,ioctl,prctl -o " +
		trace + " " + command);
	Witnessed seen{result.status, result.output, result.errors, {}, {}, false};

	std::ifstream file(trace);
	for (std::string line; std::getline(file, line);) {
		if (line.contains("prctl(PR_SET_NAME") && line.contains(witnessMark))
			seen.sawMark = true;
		count(line, seen.whole);
		if (seen.sawMark)
			count(line, seen.marked);
	}
	return seen;
}

} /* namespace heapflow::test */
