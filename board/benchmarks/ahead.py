# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where another pipeline is ahead of heapflow: all of it, made from what was measured."""

from peers import CAMERAS, PEERS, key_of

# What is compared: words, where it is in the results, the number's form, and whether more is better.
COMPARED = (
    ("frames a second, real time", ("real", "fps"), ".1f", True),
    ("CPU for a frame, whole board, ms", ("cpu-ms",), ".3f", False),
    ("CPU for a frame of the process, real time, ms", ("real", "process-cpu-ms"), ".2f", False),
    ("CPU for a frame without the drawing, ms", ("threads", "ms"), ".2f", False),
    ("system calls for a frame", ("calls", "without-vdso"), ".1f", False),
    ("latency p99, simulated time, ms", ("simulated", "latency", "p99"), ".1f", False),
    ("latency p99, real time, ms", ("real", "latency", "p99"), ".1f", False),
    ("first frame, simulated time, ms", ("simulated", "first-frame-ms"), ".1f", False),
    ("first frame, real time, ms", ("real", "first-frame-ms"), ".0f", False),
    ("peak RSS, MB", ("memory", "peak-rss"), ".1f", False),
    ("memory of heaps and drivers, MB", ("memory", "dma-bufs"), ".1f", False),
)


def figure(entry, path):
    """[value, least, most], in the unit of the words."""
    for step in path:
        entry = entry.get(step) if isinstance(entry, dict) else None
    if isinstance(entry, dict):
        # Buffers of a driver that are no dma-bufs are not seen, and not nothing.
        entry = sum(entry.values()) or None
    if entry is None or isinstance(entry, list):
        return entry
    scale = 1e-6 if path[0] == "memory" else 1
    return [entry * scale] * 3


def is_ahead(theirs, ours, more):
    """By more than one in a hundred."""
    return theirs[0] > ours[0] * 1.01 if more else theirs[0] < ours[0] * 0.99


def are_apart(one, other):
    return one[1] > other[2] or one[2] < other[1]


def rows(results):
    """[camera, peer, what, where and by what]; the bare loop is no peer but the limit of all."""
    found = []
    for camera, camera_words in CAMERAS.items():
        for key, peer in PEERS.items():
            if peer.camera != camera or key.endswith("heapflow") or key == "bare":
                continue
            for words, path, form, more in COMPARED:
                places = []
                for size, entries in results["sizes"].items():
                    theirs = figure(entries.get(key), path)
                    ours = figure(entries.get(key_of("heapflow", camera)), path)
                    if theirs and ours and is_ahead(theirs, ours, more):
                        doubt = "" if are_apart(theirs, ours) else " (the rounds overlap)"
                        places.append(f"{size} {theirs[0]:{form}}, heapflow {ours[0]:{form}}{doubt}")
                if places:
                    found.append([camera_words, peer.name, words, "; ".join(places)])
    board = results["startup"]["board"]
    ours = board.get("scan-heapcameraprovider")
    others = {name: board.get(f"scan-{name}") for name in ("libcameraprovider", "v4l2deviceprovider")}
    for name, value in others.items():
        if ours and value and value["median-ms"] < ours["median-ms"]:
            found.append(["all", name, "looking for cameras, on the board, ms",
                          f"{value['median-ms']:.0f}, heapflow {ours['median-ms']:.0f}"])
    return found
