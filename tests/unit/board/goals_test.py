#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What board/bench says of results: no goal is met by leaving out a camera, a size, a peer or the noise. Prints TAP."""

import copy
import re
import sys
import tempfile
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[3] / "board/benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import ahead  # noqa: E402
import reasons  # noqa: E402
import report  # noqa: E402
from figures import cost  # noqa: E402
from goals import goals  # noqa: E402
from peers import PEERS, sizes_of  # noqa: E402
from results import gather  # noqa: E402

failures = 0
count = 0


def check(description, holds, seen=""):
    global failures, count
    count += 1
    failures += not holds
    print(f"{'ok' if holds else 'not ok'} {count} - {description}" + ("" if holds else f"\n# {seen}"))


def fast(key):
    """Results of a peer within every limit; heapflow's by a little, so that none of the others is ahead."""
    best = key.endswith("heapflow")
    outside = {"read-bytes": 0, "written-bytes": 0, "mapped-bytes": 0}
    first = 50.0 if best else 60.0
    return {"cpu-ms": [0.4, 0.39, 0.41] if key == "bare" else [0.8, 0.79, 0.81], "own-ms": [0.20, 0.19, 0.21], "ratio-to-bare": [1.0, 0.95, 1.05] if key == "bare" else [2.0, 1.9, 2.1],
            "calls": {"all": 7.0, "without-vdso": 7.0, "calls": {"ioctl": 3.0}}, "copies": {"bytes": 0, "outside": outside},
            "simulated": {"first-frame-ms": first, "latency": {"p50": 16.0, "p99": 17.0}},
            "real": {"first-frame-ms": [first] * 3, "first-frame-ratio": [1.0 if best else 1.2] * 3,
                     "fps": [60.0] * 3, "latency": {"p50": 16.0, "p99": 17.0}},
            "threads": {"ms": [1.0, 0.99, 1.01] if best else [3.0, 2.9, 3.1]}}


def all_met():
    sizes = {}
    for key, peer in PEERS.items():
        for size in sizes_of(peer):
            sizes.setdefault(size, {})[key] = fast(key)
    own = {n: {"own-ms": [0.2 * n, 0.199 * n, 0.201 * n]} for n in (1, 2, 4)}
    return {"sizes": sizes, "layers": own, "call-ms": 0.01, "startup": {
        "native": {"heapctl-list": {"median-ms": 6.0}, "true": {"median-ms": 1.0}}, "board": {}}}


def row(results, *words):
    """The only goal whose name has all the words."""
    found = [one for one in goals(results) if all(word in one["goal"] for word in words)]
    assert len(found) == 1, (words, [one["goal"] for one in found])
    return found[0]


def changed(size, key, **fields):
    results = copy.deepcopy(all_met())
    results["sizes"][size][key].update(fields)
    return results


bad = [(one["goal"], one["verdict"]) for one in goals(all_met()) if one["verdict"] not in ("met", "no limit", "not measured")]
check("all goals are met where all figures keep the limits", not bad, bad)

results = changed("720p", "virtual-heapflow", **{"real": {
    "first-frame-ms": [651.0, 561.0, 741.0], "latency": {"p99": 33.8}, "fps": [38.3] * 3}})
for rival, time in (("libcamerasrc", 495.0), ("libcamerasrc-vsync", 508.0), ("cam", 545.0)):
    results["sizes"]["720p"][f"virtual-{rival}"]["real"].update(
        {"first-frame-ms": [time] * 3, "first-frame-ratio": [time / 651.0] * 3})
first = row(results, "first frame", "real time", "virtual camera")
check("a first frame later than a peer's is missed, with libcamera's camera alone too", "missed" in first["verdict"], first)
said = reasons.missed({"goals": goals(results)}, {})
check("and said with its figures", "720p 1.32" in said and "651.0 of 495.0 ms, libcamerasrc ! kmssink skip-vsync" in said, said)
check("vivid's row is its own", row(results, "first frame", "pipeline", "real time", "vivid")["verdict"] == "met")
late = row(results, "latency", "real time", "virtual camera")
check("p99 of libcamera's camera is missed", "missed" in late["verdict"] and "720p 33.8 [" in late["missed"][0], late)

calls = row(changed("160x120", "vimc-heapflow", calls={"all": 57.0, "without-vdso": 27.4}), "system calls", "vimc")
check("system calls of vimc's frames are missed", "missed" in calls["verdict"] and calls["missed"], calls)
bare = changed("480p", "bare", simulated={"first-frame-ms": 5.0})
check("the bare loop is a peer", "missed" in row(bare, "first frame", "bare loop", "simulated")["verdict"])

results = all_met()
del results["sizes"]["4K"]["heapflow"]["calls"]
lacking = row(results, "system calls", "vivid")
check("a size that was not measured is not met", lacking["verdict"] == "not measured everywhere" and "4K not measured"
      in lacking["measured"], lacking)
