# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which plots the results allow, and what is in each."""

import plots
from figures import own_told, told
from peers import EVERY_SIZE, PEERS, SIZES

NOTHING = "not measured in this run"
FLOOR_MS = 0.01  # what is below it is drawn at it


def split(entry):
    """The camera's part, pale, and the rest; one bar of neither where they cannot be told apart."""
    whole, camera, own = (entry.get(name) for name in ("cpu-ms", "source-ms", "own-ms"))
    if not told(whole):
        return [], f"not told ({whole[1]:.3g}..{whole[2]:.3g})"
    if not (own_told(entry) and told(camera)):
        return [(whole[0], 0.65)], ", parts not told"
    return [(whole[0] - own[0], 0.35), (own[0], 1)], ""


def of_vivid(results, size):
    return {key: results["sizes"].get(size, {}).get(key, {}) for key, peer in PEERS.items() if peer.camera == "vivid"}


def cpu(entries, size):
    rows = [(key, PEERS[key].name, *(split(e) if "cpu-ms" in e else ([], NOTHING))) for key, e in entries.items()]
    return plots.bars(f"CPU time for a frame, {size}, whole board",
                      "simulated time; pale: the camera's own part, dark: all that moves and shows the frame", rows, "ms")


def calls(entries, size):
    rows = [(key, PEERS[key].name, *(([(e["calls"]["without-vdso"], 1),
                                       (max(0.0, e["calls"]["all"] - e["calls"]["without-vdso"]), 0.35)], "")
                                     if "calls" in e else ([], NOTHING))) for key, e in entries.items()]
    return plots.bars(f"System calls for a frame, {size}", "pale: clock_gettime(), which is a system call only on this board", rows,
                      "calls")


def latency(entries, size):
    curves = []
    for key, entry in entries.items():
        values = entry.get("real", {}).get("latencies-ms")
        if values:
            parts = [i / 50 for i in range(50)] + [0.99]
            curves.append((key, PEERS[key].name, [(100 * part, max(1.0, values[min(len(values) - 1, int(part * len(values)))]))
                                                  for part in parts]))
    return plots.lines(f"From capture to scan-out, {size}, real time", "the names in the order of the slowest frames", curves,
                       "per cent of the frames that are not older", "ms, logarithmic",
                       [(0, "0"), (25, "25"), (50, "50"), (75, "75"), (99, "99 %")], log="y")


def resolution(results):
    """What cannot be told is drawn hollow, at the most that it can be."""
    series, hollow, pixels = [], set(), {size: EVERY_SIZE[size][0] * EVERY_SIZE[size][1] for size in SIZES}
    for key, peer in PEERS.items():
        points = []
        for size in SIZES:
            entry = results["sizes"].get(size, {}).get(key, {})
            own = entry.get("own-ms")
            if own and peer.camera == "vivid":
                points.append((pixels[size], max(FLOOR_MS, own[0] if own_told(entry) else own[2])))
                if not own_told(entry):
                    hollow.add((key, pixels[size]))
        if len(points) > 1:
            series.append((key, peer.name, points))
    return series and plots.lines(
        "CPU time for a frame without the camera's, against its size",
        "hollow: less than can be told, drawn at the most that it can be; dmabuf-import: its camera alone cannot be played", series,
        "size of the frame, by its pixels, logarithmic", "ms, logarithmic",
        [(count, size) for size, count in pixels.items()], log="xy", hollow=hollow)


def cameras(results):
    own = [(n, max(0.0, e["own-ms"][0])) for n, e in sorted(results["layers"].items()) if e.get("own-ms")]
    if len(own) < 2 or own[0][0] != 1 or own[0][1] <= 0:
        return None
    whole = [(n, results["layers"][n]["cpu-ms"][0]) for n, _ in own]
    hollow = {("heapflow", n) for n, _ in own if not told(results["layers"][n]["own-ms"])}
    return plots.lines(
        "CPU time for a frame of each camera, against the number of cameras",
        f"goal: without the cameras' own at most a tenth above the dashed line; it is {own[-1][1] / (own[-1][0] * own[0][1]):.2f} times as much"
        + ("; hollow: not told" if hollow else ""),
        [("dmabuf", "with the cameras' own", whole), ("heapflow", "without the cameras' own", own),
         ("bare", "so many times one without", [(n, n * own[0][1]) for n, _ in own])], "cameras of 640x480", "ms", hollow=hollow)


def draw(results, directory):
    """The plots that the results allow: name and what it shows."""
    size = next((size for size in ("1080p", "720p") if any(of_vivid(results, size).values())), "720p")
    entries = of_vivid(results, size)
    wanted = [("cpu", f"CPU time for a frame, {size}", any("cpu-ms" in e for e in entries.values()) and cpu(entries, size)),
              ("calls", f"System calls for a frame, {size}", any("calls" in e for e in entries.values()) and calls(entries, size)),
              ("latency", f"Latency from capture to scan-out, {size}, real time",
               any(e.get("real", {}).get("latencies-ms") for e in entries.values()) and latency(entries, size)),
              ("resolution", "Cost against resolution", resolution(results)),
              ("cameras", "Cost against the number of cameras", cameras(results))]
    made = [(name, words, svg) for name, words, svg in wanted if svg]
    for name, _, svg in made:
        (directory / f"bench-{name}.svg").write_text(svg)
    return [(name, words) for name, words, _ in made]
