# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads what tests/bench/frame_witness.cpp noted of a program: which frame was on the screen when."""

import struct
from pathlib import Path

RECORD = struct.Struct("<IIQQQQ")
STARTED, CAPTURED, SHOWN, ON_SCREEN, SHOWN_AT_ONCE, DRAWN = range(1, 7)


def quantile(values, part):
    """The smallest value that this part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def flips(path):
    """(time on the screen, time of capture or None, inode) of each frame, in ns, in order."""
    data = Path(path).read_bytes()
    captured, newest, waiting, done = {}, None, [], []
    for kind, _, time, inode, number, begin in RECORD.iter_unpack(data[:len(data) // RECORD.size * RECORD.size]):
        if kind == CAPTURED:
            # The driver says when it was filled; a frame that waited in its queue is older than its DQBUF.
            captured[inode] = newest = min(number or time, time)
        elif kind == DRAWN:
            captured[inode] = time
        elif kind in (SHOWN, SHOWN_AT_ONCE):
            # What is copied into other memory is, in one thread, the newest frame.
            frame = (captured.get(inode, newest), inode)
            if kind == SHOWN_AT_ONCE:
                done.append((time, *frame))
            elif not waiting or waiting[-1][0] != begin:
                waiting.append((begin, *frame))
        elif kind == ON_SCREEN and waiting:
            # The event may be read long after the vblank that it tells of. Of a commit that sets a mode, the
            # time may be that of a vblank before it.
            begun, *frame = waiting.pop(0)
            done.append((number if begun <= number <= time else time, *frame))
    return done


def frames_shown(path):
    """The same without flips that showed a frame again."""
    frames = []
    for flip in flips(path):
        if not frames or flip[1:] != frames[-1][1:]:
            frames.append(flip)
    return frames


def summary(path, begin):
    """What a table says; `begin` is when the program was started, CLOCK_MONOTONIC in ns."""
    frames = frames_shown(path)
    if len(frames) < 3:
        return {"shown": len(frames)}
    span = frames[-1][0] - frames[0][0]
    # The first flip since a mode was set has no vblank to wait for, and the pipeline fills.
    latencies = [shown - taken for shown, taken, _ in frames[2:] if taken]
    return {
        "shown": len(frames),
        "fps": (len(frames) - 1) * 1e9 / span if span else None,
        "first-frame-ms": (frames[0][0] - begin) / 1e6,
        "latency-ms": [round(value / 1e6, 4) for value in latencies],
    }
