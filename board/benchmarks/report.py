# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/benchmarks.md, docs/images/bench-*.svg and out/bench/results.json from what was measured."""

import json
import sys
from pathlib import Path

import plots
from goals import goals
from peers import EVERY_SIZE, PEERS, SIZES, command
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

{notes}
"""

METHODS = """
## How it is measured

- **Simulated time** (`board/run --simulated-time`): the clock stands still while anything runs, so no load of
  the host delays a frame, and every pipeline plays the same frames. *CPU* is the time of the host's processor for
  the whole board, kernel and camera included: of a long run less that of a short one, divided by the difference in
  frames; the median of the rounds, in parentheses least and most. *own* is that less the same source into `fakesink` (for the bare loop: less its capture alone).
- **Real time**: the pipelines in turn, forwards and backwards, in one boot, with nothing beside it; medians, in parentheses least and most.
  *CPU of the process* includes its start, the kernel's threads not.
- **Latency** is from the driver's time of the filled frame (V4L2's timestamp; libcamera's virtual camera: when it unmaps what it
  drew) to the arrival of its flip (the event, or the return of a call that waits for the vblank). It is taken from outside by a
  preloaded library (`tests/bench/frame_witness.cpp`), the same for all; frames are followed by the inode of their dma-buf.
- **Threads**: of a pipeline with libcamera's virtual camera, the processor time of all threads but the one that draws the
  picture, over four seconds of playing in real time, for each frame shown. Drawing costs ten times the rest, and the host's load moves that by
  more than what is compared.
- **System calls**: `strace -f -c`, long run less short run. clock_gettime() is left out: the board has no vDSO for it, all
  hardware has; with it in parentheses.
- **Copied**: bytes of frames that the CPU read to write them elsewhere, by `GST_TRACERS=heapflow`; for all, the kernel's
  calls that reach a dma-buf by CPU were counted by `board-outside-count`.
- **Memory**: 2 s into playing: what is missing in `/sys/kernel/mm/cma`, dma-bufs by their exporter, `VmHWM`.
- 480p is 640x480 at 59.94 Hz, the others have 60 Hz; 4K is shown in a mode of 4096x2160, as vkms has none of its size. The screen is lit
  before: otherwise kmssink sets a mode itself, and with `skip-vsync` never shows a second frame then.
- libcamera does not drive vivid, and of its cameras none is paced and cheap. The virtual camera draws in mappings of its
  own (its cost dwarfs the rest), has no 4K, and in simulated time takes none. vimc draws by CPU as well, so it is compared at
  160x120, where the picture is small beside what is compared. `cam` cannot show vimc: it aborts, because the stream has no colour space.
- `sync=false` everywhere: frames are shown as they come.
"""


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def with_spread(values, digits=2):
    return "-" if not values else f"{values[0]:.{digits}f} ({values[1]:.{digits}f}..{values[2]:.{digits}f})"


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
    return [PEERS[key].name, number(get(entry, "simulated", "fps"), 1), with_spread(get(entry, "cpu-ms"), 3),
            with_spread(get(entry, "own-ms"), 3), with_spread(get(entry, "ratio-to-bare")),
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


def section(title, size, entries, cameras):
    keys = [key for key in PEERS if key in entries and PEERS[key].camera in cameras]
    if not keys:
        return ""
    head = ["", "frames/s", "CPU ms/frame", "own ms", "to bare loop", "calls/frame", "copied/frame",
            "latency p50 / p99 ms", "memory of heaps", "peak RSS"]
    parts = [f"### {title}", "Simulated time:",
             table(head, [simulated_row(key, entries[key]) for key in keys if "simulated" in entries[key]])]
    played = [key for key in keys if "real" in entries[key]]
    if played:
        head = ["", "frames/s", "shown", "CPU of the process, ms/frame", "latency p50 / p99 ms", "first frame ms",
                "first frame to heapflow's"]
        parts += ["Real time:", table(head, [real_row(key, entries[key]) for key in played])]
    apart = [key for key in keys if "threads" in entries[key]]
    if apart:
        parts += ["CPU time of threads, real time, ms for a frame shown:",
                  table(["", "all but the drawing", "the drawing", "of the first, by thread"],
                        [[PEERS[key].name, with_spread(entries[key]["threads"]["ms"]),
                          with_spread(entries[key]["threads"]["drawing-ms"]),
                          ", ".join(f"{name} {value:.2f}" for name, value in entries[key]["threads"]["each"].items())]
                         for key in apart])]
    return "\n\n".join(parts) + "\n"


def split(entry):
    """The camera's part and the rest; noise can put the first below nothing, or above the whole."""
    whole = max(0.0, entry["cpu-ms"][0])
    camera = min(whole, max(0.0, entry["source-ms"][0]))
    return [(camera, True), (whole - camera, False)]


