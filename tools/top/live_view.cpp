/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live_view.h"

#include "../ending_signals.h"
#include "../output.h"
#include "../region_picture.h"
#include "report.h"
#include "top_state.h"

#include <cstdlib>
#include <sstream>

#include <ftxui/component/component.hpp>
#include <ftxui/component/loop.hpp>
#include <ftxui/component/screen_interactive.hpp>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/terminal.hpp>
#include <poll.h>

namespace heapflow::tool
{

namespace
{

using namespace ftxui;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/* How soon a key shows: FTXUI looks at the keyboard as often. */
constexpr int kTick = 20;

constexpr const char *kKeys = "q quit  h help  tab pane  s sort  left/right region  enter open  "
			      "space pause  +/-";

constexpr const char *kHelp =
	"REGIONS   USED of SIZE; the largest free run; buffers that processes hold. GIVEN and "
	"BACK\n"
	"          are bytes a second by the kernel's counters; \">=\" where it has none and the\n"
	"          buffers that came and went are counted. REFUSED: bytes asked for in vain since\n"
	"          the look before.\n"
	"PROCESSES what each holds by descriptor or mapping. A shared buffer is in each of them.\n"
	"BUFFERS   each once; REFS counts descriptors, mappings and importers in the kernel.\n"
	"\n"
	"  up down, k j         the row above, below       pgup pgdn home end\n"
	"  left right, [ ]      one region, or all         enter  the buffers of this process\n"
	"  tab                  processes or buffers       esc    back\n"
	"  s                    sort by the next column    r      the other way round\n"
	"  space                pause and go on            n      look now\n"
	"  + -                  look more often, less      q      quit\n";

std::optional<TopKey> keyOf(const Event &event)
{
	static const std::vector<std::pair<Event, TopKey>> keys = {
		{Event::Character('q'), TopKey::Quit},
		{Event::Character('h'), TopKey::Help},
		{Event::Character('?'), TopKey::Help},
		{Event::F1, TopKey::Help},
		{Event::Character(' '), TopKey::Pause},
		{Event::Character('p'), TopKey::Pause},
		{Event::Character('+'), TopKey::Faster},
		{Event::Character('-'), TopKey::Slower},
		{Event::Tab, TopKey::OtherPane},
		{Event::TabReverse, TopKey::OtherPane},
		{Event::Character('s'), TopKey::NextOrder},
		{Event::Character('r'), TopKey::Reverse},
		{Event::ArrowRight, TopKey::NextRegion},
		{Event::Character(']'), TopKey::NextRegion},
		{Event::ArrowLeft, TopKey::PreviousRegion},
		{Event::Character('['), TopKey::PreviousRegion},
		{Event::ArrowUp, TopKey::Up},
		{Event::Character('k'), TopKey::Up},
		{Event::ArrowDown, TopKey::Down},
		{Event::Character('j'), TopKey::Down},
		{Event::PageUp, TopKey::PageUp},
		{Event::PageDown, TopKey::PageDown},
		{Event::Home, TopKey::First},
		{Event::End, TopKey::Last},
		{Event::Return, TopKey::Select},
		{Event::Escape, TopKey::Back},
		{Event::Character('n'), TopKey::LookNow},
	};
	for (const auto &[known, key] : keys) {
		if (event == known)
			return key;
	}
	return std::nullopt;
}

std::vector<std::string> linesOf(const std::string &text_)
{
	std::istringstream stream(text_);
	std::vector<std::string> lines;
	for (std::string line; std::getline(stream, line);)
		lines.push_back(std::move(line));
	return lines;
}

/* The title in bold, and one row marked. */
Elements tableElements(const Table &table, std::optional<size_t> marked)
{
	Elements elements;
	for (const std::string &line : linesOf(table.text())) {
		Element element = text(line);
		if (elements.empty())
			element = element | bold;
		else if (marked && elements.size() == *marked + 1)
			element = element | inverted | focus;
		elements.push_back(element);
	}
	return elements;
}

Element regionPane(const TopState &state)
{
	const auto &regions = state.look()->view.regions;
	std::optional<size_t> chosen;
	for (size_t i = 0; i < regions.size(); i++) {
		if (!state.filter().region.empty() && regions[i].region.id == state.filter().region)
			chosen = i;
	}
	return vbox(tableElements(regionTable(*state.look(), state.flows()), chosen));
}

std::string rowsTitle(const TopState &state)
{
	const bool processes = state.pane() == TopState::Pane::Processes;
	std::string title = processes ? "processes: " + std::to_string(state.processes().size())
				      : "buffers: " + std::to_string(state.buffers().size());
	if (!state.filter().region.empty())
		title += " of region " + safeText(state.filter().region);
	if (state.filter().process)
		title += " held by " + std::to_string(*state.filter().process);
	return title + ", by " + state.orderName() + (state.reversed() ? " reversed" : "");
}

Element rowsPane(const TopState &state)
{
	const bool processes = state.pane() == TopState::Pane::Processes;
	const Table table =
		processes ? processTable(state.processes()) : bufferTable(state.buffers());
	Elements lines = tableElements(table, state.selected());
	Element title = lines.front();
	lines.erase(lines.begin());
	if (lines.empty())
		lines.push_back(text("none") | dim);
	return vbox({text(rowsTitle(state)) | color(Color::Cyan), title,
		     vbox(std::move(lines)) | yframe | flex}) |
	       flex;
}

std::string headline(const TopState &state)
{
	const auto tenths = state.interval().count() / 100;
	return "heapctl top   " + state.look()->utc + "   every " + std::to_string(tenths / 10) +
	       (tenths % 10 ? "." + std::to_string(tenths % 10) : "") + " s" +
	       (state.paused() ? "   PAUSED" : "");
}

Element document(const TopState &state, const std::string &problem)
{
	if (state.help()) {
		Elements lines;
		for (const std::string &line : linesOf(kHelp))
			lines.push_back(text(line));
		lines.push_back(text(""));
		lines.push_back(text("h or esc: back") | bold);
		return vbox(std::move(lines));
	}
	Elements parts = {text(headline(state)) | bold};
	if (!problem.empty())
		parts.push_back(text(problem) | color(Color::Red));
	parts.insert(parts.end(),
		     {separatorEmpty(), regionPane(state), separatorEmpty(), rowsPane(state)});
	if (const std::string unread = describeUnread(state.look()->view.holders); !unread.empty())
		parts.push_back(text(safeText(unread)) | dim);
	parts.push_back(text(kKeys) | dim);
	return vbox(std::move(parts));
}

class LiveView
{
public:
	LiveView(const SystemPaths &paths, milliseconds interval) : paths_(paths), state_(interval)
	{
	}

