# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/benchmarks.md, docs/images/bench-*.svg and out/bench/results.json from what was measured."""

import json
import sys
from pathlib import Path

import drawings
from figures import cost, own_told, told, with_spread
from goals import goals
from peers import PEERS, SIZES, command, sizes_of
from reasons import better_elsewhere, between, missed, reasons
from results import gather

HEADER = """<!-- SPDX-License-Identifier: CC0-1.0 -->
<!-- Written by board/bench: change board/benchmarks/report.py, not this. -->
# Benchmarks

heapflow beside the other ways from a camera to a screen: the same camera, size, rate and screen, in one run of
`{command}` on the virtual board ([board.md](board.md)), which took {took}.

commit {commit}, {date}; Linux {kernel}; {gstreamer}; {libcamera}; host: {processor}.

**The board overstates system calls and first touches of pages, and understates nothing else.** A system call costs ten times
what it does on hardware, the first touch of a mapped page a hundred times; so figures of pipelines that copy or
draw by CPU look worse than on a product, and none of the milliseconds is a product figure. Ratios of pipelines that do
neither, counts of calls, bytes and frames, and times in frames are what carries over.

## Goals

{goals}

A goal is met where every figure keeps the limit in every round; missed where one does not keep it; and too noisy to judge where
one keeps it, but not in every round, or where the rounds differ by as much as there is to tell (*not told*). Every camera and size that was
measured counts. In parentheses stands what the rounds differ by; below, in brackets, what the figure is made of, or what the best of the others and the
bare loop have there.

### What was missed, and why

{missed}

### Where another pipeline is ahead

heapflow is not ahead of every peer in everything. What of any other pipeline was better by more than one in a hundred:

{ahead}

{between}
"""

METHODS = """
## How it is measured

- **Simulated time** (`board/run --simulated-time`): the clock stands still while anything runs, so no load of
  the host delays a frame, and every pipeline plays the same frames. *CPU* is the time of the host's processor for
  the whole board, kernel and camera included: of a long run less that of a short one, divided by the difference in
  frames; the median of the rounds, in parentheses least and most. *own* is that less the same source into `fakesink` (for the bare loop: less its
  capture alone). Pipelines that copy or map are played in one round: in parentheses is then what it can be, as boots of the same run differ.
  *not told*: the rounds differ by as much as the figure itself.
- **Real time**: the pipelines in turn, forwards and backwards, in one boot, with nothing beside it; medians, in parentheses least and most.
  *CPU of the process* includes its start, the kernel's threads not.
- **Latency** is from the driver's time of the filled frame (V4L2's timestamp; libcamera's virtual camera: when it unmaps what it
  drew) to its flip: to the vblank whose time is in the event, which a program may read later, or, where there is no event, to the return
  of the call that waits for the vblank. vkms gives a vblank the time at which its timer was due, so of events the host's lateness is left
  out in real time, and of calls not. It is taken from outside by a preloaded library (`tests/bench/frame_witness.cpp`), the same for all; frames
  are followed by the inode of their dma-buf.
- **First frame**: from the start of the program to its first frame on the screen. Each run is started at a vblank, and shown is at one:
  what ends within the same refresh period is equally fast. In simulated time what a program computes takes no time, and what it waits for does.
- **Threads**: of a pipeline with libcamera's virtual camera, the processor time of all threads but the one that draws the
  picture, over four seconds of playing in real time, for each frame shown. Drawing costs ten times the rest, and the host's load moves that by
  more than what is compared.
- **System calls**: `strace -f -c`, long run less short run. clock_gettime() is left out: the board has no vDSO for it, all
  hardware has; with it in parentheses.
- **Copied**: bytes of frames that the CPU read to write them elsewhere, by `GST_TRACERS=heapflow`; for all, the kernel's
  calls that reach a dma-buf by CPU were counted by `board-outside-count`; the mappings that libcamera's virtual camera draws in are no copy.
- **Memory**: 2 s into playing: what is missing in `/sys/kernel/mm/cma`, dma-bufs by their exporter, `VmHWM`; buffers of a driver
  that are no dma-bufs (mmap) are not seen.
- 480p is 640x480 at 59.94 Hz, the others have 60 Hz; 4K is shown in a mode of 4096x2160, as vkms has none of its size. The screen is lit
  before: otherwise kmssink sets a mode itself, and with `skip-vsync` never shows a second frame then.
- libcamera does not drive vivid, and of its cameras none is paced and cheap. The virtual camera draws in mappings of its
  own (its cost dwarfs the rest), has no 4K, and in simulated time takes none. vimc draws by CPU as well, so it is compared at
  160x120, where the picture is small beside what is compared. `cam` cannot show vimc: it aborts, because the stream has no colour space.
- `cam` has no latency in simulated time: the virtual camera takes no time there and has filled all requests before the first
  flip, and `cam` drops what comes while a frame is waiting, so it shows one.
- CPU time of the whole board is not given for libcamera's cameras: the drawing, by CPU in a thread of the process, takes more than all else, so only threads
  are compared. Memory of the virtual camera's pipelines is looked at in real time. It is not played at 1080p, nor in 4K, which it
  does not have: the drawing at 720p already takes longer than a frame lasts, and what is larger would compare nothing but that.
- `sync=false` everywhere: frames are shown as they come.
"""


