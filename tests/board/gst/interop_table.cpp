/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interop_table.h"

#include "checkout_paths.h"
#include "run_command.h"
#include "temporary_directory.h"
#include "traced.h"
#include "vivid.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>

namespace heapflow::test
{

namespace
{

constexpr size_t columns = 8;

std::string trimmed(std::string text)
{
	text.erase(0, text.find_first_not_of(" `"));
	text.erase(text.find_last_not_of(" `") + 1);
	return text;
}

std::vector<std::string> cellsOf(const std::string &line)
{
	std::vector<std::string> cells;
	std::istringstream text(line);
	std::string cell;

	std::getline(text, cell, '|');
	while (std::getline(text, cell, '|'))
		cells.push_back(trimmed(cell));
	return cells;
}

/* "0" is exactly none; else so many for each frame, to the nearest half, or all there were. */
std::string forEachFrame(double number, double frames)
{
	if (number == 0 || frames == 0)
		return "0";
	const double each = std::round(number / frames * 2) / 2;
	return each > 0 ? std::format("{:g}", each) : std::format("{:g} in all", number);
}

/* Bytes as the kernel was asked for, of one mapping: how many there are depends on the pools. */
std::string mapping(const SystemCalls &calls, unsigned frames)
{
	if (calls.mappings == 0)
		return "never";
	return std::format("{}, {} bytes", calls.mappings < frames / 2 ? "once" : "each frame",
			   calls.mappedBytes / calls.mappings);
}

/* What drivers call their nodes. */
std::string nodeNamed(const std::string &name)
{
	for (const auto &entry : std::filesystem::directory_iterator("/sys/class/video4linux")) {
		std::string text;
		std::getline(std::ifstream(entry.path() / "name") >> std::ws, text);
		if (text.contains(name))
			return "/dev/" + entry.path().filename().string();
	}
	return {};
}

void replaceAll(std::string &text, const std::string &from, const std::string &to)
{
	for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
		text.replace(at, from.size(), to);
}

} /* namespace */

std::ostream &operator<<(std::ostream &out, const InteropResult &result)
{
	return out << result.frames << " | " << result.memory << " | " << result.copied << " | "
		   << result.cpu << " | " << result.mapped;
}

std::string InteropRow::with(const InteropResult &other) const
{
	return std::format("| {} | `{}` | {} | {} | {} | {} | {} | {} |", name, pipeline, setup,
			   other.frames, other.memory, other.copied, other.cpu, other.mapped);
}

std::string InteropRow::testName() const
{
	std::string text;
	bool first = true;
	for (const char c : name) {
		if (!std::isalnum(c)) {
			first = true;
			continue;
		}
		text += char(first ? std::toupper(c) : c);
		first = false;
	}
	return text;
}

std::vector<InteropRow> interopRows()
{
	std::vector<InteropRow> rows;
	std::ifstream file(HEAPFLOW_INTEROP_MD);

	for (std::string line; std::getline(file, line);) {
		if (!line.starts_with("| ") || line.starts_with("| row "))
			continue;
		const std::vector<std::string> cells = cellsOf(line);
		if (cells.size() != columns) {
			fprintf(stderr, "%s: %zu cells in: %s\n", HEAPFLOW_INTEROP_MD, cells.size(),
				line.c_str());
			std::abort();
		}
		rows.push_back({cells[0],
				cells[1],
				cells[2],
				{cells[3], cells[4], cells[5], cells[6], cells[7]}});
	}
	return rows;
}

InteropResult resultOf(const Witnessed &seen, const std::vector<nlohmann::json> &reports)
{
	uint64_t copies = 0;
	for (const nlohmann::json &report : reports)
		copies += report.is_null() ? 0 : copiesIn(report);

	std::istringstream text(seen.output);
	unsigned frames = 0;
	std::string memory;

	for (std::string line; std::getline(text, line);) {
		std::istringstream words(line);
		std::string word, kind;
		words >> word;
		if (word == "frames")
			words >> frames;
		if (word == "memory" && words >> kind)
			memory += (memory.empty() ? "" : ", ") + kind;
		if (word == "error")
			memory = "error";
	}
	return {std::to_string(frames), memory.empty() ? "none" : memory,
		reports.empty() ? "?" : forEachFrame(double(copies), frames),
		forEachFrame(seen.whole.brackets / 2.0, frames), mapping(seen.whole, frames)};
}

std::string InteropSetup::complete(std::string pipeline) const
{
	replaceAll(pipeline, "VIVID", vividNode());
	replaceAll(pipeline, "VIM2M", nodeNamed("vim2m"));
	return pipeline;
}

namespace
{

/*
 * A registry of its own, as the board's was made without the devices of V4L2; of few plugins, as
 * reading all takes seconds.
 */
class ProbedV4l2 : public InteropSetup
{
public:
	ProbedV4l2()
	{
		for (const char *plugin : {"coreelements", "debug", "video4linux2", "videotestsrc"})
			runCommand(std::format("ln -s /usr/lib/*/gstreamer-1.0/libgst{}.so {}",
					       plugin, directory_.path().string()));
	}
	std::string environment() const override
	{
		const std::string directory = directory_.path().string();
		return std::format("GST_V4L2_ENABLE_PROBE=1 GST_REGISTRY_UPDATE=yes "
				   "GST_REGISTRY={}/registry.bin GST_PLUGIN_SYSTEM_PATH_1_0={}",
				   directory, directory);
	}

private:
	TemporaryDirectory directory_;
};

class WithWeston : public InteropSetup
{
public:
	explicit WithWeston(const std::string &renderer, const std::string &backend = "headless",
			    const std::string &more = "")
	{
		runCommand(more + "weston --backend=" + backend + " --renderer=" + renderer +
			   " --socket=interop --idle-time=0 "
			   "--log=" +
			   log() + " & echo $! >" + pid() +
			   "; for i in $(seq 100); do [ -S $XDG_RUNTIME_DIR/interop ] && break; "
			   "sleep 0.1; done");
	}
	/* Until it is gone: the next one must not find its socket. */
	~WithWeston() override
	{
		runCommand("kill $(cat " + pid() + "); for i in $(seq 100); do kill -0 $(cat " +
			   pid() +
			   ") 2>/dev/null || break; sleep 0.1; done; "
			   "rm -f $XDG_RUNTIME_DIR/interop*");
	}
	std::string environment() const override { return "WAYLAND_DISPLAY=interop"; }

private:
	std::string log() const { return (directory_.path() / "log").string(); }
	std::string pid() const { return (directory_.path() / "pid").string(); }