def of_vivid(results, size):
    return {key: entry for key, entry in results["sizes"].get(size, {}).items() if PEERS[key].camera == "vivid"}


def draw(results, directory):
    """The plots that the results allow: name and what it shows."""
    made = []

    def save(name, words, svg):
        (directory / f"bench-{name}.svg").write_text(svg)
        made.append((name, words))

    size = "1080p" if of_vivid(results, "1080p") else "720p"
    entries = {key: of_vivid(results, size)[key] for key in PEERS if key in of_vivid(results, size)}
    costs = {key: e for key, e in entries.items() if "cpu-ms" in e and "source-ms" in e}
    if costs:
        save("cpu", f"CPU time for a frame, {size}", plots.bars(
            f"CPU time for a frame, {size}, whole board", "simulated time; pale: the camera's own part, dark: all that moves and shows the frame",
            [(key, PEERS[key].name, split(e))
             for key, e in costs.items()], "ms"))
    counted = {key: e for key, e in entries.items() if "calls" in e}
    if counted:
        save("calls", f"System calls for a frame, {size}", plots.bars(
            f"System calls for a frame, {size}", "pale: clock_gettime(), which is a system call only on this board",
            [(key, PEERS[key].name, [(e["calls"]["without-vdso"], False),
                                     (max(0.0, e["calls"]["all"] - e["calls"]["without-vdso"]), True)])
             for key, e in counted.items()], "calls"))
    slow = {key: entries[key]["real"] for key in entries if get(entries[key], "real", "latencies-ms")}
    if slow:
        curve = []
        for key, real in slow.items():
            values = real["latencies-ms"]
            parts = [i / 50 for i in range(50)] + [0.99]
            curve.append((key, PEERS[key].name, [(100 * part, max(1.0, values[min(len(values) - 1, int(part * len(values)))]))
                                                 for part in parts]))
        save("latency", f"Latency from capture to scan-out, {size}, real time", plots.lines(
            f"From capture to scan-out, {size}", "", curve, "per cent of the frames that are not older", "ms, logarithmic",
            [(0, "0"), (25, "25"), (50, "50"), (75, "75"), (99, "99 %")], log="y"))
    series = []
    for key in PEERS:
        if PEERS[key].camera != "vivid" or key == "bare":
            continue
        values = [(EVERY_SIZE[s][0] * EVERY_SIZE[s][1] / 1e6, get(results, "sizes", s, key, "own-ms")[0])
                  for s in SIZES if get(results, "sizes", s, key, "own-ms")]
        if len(values) > 1 and min(y for _, y in values) > 0:
            series.append((key, PEERS[key].name, values))
    if series:
        save("resolution", "Cost against resolution", plots.lines(
            "CPU time for a frame without the camera's, against its size", "", series, "megapixels",
            "ms, both axes logarithmic", [(EVERY_SIZE[s][0] * EVERY_SIZE[s][1] / 1e6, s) for s in SIZES], log="xy"))
    layers = [(n, e["cpu-ms"][0]) for n, e in sorted(results["layers"].items()) if "cpu-ms" in e]
    # Not what the host's load made of it: more cameras never cost less.
    if len(layers) > 1 and layers[0][1] > 0 and [cost for _, cost in layers] == sorted(cost for _, cost in layers):
        save("cameras", "Cost against the number of cameras", plots.lines(
            "CPU time for a frame of each camera, against the number of cameras", "", [
                ("heapflow", "cameras in layers", layers),
                ("bare", "so many times one", [(n, n * layers[0][1]) for n, _ in layers])], "cameras of 640x480", "ms"))
    return made


def write(results, documents, notes):
    images = documents / "images"
    images.mkdir(parents=True, exist_ok=True)
    plots_made = draw(results, images)
    rows = [[g["goal"], g["limit"], str(g["measured"]), g["verdict"]] for g in results["goals"]]
    parts = [HEADER.format(**results["about"], goals=table(["goal", "limit", "measured", ""], rows), notes=notes)]
    parts += [f"![{words}](images/bench-{name}.svg)\n" for name, words in plots_made]
    parts.append("## vivid, 60 frames a second, by V4L2\n")
    for size in SIZES:
        parts.append(section(size, size, results["sizes"].get(size, {}), {"vivid"}))
    parts.append("## Cameras of libcamera\n")
    for size, entries in results["sizes"].items():
        for camera, words in (("virtual", "virtual camera"), ("vimc", "vimc")):
            parts.append(section(f"{words}, {size}", size, entries, {camera}))
    if results["layers"]:
        parts.append("## Several cameras on one screen\n\n" + table(
            ["cameras of 640x480", "CPU ms for one frame of each, together", "of it the cameras'"],
            [[str(n), with_spread(e.get("cpu-ms"), 3), with_spread(e.get("source-ms"), 3)]
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
