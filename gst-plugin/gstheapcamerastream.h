/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream of a camera with its buffers: of a heap, or of downstream's pool. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap_choice.h"

#include "gstheapcamerapool.h"
#include "gstheappeerpool.h"
#include "gstheapplanquery.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heapflow::gst
{

/** \brief Where the buffers of a stream come from */
enum class BufferMode {
	Auto,       /**< of the heap, if one is named; else downstream's pool, if it fits */
	Heap,       /**< of the heap */
	Downstream, /**< downstream's pool, or an error */
};

/** \brief What prepare() goes by */
struct StreamMemory {
	BufferMode mode = BufferMode::Auto;
	std::string heap;      /**< expression */
	bool heapGiven = true; /**< the user wrote it */
	std::string name;      /**< what the dma-bufs are called */
	DisplayTerms display;  /**< that scans the buffers out; empty: none that says so */
	PeerOffer peer;        /**< borrowed; only used in prepare() */
};

/** \brief As CameraSession, whose part it is; one thread at a time */
class CameraStream
{
public:
	CameraStream(Camera &camera, unsigned number) : camera_(camera), number_(number) {}
	~CameraStream();

	CameraStream(const CameraStream &) = delete;
	CameraStream &operator=(const CameraStream &) = delete;

	/** \brief A new configuration; buffers of the old one are let go of */
	void reset(CaptureConfiguration configuration);
	const CaptureConfiguration &configuration() const { return configuration_; }

	/**
	 * \brief One place after the other until the camera takes the memory of one
	 *
	 * Errors: EAGAIN the camera must be configured anew before the next attempt, because it has
	 * kept refused buffers, or because wantedStride() is to be tried; call again after that.
	 *
	 * \param[out] notes A sentence for each place that did not serve
	 */
	Result<void> prepare(std::vector<std::string> &notes);
	/** \brief What prepare() goes by from now on */
	Result<void> begin(const StreamMemory &memory, GstCaps *caps);
	/** \brief The camera refused this memory after start(); \return is there another place? */
	bool refuse(const Error &refusal, std::vector<std::string> &notes);
	/** \brief Of downstream's buffers, for the camera to try; 0: none */
	uint32_t wantedStride() const { return wantedStride_; }

	bool prepared() const { return pool_ != nullptr; }
	GstBuffer *take(unsigned index);
	/** \brief What comes home from now on is not queued */
	void close();
	void drop();

	size_t buffersDownstream() const;
	size_t buffersKept();
	uint64_t heapBytes() const;
	const std::string &heap() const { return heap_; }
	/** \brief Identities of the dma-bufs (inode numbers) */
	std::vector<uint64_t> inodes() const;
	/** \brief The fields of the plan that are the stream's */
	void describe(GstStructure *plan) const;

private:
	Result<void> fromPeer();
	Result<void> fromHeap(std::vector<std::string> &notes);
	void removeTaken(std::string_view heap);

	Camera &camera_;
	unsigned number_;
	CaptureConfiguration configuration_;
	StreamMemory memory_;
	bool tryPeer_ = false;
	bool strideTried_ = false;
	uint32_t wantedStride_ = 0;
	bool choiceMade_ = false;
	HeapChoice choice_; /* what is left of it: refused heaps are removed */
	GstCaps *caps_ = nullptr;
	std::vector<Buffer> buffers_; /* borrowed by the camera */
	std::shared_ptr<CameraReturn> way_;
	GstHeapCameraPool *pool_ = nullptr;
	std::string heap_;
	std::string reason_;
	std::string reasons_; /* of all heaps */
	bool ofPeer_ = false;
};

} /* namespace heapflow::gst */