	/* False with an error in report(): then the first look failed, and there is no view. */
	bool begin();
	int run(const UniqueFd &signals);

private:
	void look();

	const SystemPaths &paths_;
	TopState state_;
	std::string problem_; /* of the last look; what was seen before stays on the screen */
	Clock::time_point next_;
};

bool LiveView::begin()
{
	auto first = takeLook(paths_);
	if (!first) {
		report(first.error());
		return false;
	}
	state_.show(std::move(*first));
	next_ = Clock::now() + state_.interval();
	return true;
}

void LiveView::look()
{
	auto next = takeLook(paths_);
	problem_ = next ? "" : safeText(Error{next.error().code, next.error().message, {}}.text());
	if (next)
		state_.show(std::move(*next));
	next_ = Clock::now() + state_.interval();
}

int LiveView::run(const UniqueFd &signals)
{
	auto screen = ScreenInteractive::Fullscreen();
	screen.TrackMouse(false);
	const auto view = CatchEvent(Renderer([this] { return document(state_, problem_); }),
				     [this](const Event &event) {
					     const auto key = keyOf(event);
					     if (key)
						     state_.press(*key);
					     return key.has_value();
				     });
	Loop loop(&screen, view);
	while (!loop.HasQuitted()) {
		loop.RunOnce();
		if (state_.quit())
			return kSuccess;
		pollfd file{signals.get(), POLLIN, 0};
		poll(&file, 1, kTick);
		if (const auto status = endedBySignal(signals))
			return *status;
		const bool due = !state_.paused() && Clock::now() >= next_;
		if (state_.takeLookNow() || due) {
			look();
			screen.PostEvent(Event::Custom);
		}
	}
	return kSuccess;
}

} /* namespace */

bool haveLiveView()
{
	return true;
}

int runLiveView(const SystemPaths &paths, milliseconds interval, const UniqueFd &signals)
{
	if (const char *noColor = std::getenv("NO_COLOR"); noColor && *noColor)
		Terminal::SetColorSupport(Terminal::Color::Palette1);
	LiveView view(paths, interval);
	return view.begin() ? view.run(signals) : kFailure;
}

} /* namespace heapflow::tool */
