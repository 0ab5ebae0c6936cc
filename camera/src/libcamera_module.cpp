/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module that the library loads for cameras of libcamera. */
#include "libcamera_backend.h"
#include "libcamera_camera.h"
#include "libcamera_controls.h"
#include "libcamera_session.h"

#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

class Share : public LibcameraShare
{
public:
	explicit Share(LibcameraSession session) : session_(std::move(session)) {}
	~Share() override;

	std::vector<LibcameraEntry> cameras() const override;
	Result<std::unique_ptr<Camera>> open(const std::string &id) const override;
	bool lost(const std::string &id) const override { return session_.lost(id); }
	bool isOnly() const override { return session_.isOnly(); }
	bool hasStaleCamera() const override { return session_.hasStaleCamera(); }
	void loseStaleCameras() const override { LibcameraSession::loseStaleCameras(); }
	void watch(std::function<void()> changed) override;

private:
	/* In libcamera's thread. */
	void onChange(std::shared_ptr<libcamera::Camera>) { changed_(); }

	LibcameraSession session_;
	std::function<void()> changed_;
};

Share::~Share()
{
	if (!changed_)
		return;
	session_.manager()->cameraAdded.disconnect(this);
	session_.manager()->cameraRemoved.disconnect(this);
}

std::vector<LibcameraEntry> Share::cameras() const
{
	std::vector<LibcameraEntry> list;
	for (const auto &camera : session_.cameras())
		list.push_back({infoOf(*camera), nodesOf(*camera)});
	return list;
}

Result<std::unique_ptr<Camera>> Share::open(const std::string &id) const
{
	auto camera = session_.find(id);
	if (!camera)
		return fail(ENOENT, std::format("the camera {} has gone", id));
	/* Of its own, so that it may live longer than this one. */
	auto session = LibcameraSession::create();
	if (!session)
		return std::unexpected(session.error());
	return std::make_unique<LibcameraCamera>(std::move(*session), std::move(camera));
}

void Share::watch(std::function<void()> changed)
{
	changed_ = std::move(changed);
	session_.manager()->cameraAdded.connect(this, &Share::onChange);
	session_.manager()->cameraRemoved.connect(this, &Share::onChange);
}

class Backend : public LibcameraBackend
{
public:
	Result<std::unique_ptr<LibcameraShare>> join() const override
	{
		auto session = LibcameraSession::create();
		if (!session)
			return std::unexpected(session.error());
		return std::make_unique<Share>(std::move(*session));
	}
	std::vector<ControlDescription> knownControls() const override
	{
		return knownLibcameraControls();
	}
	Result<void> setTuningFile(const std::string &path) const override
	{
		return LibcameraSession::setTuningFile(path);
	}
};

} /* namespace */

} /* namespace heapflow */

extern "C" const heapflow::LibcameraBackend &heapflowLibcameraBackend();

extern "C" const heapflow::LibcameraBackend &heapflowLibcameraBackend()
{
	static const heapflow::Backend backend;
	return backend;
}
