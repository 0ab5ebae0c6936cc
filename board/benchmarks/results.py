# SPDX-License-Identifier: LGPL-2.1-or-later
"""What board/bench measured, gathered from out/bench/ into one structure, which is also its JSON."""

import json
import statistics

from peers import PEERS
from plan import LAYER_LENGTHS, lengths
from witness import quantile


def spread(values):
    """Median, least and most."""
    return [statistics.median(values), min(values), max(values)] if values else None


def cpu_of_frames(directory):
    """ms of CPU time of the whole board for each frame: {(peer, size, screen): [of each round…]}.

    A system call's own is under the peer "calls".
    """
    seconds = {}
    path = directory / "cpu.tsv"
    for line in path.read_text().splitlines() if path.exists() else []:
        number, what, *words, times = line.split("\t")
        if what == "calls":
            peer, size, screen, frames = "calls", "", "yes", words[0]
        elif what == "play":
            peer, size, frames, screen = words
        else:
            cameras, frames, screen = words
            peer, size = f"layers-{cameras}", "480p"
        seconds[int(number), peer, size, screen, int(frames)] = sum(map(float, times.split()))
    result = {}
    for peer, size, screen in sorted({key[1:4] for key in seconds}):
        short, long = lengths(PEERS[peer], size) if peer in PEERS else LAYER_LENGTHS
        if peer == "calls":
            short, long = 10000, 410000
        runs = {frames: {key[0]: value for key, value in seconds.items() if key[1:] == (peer, size, screen, frames)}
                for frames in (short, long)}
        if runs[short] and runs[long]:
            pairs = [(runs[long][number], runs[short][number]) for number in sorted({*runs[long]} & {*runs[short]})]
            result[peer, size, screen] = [(many - few) / (long - short) * 1e3 for many, few in pairs]
    return result


def lines_of(directory, pattern):
    for path in sorted(directory.glob(pattern)):
        for line in path.read_text().splitlines():
            yield json.loads(line)


def latency(values):
    return {"p50": quantile(values, 0.5), "p99": quantile(values, 0.99)} if values else None


def add_cpu(table, directory):
    costs = cpu_of_frames(directory)
    for (key, size, screen), values in costs.items():
        if key in PEERS and screen == "yes":
            entry = table.setdefault(size, {}).setdefault(key, {})
            entry["cpu-ms"] = spread(values)
            source = costs.get((PEERS[key].source, size, "no"))
            if source:
                entry["source-ms"] = spread(source)
                entry["own-ms"] = spread([a - b for a, b in zip(values, source)])
            bare = costs.get(("bare", size, "yes"))
            if bare and PEERS[key].camera == "vivid":
                entry["ratio-to-bare"] = spread([a / b for a, b in zip(values, bare) if b > 0] or [0.0])
    layers = {}
    for (key, _, screen), values in costs.items():
        if key.startswith("layers-"):
            layers.setdefault(int(key[7:]), {})["cpu-ms" if screen == "yes" else "source-ms"] = spread(values)
    call = costs.get(("calls", "", "yes"))
    return layers, call and call[0]


def add_simulated(table, directory):
    for line in lines_of(directory, "simulated-*.jsonl"):
        entry = table.setdefault(line.pop("size"), {}).setdefault(line.pop("peer"), {})
        what = line.pop("what")
        if what == "latency":
            line["latency"] = latency(line.pop("latency-ms", []))
            entry["simulated"] = line
        else:
            entry[what] = line


def add_real(table, directory):
    runs = {}
    for line in lines_of(directory, "real-*.jsonl"):
        runs.setdefault((line["size"], line["peer"]), []).append(line)
    for (size, key), rounds in runs.items():
        entry = table.setdefault(size, {}).setdefault(key, {})
        values = [value for line in rounds for value in line.get("latency-ms", [])]
        entry["real"] = {
            "fps": spread([line["fps"] for line in rounds if line.get("fps")]),
            "first-frame-ms": spread([line["first-frame-ms"] for line in rounds if "first-frame-ms" in line]),
            "process-cpu-ms": spread([line["cpu"] * 1e3 / line["frames"] for line in rounds]),
            "shown-of-captured": spread([line["shown"] / line["frames"] for line in rounds]),
            "latency": latency(values), "latencies-ms": sorted(values),
            "crashes": sum(1 for line in rounds if line["status"] not in (0, None)), "rounds": len(rounds)}
        best = runs.get((size, "heapflow" if PEERS[key].camera == "vivid" else f"{PEERS[key].camera}-heapflow"))
        if best:
            entry["real"]["first-frame-ratio"] = spread(
                [a["first-frame-ms"] / b["first-frame-ms"] for a, b in zip(rounds, best)
                 if "first-frame-ms" in a and "first-frame-ms" in b])


def add_threads(table, directory):
    runs = {}
    for line in lines_of(directory, "threads-*.jsonl"):
        runs.setdefault((line["size"], line["peer"]), []).append(line)
    for (size, key), rounds in runs.items():
        entry = table.setdefault(size, {}).setdefault(key, {})
        entry["threads"] = {"ms": spread([line["ms"] for line in rounds]),
                            "drawing-ms": spread([line["drawing-ms"] for line in rounds]),
                            "each": rounds[-1]["each"]}


def gather(directory):
    table = {}
    layers, call = add_cpu(table, directory)
    add_simulated(table, directory)
    add_real(table, directory)
    add_threads(table, directory)
    about = dict(line.split("\t", 1) for line in (directory / "about.tsv").read_text().splitlines())
    read = lambda name: json.loads((directory / name).read_text() or "{}") if (directory / name).exists() else {}  # noqa: E731
    return {"about": about, "sizes": table, "layers": layers, "call-ms": call,
            "startup": {"native": read("startup.json"), "board": read("startup-board.json")}}
