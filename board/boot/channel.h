/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the board's first process and its host say to each other.
 *
 * They talk over one serial line of the kernel (ssl0, a socket pair on the host) in frames: a
 * header in host byte order, both ends are the same machine, then the payload. The order (what to
 * run) is a file instead: reading a file is synchronous, so under simulated time the start of a run
 * does not depend on when the host sent a byte.
 */
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace board
{

enum class FrameType : uint32_t {
	/* host to board */
	Stdin = 1,
	StdinEnd, /**< end of file */
	Signal,   /**< int32: for the command's process group */
	Resize,   /**< two uint16: rows, columns */
	/* board to host */
	Ready = 16, /**< the line is raw now; before, its line discipline would eat bytes */
	Stdout,
	Stderr,
	StdinTaken, /**< uint32: bytes of Stdin that the command has been given */
	Exit,       /**< int32: exit status, 128+N for a signal; the last frame */
	Failure,    /**< text: the board could not run the command; the last frame */
};

struct FrameHeader {
	uint32_t type;
	uint32_t length;
};

/** \brief Most payload bytes of a frame, so that a buffer can be of fixed size */
inline constexpr uint32_t maxPayload = 16384;

/**
 * \brief Bytes of Stdin that may be under way, so that a command that reads nothing blocks nobody
 *
 * Less than the 4096 bytes of the tty's line discipline (N_TTY_BUF_SIZE): once that is full the
 * kernel throttles the serial line, and on User Mode Linux it was seen never to start again.
 */
inline constexpr uint32_t stdinWindow = 2048;

/** \brief Writes all of it, waiting if it must; false when the other side is gone */
inline bool writeAll(int fd, const void *data, size_t size)
{
	const char *from = static_cast<const char *>(data);
	while (size > 0) {
		const ssize_t done = write(fd, from, size);
		if (done < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return false;
		}
		from += done;
		size -= static_cast<size_t>(done);
	}
	return true;
}

inline bool sendFrame(int fd, FrameType type, const void *payload = nullptr, uint32_t length = 0)
{
	char frame[sizeof(FrameHeader) + maxPayload];
	const FrameHeader header{static_cast<uint32_t>(type), length};
	memcpy(frame, &header, sizeof(header));
	if (length > 0)
		memcpy(frame + sizeof(header), payload, length);
	return writeAll(fd, frame, sizeof(header) + length);
}

/** \brief Collects bytes and hands out whole frames */
class FrameReader
{
public:
	struct Frame {
		FrameType type;
		std::string payload;
	};

	void add(const char *data, size_t size) { pending_.append(data, size); }

	std::optional<Frame> next()
	{
		FrameHeader header;
		if (pending_.size() < sizeof(header))
			return std::nullopt;
		memcpy(&header, pending_.data(), sizeof(header));
		if (pending_.size() < sizeof(header) + header.length)
			return std::nullopt;
		Frame frame{static_cast<FrameType>(header.type),
			    pending_.substr(sizeof(header), header.length)};
		pending_.erase(0, sizeof(header) + header.length);
		return frame;
	}

private:
	std::string pending_;
};

} /* namespace board */
