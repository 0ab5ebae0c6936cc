/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `heapctl top` on a terminal, with a keyboard, and without. */
#include "other_holder.h"
#include "run_command.h"

#include "board_heaps.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <regex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

using namespace heapflow;
using heapflow::test::OtherHolder;
using heapflow::test::runCommand;
using testing::HasSubstr;

namespace
{

using Clock = std::chrono::steady_clock;

/* A terminal of 30 lines and 120 columns with `heapctl top` on it. */
class TopOnTerminal
{
public:
	explicit TopOnTerminal(std::vector<const char *> more = {})
	{
		winsize size{.ws_row = 30, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
		std::vector<const char *> words = {"heapctl", "top", "--interval", "0.2"};
		words.insert(words.end(), more.begin(), more.end());
		words.push_back(nullptr);
		process_ = forkpty(&terminal_, nullptr, nullptr, &size);
		if (process_ == 0) {
			setenv("TERM", "xterm-256color", 1);
			execvp("heapctl", const_cast<char *const *>(words.data()));
			_exit(127);
		}
	}

	~TopOnTerminal()
	{
		if (process_ > 0) {
			kill(process_, SIGKILL);
			waitpid(process_, nullptr, 0);
		}
		close(terminal_);
	}

	TopOnTerminal(const TopOnTerminal &) = delete;
	TopOnTerminal &operator=(const TopOnTerminal &) = delete;

	void press(const char *keys) { EXPECT_GT(write(terminal_, keys, strlen(keys)), 0); }

	/* Reads until `text` was drawn after the last call; false when it was not in ten seconds.
	 */
	bool shows(const std::string &text)
	{
		std::string drawn;
		const auto end = Clock::now() + std::chrono::seconds(10);
		while (Clock::now() < end) {
			if (!readSome(drawn))
				break;
			if (plain(drawn).find(text) != std::string::npos)
				return true;
		}
		ADD_FAILURE() << "not shown: " << text << "\n" << plain(drawn);
		return false;
	}

	/* The exit status, 128 and the number for a signal. */
	int end()
	{
		int status = 0;
		const auto end = Clock::now() + std::chrono::seconds(10);
		while (readSome(last_)) {
			if (Clock::now() > end)
				kill(process_, SIGKILL);
		}
		waitpid(process_, &status, 0);
		process_ = -1;
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}

	pid_t process() const { return process_; }

	/* Out of the second screen, with the cursor, and typing is echoed again. */
	void expectTerminalAsBefore()
	{
		EXPECT_THAT(last_, HasSubstr("\x1b[?1049l"));
		EXPECT_THAT(last_, HasSubstr("\x1b[?25h"));
		termios now{};
		tcgetattr(terminal_, &now);
		EXPECT_EQ(now.c_lflag & (ICANON | ECHO), tcflag_t{ICANON | ECHO});
	}

private:
	bool readSome(std::string &to) const
	{
		pollfd file{terminal_, POLLIN, 0};
		if (poll(&file, 1, 5000) <= 0)
			return false;
		char bytes[4096];
		const ssize_t got = read(terminal_, bytes, sizeof(bytes));
		if (got <= 0) /* EIO: nobody has it open any more */
			return false;
		to.append(bytes, static_cast<size_t>(got));
		return true;
	}

	static std::string plain(const std::string &drawn)
	{
		static const std::regex escape("\x1b\\[[?0-9;]*[ ]?[A-Za-z]");
		return std::regex_replace(drawn, escape, "");
	}

	pid_t process_ = -1;
	int terminal_ = -1;
	std::string last_;
};

} /* namespace */

TEST(Top, ShowsRegionsProcessesAndBuffersAndObeysTheKeyboard)
{
	const OtherHolder holder("video@42000000", "8M", 3);
	ASSERT_TRUE(holder.held());
	TopOnTerminal top;
	ASSERT_TRUE(top.shows("processes: 1, by size"));
	ASSERT_TRUE(top.shows("video@42000000 24 MiB"));
	top.press("\t");
	ASSERT_TRUE(top.shows("buffers: 3, by size"));
	top.press("s");
	ASSERT_TRUE(top.shows("buffers: 3, by name"));
	top.press("\t\r");
	ASSERT_TRUE(top.shows("buffers: 3 held by"));
	top.press("\x1b[C");
	ASSERT_TRUE(top.shows("buffers: 0 of region linux,cma held by"));
	top.press("h");
	ASSERT_TRUE(top.shows("h or esc: back"));
	top.press("h ");
	ASSERT_TRUE(top.shows("PAUSED"));
	top.press("q");
	EXPECT_EQ(top.end(), 0);
	top.expectTerminalAsBefore();
}

TEST(Top, ShowsWhatHappensMeanwhile)
{
	TopOnTerminal top;
	ASSERT_TRUE(top.shows("processes: 0"));
	{
		const OtherHolder holder("system", "2M");
		ASSERT_TRUE(holder.held());
		ASSERT_TRUE(top.shows("processes: 1"));
	}
	ASSERT_TRUE(top.shows("processes: 0"));
	top.press("q");
	EXPECT_EQ(top.end(), 0);
}

TEST(Top, EndingSignalsGiveTheTerminalBack)
{
	TopOnTerminal byKey;
	ASSERT_TRUE(byKey.shows("processes: 0"));
	byKey.press("\x03");
	EXPECT_EQ(byKey.end(), 130);
	byKey.expectTerminalAsBefore();

	TopOnTerminal bySignal;
	ASSERT_TRUE(bySignal.shows("processes: 0"));
	kill(bySignal.process(), SIGTERM);
	EXPECT_EQ(bySignal.end(), 143);
	bySignal.expectTerminalAsBefore();
}

TEST(Top, WithoutATerminalOneLookAndANote)
{
	const auto once = runCommand("heapctl top --interval 0.1 </dev/null 2>&1");
	EXPECT_EQ(once.status, 0);
	EXPECT_THAT(once.output, HasSubstr("no terminal for the live view"));
	EXPECT_THAT(once.output, HasSubstr("video@42000000"));
	EXPECT_THAT(once.output, HasSubstr("no process holds a buffer"));
}

TEST(Top, RatesAreThoseOfTheKernel)
{
	/* 16 MiB asked for between the looks, of which 8 come back. */
	const auto run = runCommand(
		"heapctl top --json --once --interval 3 & sleep 1; heapctl alloc video@42000000 8M "
		">/dev/null; heapctl alloc video@42000000 8M --hold 4 >/dev/null & wait");
	ASSERT_EQ(run.status, 0);
	const auto json = nlohmann::json::parse(run.output);
	const double seconds = json["interval_seconds"];
	for (const auto &region : json["regions"]) {
		if (region["id"] != "video@42000000")
			continue;
		EXPECT_NEAR(region["rates"]["allocated_bytes_per_second"].get<double>() * seconds,
			    16 << 20, 1);
		EXPECT_NEAR(region["rates"]["released_bytes_per_second"].get<double>() * seconds,
			    8 << 20, 1);
		EXPECT_EQ(region["holders"]["bytes"], 8 << 20);
		return;
	}
	FAIL() << run.output;
}

TEST(Top, UsedWrongly)
{
	for (const char *options :
	     {"--interval 0", "--interval x", "--count 0", "--once --count 2"})
		EXPECT_EQ(runCommand(std::string("heapctl top ") + options + " 2>&1").status, 2)
			<< options;
}
