/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checking mode: what a program does wrong with the CPU's access to its buffers. */
#pragma once

#include <string>
#include <string_view>

namespace heapflow
{

/**
 * \brief What the environment variable HEAPFLOW_CHECK asks for; docs/checking.md shows reports
 *
 * - unset, empty or `0`: nothing is checked, and nothing is paid but one comparison for a bracket;
 * - `1`: each mistake is reported on stderr, once it happens;
 * - `abort`: the same, and the program ends with abort() at the first report;
 * - `1,no-guard` or `abort,no-guard`: without guarded mappings and their handler of SIGSEGV.
 *
 * Any other value is reported once, and checks as `1` does. The variable is read at the first
 * allocation, mapping or bracket, and not again.
 *
 * Reported are: a bracket that is ended in another direction, ended twice, never ended (at exit, or
 * when its buffer goes back to its pool), begun again by the thread that is inside one already; a
 * bracket on a buffer that lies in its pool. With guarded mappings also: the CPU touches a mapping
 * outside a bracket, writes inside a bracket for reading, touches a buffer after it was given back,
 * or after it was unmapped.
 *
 * A guarded mapping is made through CpuView, Mapping, Buffer or BufferLease, and has no access
 * rights outside its brackets: touching it is a SIGSEGV. The handler writes the report, and hands
 * on to the handler that was there before, which by default ends the process. It is installed with
 * the first guarded mapping; a program that installs its own later replaces it, and then sees the
 * signal without the report. Addresses of mappings that are gone stay reserved for a while, without
 * memory, so that a stale pointer is caught.
 *
 * Not seen: mappings that others make of the file descriptor, and access by devices.
 */
struct AccessCheckSettings {
	bool on = false;
	bool endsProgram = false; /**< abort() at the first report */
	bool guards = false;      /**< mappings without rights outside their brackets */
	std::string complaint;    /**< not empty: a value that is not understood */
};

/** \brief Reads a value of HEAPFLOW_CHECK; pure */
AccessCheckSettings readAccessCheckSettings(std::string_view value);

} /* namespace heapflow */
