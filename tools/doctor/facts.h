/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapctl doctor looks at: everything that was found out, before anything is judged. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace heapflow::tool::doctor
{

struct KernelFacts {
	std::string release;                        /**< "7.3.4"; empty when unknown */
	std::string configFile;                     /**< empty: no configuration can be read */
	std::map<std::string, std::string> options; /**< "DMABUF_HEAPS" to "y" or "m" */
	std::set<std::string> modules;              /**< in the kernel now: /sys/module */
	std::set<std::string> loadable;     /**< file names of /lib/modules, without ".ko" */
	bool moduleListRead = false;        /**< there is a list of loadable modules */
	std::set<std::string> deviceGroups; /**< character devices of /proc/devices */
};

/** \brief A reusable shared-dma-pool of the device tree that is not disabled */
struct ReservedNode {
	std::string name;
	std::string path;
};

struct HeapFacts {
	std::optional<Error> error;            /**< the heap directory cannot be read */
	std::vector<Heap> heaps;               /**< nodes */
	std::map<std::string, int> openErrors; /**< heap to errno; 0 it was opened */
	std::set<std::string> registered;      /**< names in /sys/class/dma_heap */
	std::set<std::string> groups;          /**< names of the groups this process is in */
	bool isRoot = false;
	std::optional<bool> cmaSysfs;   /**< /sys/kernel/mm/cma is there */
	std::optional<bool> cmaDebugfs; /**< nothing: debugfs may not be read by this user */
	std::vector<ReservedNode> reserved;
};

struct LimitFacts {
	std::optional<uint64_t> descriptors; /**< RLIMIT_NOFILE, soft */
	std::string cgroup;                  /**< "/system.slice/camera.service" */
	std::optional<uint64_t>
		memoryMax;         /**< bytes, the smallest up to the root; none: no limit */
	std::string memoryMaxFile; /**< the one that sets it */
	std::optional<uint64_t> memoryCurrent; /**< bytes charged where the limit stands */
	std::optional<bool> heapAccounting;    /**< dma_heap.mem_accounting */
	std::string dmemFile;
	std::map<std::string, uint64_t> dmemMax; /**< region to bytes, where limited */
	std::optional<uint64_t> available;       /**< availableMemory() */
};

struct CameraFacts {
	std::string node;
	int openError = 0; /**< errno */
	std::string access;
	std::string driver;
	std::string card;
	bool capture = false;   /**< VIDEO_CAPTURE, of one plane or several, not memory to memory */
	bool streaming = false; /**< the ioctls of buffers, not read() alone */
	std::optional<bool> importsDmabuf; /**< nothing: the driver does not say */
};

struct ConnectorFacts {
	std::string name;
	std::string status; /**< as sysfs says: "connected" */
};

struct DisplayFacts {
	std::string node;
	int openError = 0;
	std::string access;
	std::string driver;
	bool kms = false;    /**< it has a CRTC: a display, not only a renderer */
	bool atomic = false; /**< takes DRM_CLIENT_CAP_ATOMIC */
	bool primeImport = false;
	bool dumb = false;
	bool masterElsewhere = false; /**< another program has the screen */
	std::vector<std::string>
		users; /**< "weston (417)": who has the node open, as far as seen */
	std::vector<ConnectorFacts> connectors;
};

struct DeviceFacts {
	bool looked = false; /**< false for a copy of a system: its devices are not here */
	std::vector<CameraFacts> cameras;
	std::vector<std::string> mediaNodes;
	std::vector<std::string> closedMediaNodes; /**< that this user may not open */
	std::vector<DisplayFacts> displays;
};

struct GstreamerFacts {
	bool looked = false;
	std::string inspect;            /**< the program; empty when there is none */
	std::vector<std::string> known; /**< elements of heapflow that it knows */
	std::vector<std::string> unknown;
	std::string trouble;    /**< why it did not answer; empty when it did */
	std::string pluginPath; /**< GST_PLUGIN_PATH */
};

struct SystemFacts {
	KernelFacts kernel;
	HeapFacts heap;
	LimitFacts limits;
	DeviceFacts devices;
	GstreamerFacts gstreamer;
	uint64_t pageSize = 4096;
};

} /* namespace heapflow::tool::doctor */
