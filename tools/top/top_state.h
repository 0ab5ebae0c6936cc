/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the keys of the live view do: which rows, in which order, how often. Pure. */
#pragma once

#include "look.h"

#include <chrono>
#include <string>
#include <vector>

namespace heapflow::tool
{

enum class ProcessOrder { Size, Change, Buffers, Id, Name };
enum class BufferOrder { Size, Name, Heap, Holders, Inode };

/** \brief Largest or first in the alphabet first, the other way round with `reverse`; ties by
 * number */
void sortRows(std::vector<ProcessRow> &rows, ProcessOrder order, bool reverse);
void sortRows(std::vector<BufferRow> &rows, BufferOrder order, bool reverse);

enum class TopKey {
	Quit,
	Help,
	Pause,
	Faster,
	Slower,
	OtherPane,
	NextOrder,
	Reverse,
	NextRegion,
	PreviousRegion,
	Up,
	Down,
	PageUp,
	PageDown,
	First,
	Last,
	Select,
	Back,
	LookNow,
};

/** \brief The view as its user left it; changed by one thread, that of the screen */
class TopState
{
public:
	enum class Pane { Processes, Buffers };

	explicit TopState(std::chrono::milliseconds interval) : interval_(interval) {}

	/** \brief Takes the next look, and with it the regions and the rows there are */
	void show(Look look);

	void press(TopKey key);

	bool quit() const { return quit_; }
	bool help() const { return help_; }
	bool paused() const { return paused_; }
	/** \brief A look is wanted at once; told once */
	bool takeLookNow() { return std::exchange(lookNow_, false); }
	std::chrono::milliseconds interval() const { return interval_; }
	Pane pane() const { return pane_; }
	const TopFilter &filter() const { return filter_; }
	size_t selected() const { return selected_; }
	std::string orderName() const;
	bool reversed() const { return reverse_; }

	const Look *look() const { return look_ ? &*look_ : nullptr; }
	const std::map<std::string, Flow> &flows() const { return flows_; }
	const std::vector<ProcessRow> &processes() const { return processes_; }
	const std::vector<BufferRow> &buffers() const { return buffers_; }

private:
	void refresh();
	size_t rows() const;
	void turnRegion(int step);
	void changeInterval(bool faster);
	void move(TopKey key);
	void select();
	void back();

	std::chrono::milliseconds interval_;
	std::optional<Look> before_;
	std::optional<Look> look_;
	std::map<std::string, Flow> flows_;
	std::vector<ProcessRow> processes_;
	std::vector<BufferRow> buffers_;
	TopFilter filter_;
	Pane pane_ = Pane::Processes;
	ProcessOrder processOrder_ = ProcessOrder::Size;
	BufferOrder bufferOrder_ = BufferOrder::Size;
	bool reverse_ = false;
	size_t selected_ = 0;
	bool quit_ = false;
	bool help_ = false;
	bool paused_ = false;
	bool lookNow_ = false;
};

} /* namespace heapflow::tool */
