/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seat.h"

#include "display_config.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#if HAVE_LIBSEAT
#include <fcntl.h>
/* Not written for C++. */
extern "C" {
#include <libseat.h>
}
#endif

namespace heapflow
{

#if HAVE_LIBSEAT

namespace
{

/* A manager that is there answers at once. */
constexpr int activationTimeout = 1000; /* ms */

class LibseatSeat : public Seat
{
public:
	~LibseatSeat() override
	{
		for (const int device : devices_)
			libseat_close_device(seat_, device);
		if (seat_)
			libseat_close_seat(seat_);
	}

	Result<void> start()
	{
		static const libseat_seat_listener listener = {enabled, disabled};
		seat_ = libseat_open_seat(&listener, this);
		if (!seat_)
			return fail(errno, "there is no seat manager to take the display from",
				    "Start seatd or log in through logind, or leave the seat out");
		while (!active_) {
			const int events = libseat_dispatch(seat_, activationTimeout);
			if (events < 0)
				return fail(errno, "the seat manager does not answer");
			if (!events && !active_)
				return fail(EBUSY, "the session is not the active one of its seat",
					    "Switch to its virtual terminal");
		}
		return {};
	}

	Result<UniqueFd> openDevice(const std::string &path) override
	{
		int descriptor = -1;
		const int device = libseat_open_device(seat_, path.c_str(), &descriptor);
		if (device < 0)
			return fail(errno, "the seat manager does not give " + path);
		devices_.push_back(device);
		/* libseat leaves the closing of the descriptor to its caller (libseat.h). */
		return UniqueFd(descriptor);
	}

	int fd() const override { return libseat_get_fd(seat_); }

	void setHandler(std::function<void(bool)> handler) override
	{
		handler_ = std::move(handler);
	}

	void dispatch() override { libseat_dispatch(seat_, 0); }

	bool active() const override { return active_; }

private:
	static void enabled(libseat *, void *data)
	{
		static_cast<LibseatSeat *>(data)->change(true);
	}

	static void disabled(libseat *seat, void *data)
	{
		static_cast<LibseatSeat *>(data)->change(false);
		/* The switch waits for this. */
		libseat_disable_seat(seat);
	}

	void change(bool active)
	{
		active_ = active;
		if (handler_)
			handler_(active);
	}

	libseat *seat_ = nullptr;
	std::vector<int> devices_;
	std::function<void(bool)> handler_;
	std::atomic<bool> active_ = false;
};

} /* namespace */

Result<std::unique_ptr<Seat>> Seat::open()
{
	auto seat = std::make_unique<LibseatSeat>();
	if (auto started = seat->start(); !started)
		return std::unexpected(started.error());
	return seat;
}

#else

Result<std::unique_ptr<Seat>> Seat::open()
{
	return fail(ENOTSUP, "this heapflow was built without libseat");
}

#endif

} /* namespace heapflow */
