/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A KMS driver made up for tests, below the real libdrm. */
#pragma once

#include "heapflow/heap/unique_fd.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <drm_fourcc.h>
#include <xf86drmMode.h>

namespace heapflow::test
{

/** \brief A plane, and what its hardware can do */
struct FakePlane {
	uint32_t type = DRM_PLANE_TYPE_PRIMARY;
	std::vector<std::pair<uint32_t, std::vector<uint64_t>>> formats = {
		{DRM_FORMAT_XRGB8888, {DRM_FORMAT_MOD_LINEAR}},
		{DRM_FORMAT_NV12, {DRM_FORMAT_MOD_LINEAR}},
	};
	double shrink = 1.0;    /**< down to so much of the size */
	double grow = 1.0;      /**< up to so many times the size */
	bool mustCover = false; /**< the whole CRTC, as some primary planes */
	uint32_t rotations = 0; /**< bits DRM_MODE_ROTATE_*; 0: no such property */
	bool alpha = false;
	bool colour = true; /**< COLOR_ENCODING and COLOR_RANGE */
	int zpos = -1;      /**< -1: no such property */
	bool zposFixed = true;
	uint32_t widthStep = 1;    /**< CRTC_W and SRC_W must be multiples of it */
	uint32_t maximumWidth = 0; /**< of the source; 0: any */
};

struct FakeDisplay {
	std::vector<drmModeModeInfo> modes;
	std::vector<FakePlane> planes = {FakePlane{}};
	uint32_t connectorType = DRM_MODE_CONNECTOR_HDMIA;
	bool connected = true;
	bool hdr = false; /**< the connector's HDR and colour properties */
	bool variableRefresh = false;
	bool asyncFlips = false;
	std::string panelOrientation; /**< "Left Side Up"; empty: no such property */
	uint32_t pitchAlignment = 1;  /**< of framebuffers, bytes */
	uint32_t minimumWidth = 1, minimumHeight = 1;       /**< of framebuffers */
	uint32_t maximumWidth = 8192, maximumHeight = 8192; /**< of framebuffers */
	uint64_t bandwidth = 0; /**< pixels of all planes together; 0: any. Else ENOSPC */
};

/** \brief A commit as the driver got it */
struct FakeCommit {
	uint32_t flags = 0;
	std::map<std::string, uint64_t> properties; /**< "plane 40 FB_ID" */
};

/**
 * \brief A device with one connector, one CRTC and planes
 *
 * ioctl() of the test program stands before that of the C library, and leads here for descriptors
 * of a FakeKms; so the library and libdrm are the real ones, and the kernel is not. The kernel's
 * rules for atomic commits are followed as far as the library rests on them.
 *
 * Flips happen when flip() is called, or at once with `instantFlips`.
 */
class FakeKms
{
public:
	static constexpr uint32_t connector = 30;
	static constexpr uint32_t crtc = 20;
	static constexpr uint32_t firstPlane = 40;

	explicit FakeKms(FakeDisplay display);
	~FakeKms();

	FakeKms(const FakeKms &) = delete;
	FakeKms &operator=(const FakeKms &) = delete;

	int fd() const { return device_.get(); }

	/** \brief The pending commit is on the screen. \return false when none is pending */
	bool flip(int64_t timestamp = 0);
	void setInstantFlips(bool instant);

	/** \brief Another connection state, without an event */
	void setConnected(bool connected);
	/** \brief "HDMI-A-N": another N is another connector to its user */
	void setConnectorNumber(uint32_t number);
	void setMaster(bool master);
	void remove(); /**< the device is gone: ENODEV */

	/** \brief The call with this number (from 1, since now) fails so, and no other */
	void failCall(unsigned number, int code);
	/** \brief Each commit that is no test is refused so often, with this */
	void failCommits(unsigned count, int code);
	/** \brief Refuse what the hardware could do: what it says of each commit, test or not */
	void setRefusal(std::function<int(const FakeCommit &)> refuse);

