/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kms_snapshot.h"

#include "display_fixture.h"

#include <format>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow::test
{

namespace
{

std::string blobContents(int drm, uint64_t id)
{
	drmModePropertyBlobPtr blob = drmModeGetPropertyBlob(drm, static_cast<uint32_t>(id));
	if (!blob)
		return "0";
	const auto *bytes = static_cast<const unsigned char *>(blob->data);
	std::string text;
	for (uint32_t i = 0; i < blob->length; i++)
		text += std::format("{:02x}", bytes[i]);
	drmModeFreePropertyBlob(blob);
	return text;
}

void add(KmsSnapshot &state, int drm, const char *kind, uint32_t id, uint32_t type)
{
	drmModeObjectPropertiesPtr list = drmModeObjectGetProperties(drm, id, type);
	ASSERT_TRUE(list) << kind << id;
	for (uint32_t i = 0; i < list->count_props; i++) {
		drmModePropertyPtr property = drmModeGetProperty(drm, list->props[i]);
		ASSERT_TRUE(property);
		const std::string name = property->name;
		/*
		 * DPMS is no state of its own for an atomic driver: the kernel derives it from
		 * ACTIVE, and refuses to have it set (drm_atomic_uapi.c).
		 */
		if (name != "DPMS")
			state[std::format("{} {} {}", kind, id, name)] =
				name == "MODE_ID" ? blobContents(drm, list->prop_values[i])
						  : std::to_string(list->prop_values[i]);
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(list);
}

} /* namespace */

KmsSnapshot snapshot(int drm)
{
	EXPECT_EQ(drmSetClientCap(drm, DRM_CLIENT_CAP_ATOMIC, 1), 0);
	EXPECT_EQ(drmSetClientCap(drm, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1), 0);
	drmModeResPtr resources = drmModeGetResources(drm);
	drmModePlaneResPtr planes = drmModeGetPlaneResources(drm);
	EXPECT_TRUE(resources && planes);
	KmsSnapshot state;
	if (!resources || !planes)
		return state;
	for (int i = 0; i < resources->count_connectors; i++)
		add(state, drm, "connector", resources->connectors[i], DRM_MODE_OBJECT_CONNECTOR);
	for (int i = 0; i < resources->count_crtcs; i++)
		add(state, drm, "crtc", resources->crtcs[i], DRM_MODE_OBJECT_CRTC);
	for (uint32_t i = 0; i < planes->count_planes; i++)
		add(state, drm, "plane", planes->planes[i], DRM_MODE_OBJECT_PLANE);
	drmModeFreePlaneResources(planes);
	drmModeFreeResources(resources);
	return state;
}

KmsSnapshot snapshotVkms()
{
	const UniqueFd drm(open(vkmsNode().c_str(), O_RDWR | O_CLOEXEC));
	EXPECT_TRUE(drm.valid());
	return drm.valid() ? snapshot(drm.get()) : KmsSnapshot{};
}

std::string differences(const KmsSnapshot &before, const KmsSnapshot &after)
{
	std::string text;
	for (const auto &[name, value] : before) {
		const auto found = after.find(name);
		if (found == after.end() || found->second != value)
			text += std::format("{}: {} became {}\n", name, value,
					    found == after.end() ? "nothing" : found->second);
	}
	if (before.size() != after.size())
		text += std::format("{} properties became {}\n", before.size(), after.size());
	return text;
}

int countSet(const KmsSnapshot &state, const std::string &property)
{
	int count = 0;
	for (const auto &[name, value] : state)
		count += name.ends_with(" " + property) && value != "0";
	return count;
}

int lightScreen()
{
	const int drm = open(vkmsNode().c_str(), O_RDWR | O_CLOEXEC);
	drmModeResPtr resources = drmModeGetResources(drm);
	if (!resources)
		return -1;
	uint32_t connectorId = resources->connectors[0];
	drmModeConnectorPtr connector = drmModeGetConnector(drm, connectorId);
	drmModeModeInfo mode = connector->modes[0];

	uint32_t handle = 0, pitch = 0, framebuffer = 0;
	uint64_t size = 0;
	int failed = drmModeCreateDumbBuffer(drm, mode.hdisplay, mode.vdisplay, 32, 0, &handle,
					     &pitch, &size);
	failed |= drmModeAddFB(drm, mode.hdisplay, mode.vdisplay, 24, 32, pitch, handle,
			       &framebuffer);
	failed |=
		drmModeSetCrtc(drm, resources->crtcs[0], framebuffer, 0, 0, &connectorId, 1, &mode);
	failed |= drmDropMaster(drm);
	drmModeFreeConnector(connector);
	drmModeFreeResources(resources);
	return failed ? -1 : drm;
}

bool darkenScreen()
{
	const UniqueFd drm(open(vkmsNode().c_str(), O_RDWR | O_CLOEXEC));
	drmModeResPtr resources = drmModeGetResources(drm.get());
	if (!resources)
		return false;
	const int failed =
		drmModeSetCrtc(drm.get(), resources->crtcs[0], 0, 0, 0, nullptr, 0, nullptr);
	drmModeFreeResources(resources);
	return !failed;
}

} /* namespace heapflow::test */