SIMULATED = ["", "frames/s", "CPU ms/frame", "own ms", "to bare loop", "calls/frame", "copied/frame", "latency p50 / p99 ms",
             "memory of heaps", "peak RSS"]
REAL = ["", "frames/s", "shown", "CPU of the process, ms/frame", "latency p50 / p99 ms", "first frame ms", "first frame to heapflow's"]


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def megabytes(count):
    return "0" if count == 0 else "-" if count is None else f"{count / 1e6:.1f} MB"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)])


def get(entry, *path):
    for step in path:
        entry = entry.get(step) if isinstance(entry, dict) else None
    return entry


def copied(entry):
    outside = get(entry, "copies", "outside")
    if not outside:
        return None
    return get(entry, "copies", "bytes") or 0


def heap_memory(entry):
    taken, buffers = get(entry, "memory", "cma"), get(entry, "memory", "dma-bufs")
    if taken is None:
        return "-"
    others = sum(size for name, size in buffers.items() if name not in taken)
    words = [f"{megabytes(size)} {name.split('@')[0]}" for name, size in taken.items()]
    return ", ".join(words + ([f"{megabytes(others)} of drivers"] if others else [])) or "none"


def simulated_row(key, entry):
    calls = get(entry, "calls")
    to_bare = get(entry, "ratio-to-bare")
    return [PEERS[key].name, number(get(entry, "simulated", "fps"), 1), cost(get(entry, "cpu-ms")), cost(get(entry, "own-ms"), clear=own_told(entry)),
            with_spread(to_bare) if not to_bare or told(entry["cpu-ms"]) else "not told",
            f"{calls['without-vdso']:.1f} ({calls['all']:.1f})" if calls else "-", megabytes(copied(entry)),
            f"{number(get(entry, 'simulated', 'latency', 'p50'), 1)} / {number(get(entry, 'simulated', 'latency', 'p99'), 1)}",
            heap_memory(entry), megabytes(get(entry, "memory", "peak-rss"))]


def real_row(key, entry):
    real = entry["real"]
    return [PEERS[key].name, with_spread(real["fps"], 1),
            "-" if not real["shown-of-captured"] else f"{100 * real['shown-of-captured'][0]:.0f} %",
            with_spread(real["process-cpu-ms"]),
            f"{number(get(real, 'latency', 'p50'), 1)} / {number(get(real, 'latency', 'p99'), 1)}",
            with_spread(real["first-frame-ms"], 0), with_spread(real.get("first-frame-ratio"))]


def rows_of(part, keys, entries, row, columns):
    """A row for each peer, also for one that this run did not measure."""
    if not any(part in entries.get(key, {}) for key in keys):
        return []
    return [row(key, entries[key]) if part in entries.get(key, {}) else
            [PEERS[key].name, "not measured in this run", *["-"] * (columns - 2)] for key in keys]


