/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "top_state.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace heapflow::tool
{

namespace
{

using std::chrono::milliseconds;

constexpr size_t kPageRows = 10;
constexpr std::array kIntervals = {milliseconds(100),  milliseconds(200),  milliseconds(500),
				   milliseconds(1000), milliseconds(2000), milliseconds(5000),
				   milliseconds(10000)};
constexpr std::array kProcessOrders = {"size", "change", "buffers", "pid", "name"};
constexpr std::array kBufferOrders = {"size", "name", "heap", "holder", "inode"};

/* The orders are few and every row is small: a key for each row says the order in one place. */
template<typename Row, typename Key>
void sortBy(std::vector<Row> &rows, bool reverse, const Key &key)
{
	std::ranges::stable_sort(rows, [&](const Row &one, const Row &other) {
		return reverse ? key(other) < key(one) : key(one) < key(other);
	});
}

template<typename Order>
Order nextOf(Order order, size_t count)
{
	return static_cast<Order>((static_cast<size_t>(order) + 1) % count);
}

} /* namespace */

void sortRows(std::vector<ProcessRow> &rows, ProcessOrder order, bool reverse)
{
	sortBy(rows, reverse, [order](const ProcessRow &row) {
		/* Falling numbers: the complement. */
		std::tuple<uint64_t, std::string, pid_t> key{0, "", row.process.id};
		switch (order) {
		case ProcessOrder::Size:
			std::get<0>(key) = ~row.bytes;
			break;
		case ProcessOrder::Change: {
			/* Who grew most first, then who shrank least. */
			const auto change = static_cast<uint64_t>(row.change.value_or(0));
			std::get<0>(key) = ~(change ^ (uint64_t{1} << 63));
			break;
		}
		case ProcessOrder::Buffers:
			std::get<0>(key) = ~uint64_t{row.buffers};
			break;
		case ProcessOrder::Id:
			break;
		case ProcessOrder::Name:
			std::get<1>(key) = row.process.name;
			break;
		}
		return key;
	});
}

void sortRows(std::vector<BufferRow> &rows, BufferOrder order, bool reverse)
{
	sortBy(rows, reverse, [order](const BufferRow &row) {
		std::tuple<uint64_t, std::string, uint64_t> key{0, "", row.inode};
		switch (order) {
		case BufferOrder::Size:
			std::get<0>(key) = ~row.size;
			break;
		case BufferOrder::Name:
			std::get<1>(key) = row.name;
			break;
		case BufferOrder::Heap:
			std::get<1>(key) = row.heap;
			break;
		case BufferOrder::Holders:
			std::get<1>(key) = row.holders;
			break;
		case BufferOrder::Inode:
			break;
		}
		return key;
	});
}

void TopState::show(Look look)
{
	before_ = std::move(look_);
	look_ = std::move(look);
	flows_ = before_ ? flowsBetween(*before_, *look_) : std::map<std::string, Flow>();
	/* A region or a process that is gone would hide everything. */
	if (!look_->activity.contains(filter_.region))
		filter_.region.clear();
	if (filter_.process && !look_->view.holders.process(*filter_.process))
		filter_.process.reset();
	refresh();
}

void TopState::refresh()
{
	if (!look_)
		return;
	/* The process stays selected, not the line: rows change places. */
	std::optional<pid_t> process;
	std::optional<uint64_t> inode;
	if (pane_ == Pane::Processes && selected_ < processes_.size())
		process = processes_[selected_].process.id;
	if (pane_ == Pane::Buffers && selected_ < buffers_.size())
		inode = buffers_[selected_].inode;

	processes_ = processRows(*look_, before_ ? &*before_ : nullptr, filter_);
	buffers_ = bufferRows(*look_, filter_);
	sortRows(processes_, processOrder_, reverse_);
	sortRows(buffers_, bufferOrder_, reverse_);

	for (size_t i = 0; process && i < processes_.size(); i++) {
		if (processes_[i].process.id == *process)
			selected_ = i;
	}
	for (size_t i = 0; inode && i < buffers_.size(); i++) {
		if (buffers_[i].inode == *inode)
			selected_ = i;
	}
	selected_ = std::min(selected_, rows() ? rows() - 1 : 0);
}

size_t TopState::rows() const
{
	return pane_ == Pane::Processes ? processes_.size() : buffers_.size();
}

std::string TopState::orderName() const
{
	return pane_ == Pane::Processes ? kProcessOrders[static_cast<size_t>(processOrder_)]
					: kBufferOrders[static_cast<size_t>(bufferOrder_)];
}

/* All regions, then each of them, and round. */
void TopState::turnRegion(int step)
{
	if (!look_)
		return;
	std::vector<std::string> ids = {""};
	for (const RegionView &one : look_->view.regions)
		ids.push_back(one.region.id);
	const auto here = std::ranges::find(ids, filter_.region) - ids.begin();
	const auto count = static_cast<ptrdiff_t>(ids.size());
	filter_.region = ids[static_cast<size_t>((here + step + count) % count)];
	selected_ = 0;
}

void TopState::changeInterval(bool faster)
{
	if (faster) {
		const auto next = std::ranges::lower_bound(kIntervals, interval_);
		interval_ = next == kIntervals.begin() ? kIntervals.front() : *(next - 1);
	} else {
		const auto next = std::ranges::upper_bound(kIntervals, interval_);
		interval_ =
			next == kIntervals.end() ? std::max(interval_, kIntervals.back()) : *next;
	}
}

void TopState::move(TopKey key)
{
	const size_t last = rows() ? rows() - 1 : 0;
	const size_t step = key == TopKey::PageUp || key == TopKey::PageDown ? kPageRows : 1;
	switch (key) {
	case TopKey::Up:
	case TopKey::PageUp:
		selected_ -= std::min(step, selected_);
		break;
	case TopKey::Down:
	case TopKey::PageDown:
		selected_ = std::min(last, selected_ + step);
		break;
	case TopKey::First:
		selected_ = 0;
		break;
	default:
		selected_ = last;
		break;
	}
}

/* The buffers of the process under the bar. */
void TopState::select()
{
	if (pane_ != Pane::Processes || selected_ >= processes_.size())
		return;
	filter_.process = processes_[selected_].process.id;
	pane_ = Pane::Buffers;
	selected_ = 0;
}

void TopState::back()
{
	if (help_) {
		help_ = false;
	} else if (filter_.process) {
		filter_.process.reset();
		pane_ = Pane::Processes;
	} else if (!filter_.region.empty()) {
		filter_.region.clear();
	} else {
		pane_ = Pane::Processes;
	}
	selected_ = 0;
}

void TopState::press(TopKey key)
{
	switch (key) {
	case TopKey::Quit:
		quit_ = true;
		return;
	case TopKey::Help:
		help_ = !help_;
		return;
	case TopKey::Pause:
		paused_ = !paused_;
		return;
	case TopKey::LookNow:
		lookNow_ = true;
		return;
	case TopKey::Faster:
	case TopKey::Slower:
		changeInterval(key == TopKey::Faster);
		return;
	case TopKey::OtherPane:
		pane_ = pane_ == Pane::Processes ? Pane::Buffers : Pane::Processes;
		selected_ = 0;
		break;
	case TopKey::NextOrder:
		if (pane_ == Pane::Processes)
			processOrder_ = nextOf(processOrder_, kProcessOrders.size());
		else
			bufferOrder_ = nextOf(bufferOrder_, kBufferOrders.size());
		break;
	case TopKey::Reverse:
		reverse_ = !reverse_;
		break;
	case TopKey::NextRegion:
	case TopKey::PreviousRegion:
		turnRegion(key == TopKey::NextRegion ? 1 : -1);
		break;
	case TopKey::Select:
		select();
		break;
	case TopKey::Back:
		back();
		break;
	default:
		move(key);
		return;
	}
	refresh();
}

} /* namespace heapflow::tool */
