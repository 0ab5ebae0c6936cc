/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that libdrm allocated, freed by the function that libdrm gives for it. */
#pragma once

#include <memory>

namespace heapflow
{

template<auto Free>
struct DrmFree {
	template<typename T>
	void operator()(T *pointer) const
	{
		Free(pointer);
	}
};

template<typename T, auto Free>
using DrmPtr = std::unique_ptr<T, DrmFree<Free>>;

} /* namespace heapflow */
