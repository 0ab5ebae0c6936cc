/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guarded_pages.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <vector>

#include <execinfo.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

using State = GuardedPages::State;

/* `base` is 0 in a slot that is free; it is written last and cleared first. */
struct Slot {
	std::atomic<uintptr_t> base;
	std::atomic<size_t> length;
	std::atomic<State> state;
	std::atomic<bool> wasGivenBack; /* and stays so when it is unmapped */
	std::array<char, 160> buffer;
	std::array<char, 48> holder;
};

std::array<Slot, GuardedPages::kSlots> slots;
struct sigaction previous;

/* Who is free and what is kept; never taken by the handler. */
struct Table {
	std::mutex mutex;
	std::vector<int> vacant;
	std::deque<int> kept; /* the oldest first */
	size_t keptBytes = 0;
};

Table &table()
{
	/* Never destroyed, as the windows of static objects outlive it otherwise. */
	static auto *const made = [] {
		auto *fresh = new Table;
		for (int i = GuardedPages::kSlots; i > 0; i--)
			fresh->vacant.push_back(i - 1);
		return fresh;
	}();
	return *made;
}

template<size_t N>
void copyText(std::array<char, N> &to, const std::string &from)
{
	const size_t length = std::min(from.size(), N - 1);
	std::memcpy(to.data(), from.data(), length);
	to[length] = '\0';
}

/* Text put together without malloc(): only what signal-safety(7) allows may run in the handler. */
class SafeText
{
public:
	SafeText &operator<<(const char *text)
	{
		while (*text && used_ < text_.size())
			text_[used_++] = *text++;
		return *this;
	}

	SafeText &number(uint64_t value, unsigned base)
	{
		std::array<char, 24> digits{};
		size_t at = digits.size() - 1;
		do {
			digits[--at] = "0123456789abcdef"[value % base];
			value /= base;
		} while (value > 0);
		return *this << &digits[at];
	}

	void writeOut() const
	{
		/* Nothing can be done about an stderr that is gone. */
		if (write(STDERR_FILENO, text_.data(), used_) < 0)
			return;
	}

private:
	std::array<char, 640> text_{};
	size_t used_ = 0;
};

const char *mistake(const Slot &slot)
{
	switch (slot.state.load(std::memory_order_relaxed)) {
	case State::Outside:
		return "the CPU touches a mapping outside a sync bracket";
	case State::Readable:
		return "the CPU writes inside a bracket for reading";
	case State::Writable:
		break; /* it has all rights: somebody else's fault, such as a truncated file */
	case State::GivenBack:
		return "the CPU touches a buffer that has been given back";
	case State::Unmapped:
		return slot.wasGivenBack.load(std::memory_order_relaxed)
			       ? "the CPU touches a buffer that has been given back"
			       : "the CPU touches a mapping that is gone";
	}
	return nullptr;
}

uint64_t programCounter(const void *context)
{
	[[maybe_unused]] const auto &machine =
		static_cast<const ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__)
	return static_cast<uint64_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
	return machine.pc;
#elif defined(__arm__)
	return machine.arm_pc;
#elif defined(__riscv)
	return machine.__gregs[REG_PC];
#else
	return 0;
#endif
}

void writeReport(const Slot &slot, const char *what, uintptr_t address, const void *context)
{
	SafeText text;
	text << "heapflow check: " << what << ": " << slot.buffer.data();
	if (slot.holder[0])
		text << ", held last by '" << slot.holder.data() << "'";
	text << ", byte ";
	text.number(address - slot.base.load(std::memory_order_relaxed), 10);
	text << " of the mapping (thread ";
	text.number(static_cast<uint64_t>(gettid()), 10);
	text << ", code at 0x";
	text.number(programCounter(context), 16);
	text << ")\n";
	text.writeOut();

	/* Loaded by install(), so that it takes no memory now: backtrace(3), NOTES. */
	std::array<void *, 32> frames;
	const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
	backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

/* As if ours had never been there. */
void handOn(int signal, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(signal, info, context);
		return;
	}
	if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(signal);
		return;
	}
	/* The instruction is run again and ends the process; a signal that somebody sent is not. */
	struct sigaction standard{};
	standard.sa_handler = SIG_DFL;
	sigaction(signal, &standard, nullptr);
	if (info->si_code <= 0)
		raise(signal);
}

