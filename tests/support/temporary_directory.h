/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory that goes with the test. */
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace heapflow::test
{

class TemporaryDirectory
{
public:
	TemporaryDirectory()
	{
		std::string name =
			(std::filesystem::temp_directory_path() / "heapflow-XXXXXX").string();
		if (!mkdtemp(name.data()))
			std::abort();
		path_ = name;
	}
	~TemporaryDirectory()
	{
		std::error_code ignored;
		std::filesystem::remove_all(path_, ignored);
	}
	TemporaryDirectory(const TemporaryDirectory &) = delete;
	TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

	const std::filesystem::path &path() const { return path_; }

	/** \brief Write a file below the directory, with the directories it stands in */
	std::filesystem::path write(const std::filesystem::path &name,
				    std::string_view content) const
	{
		const std::filesystem::path file = path_ / name;
		std::filesystem::create_directories(file.parent_path());
		std::ofstream(file, std::ios::binary) << content;
		return file;
	}

private:
	std::filesystem::path path_;
};

} /* namespace heapflow::test */
