/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "caller.h"

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string_view>

#include <execinfo.h>
#include <link.h>

namespace heapflow::torture
{

namespace
{

enum class Owner { Ours, Helper, Other };

struct Module {
	uintptr_t begin = 0;
	uintptr_t end = 0;
	uintptr_t base = 0;
	Owner owner = Owner::Other;
	std::array<char, 64> name{};
};

Owner ownerOf(std::string_view file)
{
	for (const std::string_view beginning : {"libheapflow", "libgstheap"})
		if (file.starts_with(beginning))
			return Owner::Ours;
	if (file == "heapctl")
		return Owner::Ours;
	for (const std::string_view beginning :
	     {"libdrm.", "libpng16.", "libudev.", "libseat.", "libstdc++.", "libz."})
		if (file.starts_with(beginning))
			return Owner::Helper;
	return Owner::Other;
}

/* The loaded objects; no memory of its own, because malloc() may be the caller. */
class Modules
{
public:
	const Module *find(const void *address)
	{
		const std::lock_guard lock(mutex_);
		if (const Module *known = lookUp(address))
			return known;
		/* Loaded since: a plugin of GStreamer's, an IPA of libcamera's. */
		count_ = 0;
		dl_iterate_phdr(add, this);
		return lookUp(address);
	}

private:
	const Module *lookUp(const void *address) const
	{
		const auto wanted = reinterpret_cast<uintptr_t>(address);
		for (size_t i = 0; i < count_; i++) {
			if (wanted >= modules_[i].begin && wanted < modules_[i].end)
				return &modules_[i];
		}
		return nullptr;
	}

	static int add(dl_phdr_info *info, size_t, void *data)
	{
		auto *self = static_cast<Modules *>(data);
		if (self->count_ == self->modules_.size())
			return 1;
		Module &module = self->modules_[self->count_];
		module.base = info->dlpi_addr;
		module.begin = UINTPTR_MAX;
		module.end = 0;
		for (int i = 0; i < info->dlpi_phnum; i++) {
			const ElfW(Phdr) &header = info->dlpi_phdr[i];
			if (header.p_type != PT_LOAD)
				continue;
			const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
			module.begin = begin < module.begin ? begin : module.begin;
			const uintptr_t end = begin + header.p_memsz;
			module.end = end > module.end ? end : module.end;
		}
		/* The program itself has no name here. */
		const char *path = info->dlpi_name && *info->dlpi_name ? info->dlpi_name
								       : program_invocation_name;
		const char *slash = std::strrchr(path, '/');
		const std::string_view file = slash ? slash + 1 : path;
		module.owner = ownerOf(file);
		module.name.fill('\0');
		file.copy(module.name.data(), module.name.size() - 1);
		self->count_++;
		return 0;
	}

	std::mutex mutex_;
	size_t count_ = 0;
	std::array<Module, 512> modules_;
};

Modules &modules()
{
	static Modules only;
	return only;
}

/* Frames of ours that tell one call stack from another. */
constexpr int tellingFrames = 4;

} /* namespace */

Origin originOf(const void *caller)
{
	const Module *first = modules().find(caller);
	if (!first || first->owner == Owner::Other)
		return {};

	/* The unwinder reads .eh_frame: frame pointers are not needed. */
	std::array<void *, 64> stack;
	const int depth = backtrace(stack.data(), int(stack.size()));
	Origin origin;
	int told = 0;
	bool reached = false;
	for (int i = 0; i < depth && told < tellingFrames; i++) {
		reached = reached || stack[size_t(i)] == caller;
		const Module *module = reached ? modules().find(stack[size_t(i)]) : nullptr;
		if (!module)
			continue;
		if (module->owner == Owner::Other && !origin.library)
			return {};
		if (module->owner != Owner::Ours)
			continue;
		const auto offset =
			uint32_t(reinterpret_cast<uintptr_t>(stack[size_t(i)]) - module->base);
		if (!origin.library) {
			origin.library = module->name.data();
			origin.offset = offset;
		}
		origin.stack = (origin.stack ^ offset) * 0x100000001b3;
		told++;
	}
	return origin;
}

} /* namespace heapflow::torture */
