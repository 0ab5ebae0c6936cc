/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host wants done on the board, as board/run writes it into the file "order". */
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace board
{

struct Order {
	std::string directory = "/";
	std::vector<std::string> mounts; /* host directories, writable at the same path */
	std::vector<std::string> environment;
	std::vector<std::string> arguments;
	std::string modules;              /* host directory of the kernel's modules */
	std::vector<std::string> drivers; /* modules to load, by their path below it */
	std::string bootId; /* instead of the kernel's random one; empty: the kernel's */
	bool terminal = false;
	bool input = true;  /* the host will send Stdin */
	bool leaks = false; /* of the kernel's memory are to be looked for at the end */
	winsize size = {};
};

/* The file is a sequence of NUL-terminated strings, a keyword and its value each. */
inline std::optional<Order> readOrder(const std::string &path)
{
	const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return std::nullopt;
	std::string text;
	char buffer[65536];
	for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;)
		text.append(buffer, static_cast<size_t>(n));
	close(fd);

	Order order;
	size_t at = 0;
	auto take = [&]() {
		const size_t end = text.find('\0', at);
		std::string word = text.substr(at, end == std::string::npos ? end : end - at);
		at = end == std::string::npos ? text.size() : end + 1;
		return word;
	};
	while (at < text.size()) {
		const std::string key = take();
		const std::string value = take();
		if (key == "directory")
			order.directory = value;
		else if (key == "mount")
			order.mounts.push_back(value);
		else if (key == "environment")
			order.environment.push_back(value);
		else if (key == "argument")
			order.arguments.push_back(value);
		else if (key == "modules")
			order.modules = value;
		else if (key == "driver")
			order.drivers.push_back(value);
		else if (key == "boot-id")
			order.bootId = value;
		else if (key == "terminal")
			order.terminal = true;
		else if (key == "input")
			order.input = value != "none";
		else if (key == "leaks")
			order.leaks = value == "yes";
		else if (key == "rows")
			order.size.ws_row = static_cast<unsigned short>(atoi(value.c_str()));
		else if (key == "columns")
			order.size.ws_col = static_cast<unsigned short>(atoi(value.c_str()));
	}
	return order;
}

} /* namespace board */
