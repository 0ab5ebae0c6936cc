/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_program.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heapflow::tool
{

namespace
{

constexpr size_t kMost = 64 << 20;

Result<std::string> readAll(int fd, const std::string &what)
{
	std::string content;
	char part[65536];
	while (content.size() <= kMost) {
		const ssize_t count = read(fd, part, sizeof(part));
		if (count == 0)
			return content;
		if (count > 0)
			content.append(part, static_cast<size_t>(count));
		else if (errno != EINTR)
			return fail(errno, "cannot read " + what);
	}
	return fail(EFBIG, what + " is larger than 64 MiB");
}

Result<void> writeAll(int fd, std::string_view content)
{
	while (!content.empty()) {
		const ssize_t count = write(fd, content.data(), content.size());
		if (count >= 0)
			content.remove_prefix(static_cast<size_t>(count));
		else if (errno != EINTR)
			return fail(errno,
				    "cannot pass on " + std::to_string(content.size()) + " bytes");
	}
	return {};
}

/* Files in memory in the place of pipes: nobody has to read one while writing another. */
struct Streams {
	UniqueFd input{memfd_create("input", MFD_CLOEXEC)};
	UniqueFd output{memfd_create("output", MFD_CLOEXEC)};
	UniqueFd errors{memfd_create("errors", MFD_CLOEXEC)};
};

Result<int> spawnAndWait(const std::vector<std::string> &arguments, const Streams &streams)
{
	std::vector<char *> words;
	for (const std::string &argument : arguments)
		words.push_back(const_cast<char *>(argument.c_str()));
	words.push_back(nullptr);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, streams.input.get(), STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, streams.output.get(), STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, streams.errors.get(), STDERR_FILENO);
	pid_t child = 0;
	const int error = posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return fail(error, "cannot run " + arguments[0]);

	int status = 0;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return fail(errno, "cannot wait for " + arguments[0]);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} /* namespace */

Result<ProgramOutput> runProgram(const std::vector<std::string> &arguments, std::string_view input)
{
	const Streams streams;
	for (const UniqueFd *fd : {&streams.input, &streams.output, &streams.errors}) {
		if (!fd->valid())
			return fail(errno, "cannot make a file in memory");
	}
	if (const auto written = writeAll(streams.input.get(), input); !written)
		return std::unexpected(written.error());
	lseek(streams.input.get(), 0, SEEK_SET);

	const auto status = spawnAndWait(arguments, streams);
	if (!status)
		return std::unexpected(status.error());
	lseek(streams.output.get(), 0, SEEK_SET);
	lseek(streams.errors.get(), 0, SEEK_SET);
	auto output = readAll(streams.output.get(), "the output of " + arguments[0]);
	if (!output)
		return std::unexpected(output.error());
	auto errors = readAll(streams.errors.get(), "the messages of " + arguments[0]);
	if (!errors)
		return std::unexpected(errors.error());
	return ProgramOutput{*status, std::move(*output), std::move(*errors)};
}

Result<std::string> readWholeFile(const std::string &file)
{
	if (file == "-")
		return readAll(STDIN_FILENO, "standard input");
	const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
	if (!fd.valid())
		return fail(errno, "cannot open " + file);
	return readAll(fd.get(), file);
}

} /* namespace heapflow::tool */
