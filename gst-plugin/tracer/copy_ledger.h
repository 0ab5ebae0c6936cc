/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copy ledger: who mapped, copied and held which frame, from the events of a pipeline. */
#pragma once

#include "flow_report.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace heapflow::gst
{

/* Numbers that the ledger gives out, never twice; 0 is nobody. */
using ElementId = uint32_t;
using PadId = uint32_t;
/* Addresses of memories and buffers. They stand for what lives there until its death is told. */
using MemoryKey = const void *;
using FrameKey = const void *;

/** \brief A memory of a frame, with its visible bytes */
struct FrameMemory {
	MemoryKey key;
	uint64_t size;
};

/** \brief What the CPU may do through a mapping */
enum class MapAccess { Read, Write, ReadWrite };

/** \brief The CPU reached a frame */
struct Touch {
	enum class What { Read, Write, Copy };
	What what;
	ElementId element = 0;
	ElementKind kind = ElementKind::Filter;
	bool inPlace = false; /**< it wrote into a frame that it received */
	uint64_t bytes = 0;
	std::string memory; /**< the kind of memory that was reached or copied from */
	std::string into;   /**< of a copy: the kind that was copied into */
};

/**
 * \brief Bookkeeping of what happens to video frames
 *
 * What is a copy: an element mapped one frame to read, or a frame was copied by GStreamer, and the
 * element wrote another memory, which it then pushed, kept, or dropped. A frame that is written in
 * place, or of no other frame, is no copy. Frames that are not raw video are left out unless `all`.
 *
 * A map of memory that has not been on a link yet is put off until it is clear what it was for: a
 * source draws its first frame before anybody can know that it will be one.
 *
 * Threads: any. The observer is called without the ledger's lock, in the thread of the event.
 */
class CopyLedger
{
public:
	explicit CopyLedger(bool all = false) : all_(all) {}

	/** \brief Count what is not raw video as well; for what comes from now on */
	void setAll(bool all);
	/** \brief Called for each touch; set it before the first event */
	void setObserver(std::function<void(const Touch &)> observer);

	ElementId addElement(ElementId pipeline, std::string name, std::string factory,
			     ElementKind kind);
	/** \brief It is in that pipeline now: bins are filled, and put into others, while all plays
	 */
	void moveElement(ElementId element, ElementId pipeline);
	PadId addPad(ElementId element, std::string name);
	/** \brief What goes over a pad from now on; `text` for people */
	void setCaps(PadId pad, std::string text, bool raw);

	bool knows(MemoryKey memory);
	/** \brief A memory is seen for the first time; `kind` as "heap video@42000000" */
	void addMemory(MemoryKey memory, std::string kind);
	/** \brief Its address may be another's from now on */
	void forgetMemory(MemoryKey memory);
	/** \brief A buffer is free: nobody holds it */
	void forgetFrame(FrameKey frame);

	/** \brief A frame leaves an element */
	void pushed(PadId source, std::span<const FrameMemory> memories, int64_t now);
	/**
	 * \brief A frame reaches an element
	 *
	 * \param[in] source Where it was pushed, 0 when nobody knows
	 * \return When it, or what it is a copy of, was pushed first, ns; nothing when it does not
	 * count
	 */
	std::optional<int64_t> received(PadId sink, PadId source, FrameKey frame,
					std::span<const FrameMemory> memories, int64_t now);
	/** \brief The element that received a frame returns; `born` as received() said, `busy` in
	 * ns */
	void returned(PadId sink, int64_t busy, int64_t born, int64_t now);
	/** \brief The CPU maps a memory in the code of an element; 0: in a thread of nobody */
	void mapped(ElementId element, FrameMemory memory, MapAccess access);
	/** \brief GStreamer copied a memory (gst_memory_copy) */
	void copied(ElementId element, FrameMemory from, FrameMemory to);

	/** \brief What is known of a pipeline; empty without any frame */
	std::optional<FlowReport> report(ElementId pipeline);
	/** \brief The same, and begin anew */
	std::optional<FlowReport> takeReport(ElementId pipeline);
	/** \brief Pipelines with something to report */
	std::vector<ElementId> pipelines();

private:
	/* A frame that an element read, and may be making another of. */
	struct Source {
		MemoryKey memory;
		uint64_t serial; /* of the memory that was there */
		uint64_t size;
		int64_t received; /* by this element; 0: it never was */
		int64_t born;
		bool unseen; /* it was on no link, so nobody knows what it holds */
		std::string kind;
	};
	/* Bytes are counted once for each frame and direction, however often they are mapped. */
	struct Reached {
		MemoryKey memory;
		bool write;
	};
	struct Element {
		ElementId pipeline;
		ElementReport report;
		std::vector<Source> sources;
		bool stale = false;             /* it has pushed since: the next read begins anew */
		std::vector<MemoryKey> written; /* and not pushed yet */
		std::vector<Reached> reached;   /* since the last frame */
		std::unordered_map<MemoryKey, uint64_t> met; /* serial of the memory */
	};
	struct Pad {
		ElementId element;
		std::string name;
		std::string caps;
		bool raw = false;
		ByteCount charged; /* copies whose link is not known yet */
	};
	struct Receipt {
		ElementId element;
		int64_t time;
	};
	struct Deferred {
		ElementId element; /* 0: a thread of nobody */
		uint64_t size;
		MapAccess access;
	};
	struct Memory {
		std::string kind;
		uint64_t serial = 0;
		bool seen = false; /* on a link */
		bool raw = false;
		unsigned frames = 0; /* that hold it and are alive */
		int64_t born = 0;
		std::vector<Receipt> receipts; /* of the present trip */
		std::vector<Deferred> deferred;
		ElementId writer = 0;
		uint64_t written = 0;
		std::optional<Source> original; /* of which gst_memory_copy() made it */
		ElementId chargedTo = 0;        /* counted already, as a copy inside of this one */
		uint64_t charged = 0;
	};
	struct Frame {
		ElementId holder;
		std::vector<MemoryKey> memories;
	};
	struct Period {
		std::string name;
		int64_t first = 0;
		int64_t last = 0;
	};
	using Touches = std::vector<Touch>;

	Element &elementOf(ElementId id) { return elements_[id - 1]; }
	Pad &padOf(PadId id) { return pads_[id - 1]; }
	bool counts(const Memory &memory) const { return all_ || memory.raw; }
	static const Receipt *receiptOf(const Memory &memory, ElementId element);
	static Source sourceOf(ElementId element, FrameMemory memory, const Memory &record);
	void noteSource(Element &element, Source source);
	bool isAlive(const Source &source) const;
	const Source *sourceFor(const Element &element, std::span<const FrameMemory> target) const;
	const Source *sourceInside(const Element &element, FrameMemory target) const;
	void reach(Element &element, FrameMemory memory, const Memory &record, MapAccess access,
		   Touches &touches);
	void settle(Element &element, FrameMemory memory, Memory &record, Touches &touches);
	void charge(Element &element, uint64_t bytes, const std::string &from,
		    const std::string &to, bool inside, Touches &touches);
	void chargeInside(Element &element, FrameMemory target, Memory &record,
			  const Source &source, Touches &touches);
	void chargePushed(Element &element, Pad &pad, std::span<const FrameMemory> memories,
			  Touches &touches);
	void settleSource(Element &element, const Source &source, Touches &touches);
	void measureResidence(Element &element, std::span<const FrameMemory> memories, int64_t now);
	void bear(Element &element, std::span<const FrameMemory> memories, int64_t now);
	void hold(Element &element, ElementId id, FrameKey frame,
		  std::span<const FrameMemory> memories);
	void letGo(ElementId holder);
	LinkReport &linkOf(PadId source, PadId sink);
	std::optional<FlowReport> build(ElementId pipeline) const;
	void forgetReported(ElementId pipeline);
	void observe(const Touches &touches) const;

	mutable std::mutex mutex_;
	std::function<void(const Touch &)> observer_;
	bool all_;
	uint64_t serials_ = 0;
	std::deque<Element> elements_; /* references stay valid */
	std::deque<Pad> pads_;
	std::unordered_map<MemoryKey, Memory> memories_;
	std::unordered_map<FrameKey, Frame> frames_;
	std::map<std::pair<PadId, PadId>, LinkReport> links_;
	std::map<ElementId, Period> periods_; /* of pipelines */
};

} /* namespace heapflow::gst */
