/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays of one's own making, through vkms' configfs. */
#pragma once

#include <string>
#include <vector>

namespace heapflow::test
{

struct VkmsDescription {
	bool overlay = false;
	bool cursor = false;
	bool writeback = false;
	bool connected = true;
};

/**
 * \brief A vkms device beside the board's own; gone when destroyed
 *
 * Its connector is plugged and unplugged, and the whole device removed, as hardware would be, with
 * the uevents that hardware sends (Documentation/gpu/vkms.rst).
 */
class VkmsDevice
{
public:
	explicit VkmsDevice(const VkmsDescription &description);
	~VkmsDevice();

	VkmsDevice(const VkmsDevice &) = delete;
	VkmsDevice &operator=(const VkmsDevice &) = delete;

	/** \brief "/dev/dri/card2" */
	const std::string &node() const { return node_; }

	void plug() { setStatus(1); }
	void unplug() { setStatus(2); }

	/** \brief Take the device out while it may be in use */
	void remove();

private:
	void setStatus(int status);

	std::string root_; /* in configfs */
	std::string node_;
	bool enabled_ = false;
	std::vector<std::string> links_;       /* in the order in which they were made */
	std::vector<std::string> directories_; /* the same */
};

} /* namespace heapflow::test */