	TemporaryDirectory directory_;
};

/* The board has no virtual terminals: seatd's seat is not bound to one. */
class WithSeatd
{
public:
	WithSeatd()
	{
		runCommand("SEATD_VTBOUND=0 seatd -l error & for i in $(seq 100); do "
			   "[ -S /run/seatd.sock ] && break; sleep 0.1; done");
	}
	~WithSeatd() { runCommand("pkill -x seatd; while pgrep -x seatd; do sleep 0.1; done"); }
};

/* A desktop on the screen of the board: the order of the two is that of their ends. */
class WithWestonOnTheScreen : private WithSeatd, public WithWeston
{
public:
	WithWestonOnTheScreen()
		: WithWeston("gl", "drm --continue-without-input", "LIBSEAT_BACKEND=seatd ")
	{
	}
};

/* Nothing is made here: the program that runs the row is another. */
class WithRtspServer : public InteropSetup
{
public:
	std::string program() const override { return HEAPFLOW_RTSP_ROW; }
};

/*
 * PipeWire and WirePlumber, which offers the cameras. The program that runs the row is another: it
 * brings the peer in the other process.
 */
class WithPipewire : public InteropSetup
{
public:
	WithPipewire()
	{
		runCommand(daemon("pipewire") + waitFor("[ -S $XDG_RUNTIME_DIR/pipewire-0 ]") +
			   daemon("wireplumber") + waitFor("pw-link -o | grep -q platform-vivid"));
	}
	/* Until they are gone, as their socket. */
	~WithPipewire() override
	{
		runCommand("kill $(cat " + pids() + "); for pid in $(cat " + pids() + "); do " +
			   waitFor("! kill -0 $pid 2>/dev/null") +
			   "done; rm -f $XDG_RUNTIME_DIR/pipewire-0*");
	}
	std::string program() const override { return HEAPFLOW_PIPEWIRE_ROW; }

private:
	std::string pids() const { return (directory_.path() / "pids").string(); }
	std::string daemon(const std::string &name) const
	{
		return name + " >" + (directory_.path() / name).string() + " 2>&1 & echo $! >>" +
		       pids() + "; ";
	}
	static std::string waitFor(const std::string &condition)
	{
		return "for i in $(seq 100); do " + condition + " && break; sleep 0.1; done; ";
	}

	TemporaryDirectory directory_;
};

class WithFilm : public InteropSetup
{
public:
	WithFilm()
	{
		runCommand("gst-launch-1.0 videotestsrc num-buffers=100 ! "
			   "video/x-raw,width=320,height=240 ! theoraenc ! oggmux ! filesink "
			   "location=" +
			   film());
	}
	std::string complete(std::string pipeline) const override
	{
		replaceAll(pipeline, "FILM", film());
		return pipeline;
	}

private:
	std::string film() const { return (directory_.path() / "film.ogg").string(); }

	TemporaryDirectory directory_;
};

class WithGl : public InteropSetup
{
public:
	std::string environment() const override
	{
		return "GST_GL_PLATFORM=egl GST_GL_WINDOW=surfaceless LIBGL_ALWAYS_SOFTWARE=1";
	}
};

} /* namespace */

std::unique_ptr<InteropSetup> InteropSetup::make(const std::string &name)
{
	if (name == "-")
		return std::make_unique<InteropSetup>();
	if (name == "probe")
		return std::make_unique<ProbedV4l2>();
	if (name == "weston")
		return std::make_unique<WithWeston>("gl");
	if (name == "weston-pixman")
		return std::make_unique<WithWeston>("pixman");
	if (name == "weston-drm")
		return std::make_unique<WithWestonOnTheScreen>();
	if (name == "rtsp")
		return std::make_unique<WithRtspServer>();
	if (name == "pipewire")
		return std::make_unique<WithPipewire>();
	if (name == "film")
		return std::make_unique<WithFilm>();
	if (name == "gl")
		return std::make_unique<WithGl>();
	return nullptr;
}

} /* namespace heapflow::test */