	unsigned calls() const;                  /**< since failCall() */
	std::vector<FakeCommit> commits() const; /**< accepted, without tests */
	unsigned tests() const;                  /**< TEST_ONLY commits */
	size_t framebuffers() const;
	size_t handles() const;
	/** \brief Inodes of the dma-bufs of the planes of the last framebuffer; 0: no plane */
	const std::array<uint64_t, 4> &planeInodes() const { return planeInodes_; }
	size_t blobs() const; /**< that user space made and has not destroyed */
	uint64_t value(uint32_t object, const std::string &property) const;
	void setValue(uint32_t object, const std::string &property, uint64_t value);

	/* Called by ioctl(). */
	int handle(unsigned long request, void *argument);
	static FakeKms *of(int fd);

private:
	struct Property {
		std::string name;
		uint32_t flags = 0;
		std::vector<uint64_t> values;
		std::vector<std::pair<std::string, uint64_t>> choices;
	};
	struct Framebuffer {
		uint32_t fourcc = 0, width = 0, height = 0;
		uint64_t modifier = 0;
	};
	using State = std::map<std::pair<uint32_t, uint32_t>, uint64_t>;

	uint32_t addProperty(uint32_t object, Property property, uint64_t value);
	void addRange(uint32_t object, const std::string &name, uint64_t maximum, uint64_t value,
		      uint32_t flags = 0);
	void addEnum(uint32_t object, const std::string &name,
		     const std::vector<std::string> &choices, uint64_t value, uint32_t flags = 0);
	void addBlob(uint32_t object, const std::string &name, uint64_t value, uint32_t flags = 0);
	void addPlane(uint32_t id, const FakePlane &plane);
	uint64_t storeBlob(const void *data, size_t size);

	int dispatch(unsigned long request, void *argument);
	int getResources(void *argument);
	int getConnector(void *argument);
	int getPlane(void *argument);
	int getProperties(void *argument);
	int getProperty(void *argument);
	int getBlob(void *argument);
	int addFramebuffer(void *argument);
	int removeFramebuffer(uint32_t framebuffer);
	int atomic(void *argument);
	int check(const State &state, uint32_t flags, const FakeCommit &commit) const;
	int checkPlane(const State &state, size_t index, uint64_t &pixels) const;
	uint64_t in(const State &state, uint32_t object, const std::string &name) const;
	uint32_t propertyId(uint32_t object, const std::string &name) const;
	bool flipLocked(int64_t timestamp);

	FakeDisplay display_;
	UniqueFd device_; /* what the library has */
	UniqueFd kernel_; /* the other end, which events are written to */
	uint64_t inode_ = 0;

	mutable std::mutex mutex_;
	std::map<uint32_t, Property> properties_;
	std::map<uint32_t, std::vector<uint32_t>> objects_; /* their properties */
	State state_;
	std::map<uint64_t, std::vector<uint8_t>> blobs_;
	std::vector<uint32_t> userBlobs_;
	std::map<uint32_t, Framebuffer> framebuffers_;
	std::array<uint64_t, 4> planeInodes_ = {};
	std::map<uint32_t, uint64_t> handles_; /* inodes of their dma-bufs */
	uint32_t nextId_ = 1000;
	std::deque<uint64_t> pending_; /* user data */
	uint32_t sequence_ = 0;
	bool instantFlips_ = true;
	bool master_ = true;
	bool gone_ = false;
	uint32_t connectorNumber_ = 1;
	unsigned calls_ = 0;
	unsigned failAt_ = 0;
	int failCode_ = 0;
	unsigned refusedCommits_ = 0;
	int refusalCode_ = 0;
	std::function<int(const FakeCommit &)> refuse_;
	std::vector<FakeCommit> commits_;
	unsigned tests_ = 0;
};

} /* namespace heapflow::test */
