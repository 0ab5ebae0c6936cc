/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"

#if HAVE_DISPLAY
#include "heapflow/display/screen_capture.h"
#endif

#include <cerrno>
#include <format>
#include <iostream>
#include <memory>
#include <unistd.h>

namespace heapflow::tool
{

namespace
{

constexpr const char *kScreenshotExamples =
	"While another program shows something, root is needed: the kernel shows framebuffers to\n"
	"nobody else. The picture is then composed by the CPU; else the display writes it back.\n"
	"Status: 0 done, 1 failed, 2 used wrongly.\n\n"
	"Examples:\n"
	"  heapctl screenshot screen.png\n"
	"  heapctl screenshot --connector HDMI-A-1 screen.png\n"
	"  heapctl screenshot --driver vkms - | display";

struct ScreenshotOptions {
	bool json = false;
	std::string file;
	std::string device;
	std::string driver;
	std::string busId;
	std::string connector;
};

#if HAVE_DISPLAY

int printCapture(const ScreenCapture &capture, const ScreenshotOptions &options)
{
	if (options.json)
		return printJson({{"file", options.file},
				  {"device", capture.device},
				  {"connector", capture.connector},
				  {"method", capture.method},
				  {"width", capture.image.width},
				  {"height", capture.image.height}});
	/* The picture itself goes to stdout then. */
	if (options.file == "-")
		return kSuccess;
	return print(std::format("{}: {}x{}, {} of {}, by {}\n", options.file, capture.image.width,
				 capture.image.height, capture.connector, capture.device,
				 capture.method));
}

int screenshot(const ScreenshotOptions &options)
{
	if (options.file == "-" && isatty(STDOUT_FILENO))
		return report({EINVAL, "a picture is no text for a terminal", "Name a file"},
			      kUsage);
	if (options.file == "-" && options.json)
		return report({EINVAL, "--json and the picture cannot both go to stdout", ""},
			      kUsage);
	const auto capture = captureScreen({.device = options.device,
					    .driver = options.driver,
					    .busId = options.busId,
					    .connector = options.connector});
	if (!capture)
		return report(capture.error());
	const std::string path = options.file == "-" ? "/dev/stdout" : options.file;
	if (auto written = writePng(capture->image, path); !written)
		return report(written.error());
	return printCapture(*capture, options);
}

#else

int screenshot(const ScreenshotOptions &)
{
	return report({ENOTSUP, "this heapctl was built without the display library",
		       "Build with -Ddisplay=enabled"});
}

#endif

} /* namespace */

void addScreenshotCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("screenshot", "Write what a screen shows to a PNG file");
	const auto options = std::make_shared<ScreenshotOptions>();
	command->footer(kScreenshotExamples);
	command->add_option("FILE", options->file, "The PNG file, or - for standard output")
		->required();
	command->add_option("--device", options->device, "Path of the KMS device (the first lit)")
		->type_name("PATH");
	command->add_option("--driver", options->driver, "Name of its driver, such as vkms")
		->type_name("NAME");
	command->add_option("--bus-id", options->busId, "Its bus id, such as faux:vkms")
		->type_name("ID");
	command->add_option("--connector", options->connector,
			    "Name or id of the connector, such as HDMI-A-1")
		->type_name("NAME");
	addJson(command, options->json);
	command->callback([&run, options] {
		run = [options] {
			return screenshot(*options);
		};
	});
}

} /* namespace heapflow::tool */
