/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A blob that a property is set to, destroyed with its owner. */
#pragma once

#include "heapflow/heap/error.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <xf86drmMode.h>

namespace heapflow
{

/** \brief Sole owner of a property blob; a property that is set to it keeps it alive by itself */
class PropertyBlob
{
public:
	static Result<PropertyBlob> create(int drm, const void *data, size_t size)
	{
		uint32_t id = 0;
		/* 0 or a negative errno (xf86drmMode.c) */
		if (const int code = drmModeCreatePropertyBlob(drm, data, size, &id))
			return fail(-code, "cannot make a property blob");
		return PropertyBlob(drm, id);
	}

	PropertyBlob() = default;
	PropertyBlob(PropertyBlob &&other) noexcept
		: drm_(other.drm_), id_(std::exchange(other.id_, 0))
	{
	}
	PropertyBlob &operator=(PropertyBlob &&other) noexcept
	{
		std::swap(drm_, other.drm_);
		std::swap(id_, other.id_);
		return *this;
	}
	~PropertyBlob()
	{
		if (id_)
			drmModeDestroyPropertyBlob(drm_, id_);
	}

	uint32_t id() const { return id_; }

private:
	PropertyBlob(int drm, uint32_t id) : drm_(drm), id_(id) {}

	int drm_ = -1;
	uint32_t id_ = 0;
};

} /* namespace heapflow */
