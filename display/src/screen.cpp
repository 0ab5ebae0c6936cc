/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the screen that serves. */
#include "heapflow/display/screen.h"

#include "device_search.h"
#include "display_device.h"
#include "kms_screen.h"
#include "mode_choice.h"

namespace heapflow
{

namespace
{

Result<std::unique_ptr<Screen>> openOn(Result<std::shared_ptr<DisplayDevice>> device,
				       const ScreenOptions &options)
{
	if (!device)
		return std::unexpected(device.error());
	auto output = (*device)->output(options);
	if (!output)
		return std::unexpected(output.error());
	return std::make_unique<KmsScreen>(std::move(*output), options);
}

} /* namespace */

Result<std::unique_ptr<Screen>> Screen::open(const ScreenOptions &options)
{
	if (auto readable = checkModeText(options.mode); !readable)
		return std::unexpected(readable.error());
	if (options.fd >= 0)
		return openOn(DisplayDevice::adopt(options.fd), options);
	return firstThatOpens<std::unique_ptr<Screen>>(options, [&](const std::string &path) {
		return openOn(DisplayDevice::open(path, options.seat), options);
	});
}

} /* namespace heapflow */
