/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a library that was built where libcamera could not be run: it is asked when it is needed. */
#include "libcamera_backend.h"

namespace heapflow
{

std::vector<ControlDescription> knownControls()
{
	const auto backend = libcameraBackend();
	return backend ? (*backend)->knownControls() : std::vector<ControlDescription>();
}

} /* namespace heapflow */