void onFault(int signal, siginfo_t *info, void *context)
{
	const int code = errno;
	if (info->si_code > 0) {
		const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
		for (const Slot &slot : slots) {
			const uintptr_t base = slot.base.load(std::memory_order_acquire);
			if (base == 0 || address < base ||
			    address - base >= slot.length.load(std::memory_order_relaxed))
				continue;
			if (const char *what = mistake(slot))
				writeReport(slot, what, address, context);
			break;
		}
	}
	errno = code;
	handOn(signal, info, context);
}

void install()
{
	/* The first call loads libgcc and takes memory, which a handler must not. */
	std::array<void *, 1> frame;
	static_cast<void>(backtrace(frame.data(), 1));

	struct sigaction action{};
	action.sa_sigaction = onFault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &previous);
}

/* Called with the table's mutex held. */
void release(Table &all, int index)
{
	Slot &slot = slots[static_cast<size_t>(index)];
	void *base = reinterpret_cast<void *>(slot.base.load());
	const size_t length = slot.length.load();
	slot.base.store(0, std::memory_order_release);
	munmap(base, length);
	all.vacant.push_back(index);
}

void releaseOldest(Table &all)
{
	const int index = all.kept.front();
	all.kept.pop_front();
	all.keptBytes -= slots[static_cast<size_t>(index)].length.load();
	release(all, index);
}

} /* namespace */

int GuardedPages::add(void *base, size_t length, const std::string &buffer)
{
	static std::once_flag installed;
	std::call_once(installed, install);

	Table &all = table();
	const std::lock_guard lock(all.mutex);
	if (all.vacant.empty() && !all.kept.empty())
		releaseOldest(all);
	if (all.vacant.empty())
		return -1;
	const int index = all.vacant.back();
	all.vacant.pop_back();

	Slot &slot = slots[static_cast<size_t>(index)];
	slot.length.store(length);
	slot.state.store(State::Outside);
	slot.wasGivenBack.store(false);
	copyText(slot.buffer, buffer);
	slot.holder[0] = '\0';
	slot.base.store(reinterpret_cast<uintptr_t>(base), std::memory_order_release);
	return index;
}

void GuardedPages::set(int index, State state)
{
	Slot &slot = slots[static_cast<size_t>(index)];
	int rights = PROT_NONE;
	if (state == State::Readable)
		rights = PROT_READ;
	else if (state == State::Writable)
		rights = PROT_READ | PROT_WRITE;

	slot.state.store(state);
	slot.wasGivenBack.store(state == State::GivenBack);
	mprotect(reinterpret_cast<void *>(slot.base.load()), slot.length.load(), rights);
}

void GuardedPages::setHolder(int index, const std::string &holder)
{
	copyText(slots[static_cast<size_t>(index)].holder, holder);
}

void GuardedPages::retire(int index)
{
	Table &all = table();
	const std::lock_guard lock(all.mutex);
	Slot &slot = slots[static_cast<size_t>(index)];
	void *base = reinterpret_cast<void *>(slot.base.load());
	const size_t length = slot.length.load();

	/* Over the mapping, in one step: nobody else can be given the addresses in between. */
	slot.state.store(State::Unmapped);
	if (mmap(base, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		 -1, 0) == MAP_FAILED) {
		release(all, index);
		return;
	}
	all.kept.push_back(index);
	all.keptBytes += length;
	while (all.kept.size() > kKept || all.keptBytes > kKeptBytes)
		releaseOldest(all);
}

} /* namespace heapflow */
