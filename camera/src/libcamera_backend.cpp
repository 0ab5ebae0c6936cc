/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_backend.h"

#include <cerrno>
#include <filesystem>
#include <format>
#include <mutex>

#include <dlfcn.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

/*
 * Beside this library, wherever that was found: so a build directory and an installation each have
 * their own, and a program's current directory or environment decides nothing.
 */
std::string modulePath()
{
	Dl_info self{};
	if (!dladdr(reinterpret_cast<void *>(&libcameraBackend), &self) || !self.dli_fname)
		return HEAPFLOW_LIBCAMERA_MODULE;
	return std::filesystem::path(self.dli_fname).replace_filename(HEAPFLOW_LIBCAMERA_MODULE);
}

Result<const LibcameraBackend *> load()
{
	const std::string path = modulePath();
	void *module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!module) {
		const char *reason = dlerror();
		return fail(ENOPKG,
			    std::format("libcamera cannot be loaded: {}", reason ? reason : path),
			    "Install libcamera and heapflow's module for it, or open a V4L2 camera "
			    "by its path");
	}
	auto *function = reinterpret_cast<LibcameraBackendFunction *>(
		dlsym(module, "heapflowLibcameraBackend"));
	if (!function)
		return fail(ENOPKG, std::format("{} is not heapflow's module for libcamera", path));
	return &function();
}

} /* namespace */

Result<const LibcameraBackend *> libcameraBackend()
{
	static std::mutex mutex;
	static const LibcameraBackend *backend = nullptr;
	const std::lock_guard lock(mutex);
	/* A failure is not remembered: there may have been no descriptor, or no memory. */
	if (!backend) {
		const auto loaded = load();
		if (!loaded)
			return loaded;
		backend = *loaded;
	}
	return backend;
}

Result<std::unique_ptr<LibcameraShare>> joinLibcamera()
{
	return libcameraBackend().and_then(
		[](const LibcameraBackend *backend) { return backend->join(); });
}

Result<void> setTuningFile(const std::string &path)
{
	if (!path.empty() && access(path.c_str(), R_OK) < 0)
		return fail(errno, std::format("cannot read the tuning file '{}'", path));
	return libcameraBackend().and_then(
		[&](const LibcameraBackend *backend) { return backend->setTuningFile(path); });
}

} /* namespace heapflow */