def section(title, size, entries, camera):
    keys = [key for key, peer in PEERS.items() if peer.camera == camera and size in sizes_of(peer)]
    if not any(key in entries for key in keys):
        return ""
    parts = [f"### {title}"]
    for part, words, row, head in (("simulated", "Simulated time:", simulated_row, SIMULATED), ("real", "Real time:", real_row, REAL)):
        rows = rows_of(part, keys, entries, row, len(head))
        if rows:
            parts += [words, table(head, rows)]
    apart = {key: entries[key]["threads"] for key in keys if "threads" in entries.get(key, {})}
    if apart:
        parts += ["CPU time of threads, real time, ms for a frame shown:",
                  table(["", "all but the drawing", "the drawing", "of the first, by thread"],
                        [[PEERS[key].name, with_spread(threads["ms"]), with_spread(threads["drawing-ms"]),
                          ", ".join(f"{name} {value:.2f}" for name, value in threads["each"].items())]
                         for key, threads in apart.items()])]
    return "\n\n".join(parts) + "\n"


def write(results, documents, notes):
    images = documents / "images"
    images.mkdir(parents=True, exist_ok=True)
    # A plot that these results do not allow would be one of others.
    for old in images.glob("bench-*.svg"):
        old.unlink()
    plots_made = drawings.draw(results, images)
    why = reasons(notes)
    rows = [[one["goal"], one["limit"], one["measured"], one["verdict"]] for one in results["goals"]]
    parts = [HEADER.format(**results["about"], goals=table(["goal", "limit", "measured", ""], rows), missed=missed(results, why),
                           ahead=better_elsewhere(results, why, table), between=between(results, why))]
    parts += [f"![{words}](images/bench-{name}.svg)\n" for name, words in plots_made]
    parts.append("## vivid, 60 frames a second, by V4L2\n")
    for size in SIZES:
        parts.append(section(size, size, results["sizes"].get(size, {}), "vivid"))
    parts.append("## Cameras of libcamera\n")
    for size, entries in results["sizes"].items():
        for camera, words in (("virtual", "virtual camera"), ("vimc", "vimc")):
            parts.append(section(f"{words}, {size}", size, entries, camera))
    if results["layers"]:
        parts.append("## Several cameras on one screen\n\n" + table(
            ["cameras of 640x480", "CPU ms for one frame of each, together", "of it the cameras'", "without the cameras'"],
            [[str(n), cost(e.get("cpu-ms")), cost(e.get("source-ms")), cost(e.get("own-ms"))]
             for n, e in sorted(results["layers"].items())]) + "\n")
    rows = [[name, *(f"{get(results['startup'], where, name, 'median-ms')} ms" if get(results["startup"], where, name)
                     else "-" for where in ("native", "board"))]
            for name in ("heapctl-list", "true", "plugin-load", "scan-heapcameraprovider", "scan-libcameraprovider",
                         "scan-v4l2deviceprovider")]
    parts.append("## Starting\n\n" + table(["", "native", "on the board"], rows) + "\n\nNative is this machine's kernel, which "
                 "has no heaps: `heapctl list` does all but print them there.\n")
    parts.append(METHODS)
    parts.append("## The lines\n\n" + "\n".join(
        f"    {' '.join(command(peer, '720p' if peer.camera != 'vimc' else '160x120', 120, '/dev/video7', '/dev/dri/card1'))}"
        for peer in PEERS.values()) + "\n")
    (documents / "benchmarks.md").write_text("\n".join(part for part in parts if part))


def main():
    directory, documents = Path(sys.argv[1]), Path(sys.argv[2])
    results = gather(directory)
    results["goals"] = goals(results)
    notes = Path(__file__).parent / "notes.md"
    write(results, documents, notes.read_text() if notes.exists() else "")
    for size in results["sizes"].values():
        for entry in size.values():
            entry.get("real", {}).pop("latencies-ms", None)
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    for one in results["goals"]:
        print(f"{one['verdict'].strip('*'):<13} {one['goal']}: {one['measured']} (limit {one['limit']})")


if __name__ == "__main__":
    main()
