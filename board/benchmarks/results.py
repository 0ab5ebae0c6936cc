# SPDX-License-Identifier: LGPL-2.1-or-later
"""What board/bench measured, gathered from out/bench/ into one structure, which is also its JSON."""

import json
import statistics

from figures import ratio
from peers import PEERS
from witness import quantile


def spread(values):
    """Median, least and most."""
    return [statistics.median(values), min(values), max(values)] if values else None


def host_seconds(directory):
    """What each run took of the host: {(peer, size, screen): {frames: {round: seconds}}}.

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
        runs = seconds.setdefault((peer, size, screen), {})
        runs.setdefault(int(frames), {})[int(number)] = sum(map(float, times.split()))
    return {key: runs for key, runs in seconds.items() if len(runs) == 2}


def boots_differ_by(seconds):
    """Seconds by which the same short run differs from round to round: what one round alone cannot tell."""
    found = [max(rounds.values()) - min(rounds.values())
             for runs in seconds.values() for rounds in [runs[min(runs)]] if len(rounds) > 1]
    if not found:
        # Of one round (--quick) those of different peers, which start in different times as well: rather too much.
        short = [[*runs[min(runs)].values()][0] for key, runs in seconds.items() if key[0] != "calls"]
        return max(short) - (min(short) if len(short) > 1 else 0) if short else 0.0
    return statistics.median(found)


def cpu_of_frames(seconds):
    """ms of CPU time of the whole board for each frame: {(peer, size, screen): {round: ms}}."""
    result = {}
    for key, runs in seconds.items():
        short, long = min(runs), max(runs)
        both = sorted({*runs[short]} & {*runs[long]})
        if both:
            result[key] = {number: (runs[long][number] - runs[short][number]) / (long - short) * 1e3 for number in both}
    return result


def lines_of(directory, pattern):
    for path in sorted(directory.glob(pattern)):
        for line in path.read_text().splitlines():
            fields = json.loads(line)
            # Results can be older than the list of peers.
            if fields["peer"] in PEERS:
                yield fields


def latency(values):
    return {"p50": quantile(values, 0.5), "p99": quantile(values, 0.99)} if values else None


def add_cpu(table, directory):
    seconds = host_seconds(directory)
    costs, differ = cpu_of_frames(seconds), boots_differ_by(seconds)

    def of_rounds(values, key, boots=1):
        """Median, least, most; of one round what it can be."""
        middle, least, most = spread(values)
        if len(values) > 1:
            return [middle, least, most]
        around = boots * differ * 1e3 / (max(seconds[key]) - min(seconds[key]))
        return [middle, middle - around, middle + around]

    def own(whole, part):
        both = sorted({*costs[whole]} & {*costs.get(part, {})})
        return of_rounds([costs[whole][number] - costs[part][number] for number in both], whole, 2) if both else None

    layers = {}
    for (key, size, screen), values in costs.items():
        whole = key, size, screen
        if key in PEERS and screen == "yes":
            entry = table.setdefault(size, {}).setdefault(key, {})
            entry["cpu-ms"] = of_rounds([*values.values()], whole)
            source = PEERS[key].source, size, "no"
            if source in costs and PEERS[key].alone:
                entry["source-ms"] = of_rounds([*costs[source].values()], source)
                entry["own-ms"] = own(whole, source)
            bare = costs.get(("bare", size, "yes"), {})
            ratios = [values[number] / bare[number] for number in values if bare.get(number, 0) > 0]
            if ratios:
                can_be = ratio(entry["cpu-ms"], of_rounds([*bare.values()], ("bare", size, "yes")))
                entry["ratio-to-bare"] = spread(ratios) if len(ratios) > 1 or key == "bare" else can_be
        elif key.startswith("layers-") and screen == "yes":
            layer = layers[int(key[7:])] = {"cpu-ms": of_rounds([*values.values()], whole)}
            if (key, size, "no") in costs:
                layer["source-ms"] = of_rounds([*costs[key, size, "no"].values()], (key, size, "no"))
                layer["own-ms"] = own(whole, (key, size, "no"))
    call = costs.get(("calls", "", "yes"))
    return layers, call and next(iter(call.values()))


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
        if line["what"] == "memory":
            table.setdefault(line["size"], {}).setdefault(line["peer"], {})["memory"] = line
            continue
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