check("a run without results meets nothing", not [one for one in goals({
    "sizes": {}, "layers": {}, "call-ms": None, "startup": {"native": {}, "board": {}}}) if one["verdict"] == "met"])

wide = row(changed("720p", "heapflow", **{"own-ms": [0.21, 0.073, 0.3]}), "largest size to smallest")
check("a spread as large as its figure is too noisy to judge", wide["verdict"] == "too noisy to judge", wide)
check("and its table says so", cost([0.21, 0.073, 0.3]) == "not told (0.073..0.300)" and cost([-0.187] * 3).startswith("not told"))
more = changed("480p", "mmap", **{"cpu-ms": [9.5, 9.0, 10.0], "own-ms": [10.7, 10.2, 11.2], "source-ms": [0.1, 0.09, 0.11]})
entry = {name: value for name, value in more["sizes"]["480p"]["mmap"].items() if name not in ("real", "threads")}
page = report.section("480p", "480p", {"mmap": entry}, "vivid")
check("a part that exceeds its whole is not told", "| 9.500 (9.000..10.000) | not told (10.200..11.200) |" in page, page)
some = row(changed("4K", "heapflow", **{"ratio-to-bare": [2.0, 1.3, 2.6]}), "CPU for a frame above")
check("what keeps the limit, but not in every round, is not met", some["verdict"] == "too noisy to judge", some)
cheap = row(changed("480p", "heapflow", **{"cpu-ms": [0.3, 0.29, 0.31], "ratio-to-bare": [0.75, 0.7, 0.8]}), "CPU for a frame above")
check("what costs less than the bare loop is noise", cheap["verdict"] == "too noisy to judge", cheap)
results = all_met()
results["layers"][2]["own-ms"] = [0.1, 0.09, 0.11]
check("cameras that cost less by being more are noise", row(results, "4 cameras")["verdict"] == "too noisy to judge")

check("no other is ahead where none is", not ahead.rows(all_met()), ahead.rows(all_met()))
cheaper = ahead.rows(changed("480p", "dmabuf", calls={"all": 5.9, "without-vdso": 4.9, "calls": {}}))
check("one that makes fewer calls is said to", [r[2:] for r in cheaper] == [["system calls for a frame", "480p 4.9, heapflow 7.0"]],
      cheaper)

with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    (directory / "about.tsv").write_text("command\tboard/bench\n")
    (directory / "cpu.tsv").write_text("".join(
        f"{number}\tplay\t{peer}\t480p\t{frames}\tyes\t{seconds} 0.0\n" for number, peer, frames, seconds in (
            (0, "bare", 120, 1.0), (0, "bare", 6120, 2.2), (1, "bare", 120, 1.2), (1, "bare", 6120, 2.4),
            (0, "mmap", 10, 1.0), (0, "mmap", 90, 1.1), (0, "of-the-past", 10, 1.0), (0, "of-the-past", 90, 1.1))))
    (directory / "simulated-480p.jsonl").write_text(
        '{"what": "latency", "size": "480p", "peer": "bare", "fps": 60.0, "latency-ms": [16.0, 17.0]}\n'
        '{"what": "latency", "size": "480p", "peer": "of-the-past", "fps": 1.0}\n')
    found = gather(directory)["sizes"]["480p"]
    check("a peer of the past is left out", set(found) == {"bare", "mmap"}, found)
    check("one round is told by what boots differ by", cost(found["mmap"]["cpu-ms"], 2) == "not told (-1.25..3.75)", found["mmap"])
    (directory / "cpu.tsv").write_text("".join(f"0\tplay\t{peer}\t480p\t{frames}\tyes\t{seconds} 0.0\n" for peer, frames, seconds in (
        ("bare", 120, 1.0), ("bare", 6120, 2.2), ("mmap", 10, 1.3), ("mmap", 90, 1.38))))
    once = gather(directory)["sizes"]["480p"]
    check("and where none was repeated, by what all differ by", cost(once["mmap"]["cpu-ms"], 2) == "not told (-2.75..4.75)"
          and cost(once["bare"]["cpu-ms"], 2) == "0.20 (0.15..0.25)", once)
    page = report.section("480p", "480p", found, "vivid")
    check("a peer without results is in the table", page.count("dmabuf-import ! kmssink skip-vsync | not measured in this run") == 1, page)

notes = (BENCHMARKS / "notes.md").read_text()
check("reasons hold for every run: no figure in them", not re.search(r"\d\.\d|\d+ ?(ms|us|%|MB)\b", notes))
keys = {one["key"] for one in goals(all_met())}
check("every reason has its goal", set(reasons.reasons(notes)) - {"ahead", "between"} <= keys, keys)
print(f"1..{count}")
sys.exit(failures > 0)
