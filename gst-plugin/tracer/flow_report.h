/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the copy ledger tells of a pipeline, and the forms it is written in. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heapflow::gst
{

/** \brief How often something was done, and to how many bytes */
struct ByteCount {
	uint64_t count = 0;
	uint64_t bytes = 0;

	void add(uint64_t size)
	{
		count++;
		bytes += size;
	}
	bool operator==(const ByteCount &) const = default;
};

/** \brief A mean and a maximum, ns */
struct Duration {
	uint64_t count = 0;
	int64_t sum = 0;
	int64_t most = 0;

	void add(int64_t time);
	int64_t mean() const { return count ? sum / int64_t(count) : 0; }
};

/** \brief What an element is in a pipeline, by the pads it has */
enum class ElementKind { Source, Filter, Sink };

struct ElementReport {
	uint32_t id = 0;
	std::string name;
	std::string factory;
	ElementKind kind = ElementKind::Filter;
	uint64_t framesIn = 0;
	uint64_t framesOut = 0;
	ByteCount reads;       /**< maps to read: each counted; a memory's bytes once a frame */
	ByteCount writes;      /**< maps to write, likewise */
	ByteCount copies;      /**< frames made of other frames by the CPU, and their bytes */
	ByteCount inside;      /**< those of `copies` that went over none of its links */
	ByteCount drawn;       /**< frames written by the CPU that were made of no other */
	uint64_t memories = 0; /**< different memories that it received: what it had to import */
	Duration busy;      /**< its own work on a frame, without that of the elements after it */
	Duration residence; /**< from its receiving a frame to its pushing it, or what it made of it
			     */
	Duration age; /**< of a sink: from the first push of a frame to the end of its rendering */
	uint64_t heldNow = 0; /**< buffers that it received last and that are still alive */
	uint64_t heldMost = 0;
	std::vector<std::string> reasons; /**< of its copies, each said once */
	std::vector<std::string> notes;   /**< what the element itself tells */
};

struct LinkReport {
	uint32_t from = 0; /**< id of an element; 0 when the frames came from no pad */
	uint32_t to = 0;   /**< 0 when nobody received them */
	std::string fromPad;
	std::string toPad;
	std::string caps;                /**< for people */
	std::vector<std::string> memory; /**< kinds of memory that passed */
	ByteCount frames;
	ByteCount copies; /**< made by `from` of what went over this link */
};

struct FlowReport {
	std::string pipeline;
	int64_t duration = 0;                /**< between the first and the last frame seen, ns */
	std::vector<ElementReport> elements; /**< in the order of the flow */
	std::vector<LinkReport> links;

	uint64_t copies() const;
	uint64_t copiedBytes() const;
	const ElementReport *element(uint32_t id) const;
};

/** \brief For a terminal: what each element did, what each link carried */
std::string flowTable(const FlowReport &report);
/** \brief The same for programs; docs/tracer.md has the names */
std::string flowJson(const FlowReport &report);
/** \brief A picture of the pipeline: thin green links, thick red ones where frames are copied */
std::string flowSvg(const FlowReport &report);

/** \brief "1.38 MB"; powers of ten, three digits */
std::string byteText(double bytes);
/** \brief "16.7 ms" */
std::string timeText(int64_t nanoseconds);

} /* namespace heapflow::gst */
