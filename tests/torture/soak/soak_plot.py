#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws what tests/torture/soak printed of its hours as SVG: soak_plot.py LOG SVG."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "board/benchmarks"))
import plots  # noqa: E402

MINUTE = re.compile(r"minute (\d+) camera (\d+) captured (\d+) lost (\d+) shown \d+ .* latency-p99 (\d+) ms")
PLAY = re.compile(r"in play in minute (\d+): \d+ buffers, (\d+) framebuffers, (\d+) dma-bufs of \d+ bytes, "
                  r"(\d+) descriptors, (\d+) bytes of malloc")
REST = re.compile(r"rest after minute (\d+): (\d+) descriptors, (\d+) bytes of malloc, (\d+) MiB resident, (\d+) KiB free")


def series_of(log):
    """(name, unit, [(hour, value)]) of what may not grow, and all frames that were captured and lost."""
    latency, captured, lost = {}, 0, 0
    for minute, _, frames, missed, p99 in MINUTE.findall(log):
        hour = int(minute) / 60
        latency[hour] = max(latency.get(hour, 0), int(p99))
        captured, lost = captured + int(frames), lost + int(missed)
    rests = [(int(minute) / 60, *map(int, values)) for minute, *values in REST.findall(log)]
    if not rests:
        sys.exit("soak_plot: this is not what soak prints")
    # Logs from before these were looked at have none.
    plays = [(int(minute) / 60, *map(int, values)) for minute, *values in PLAY.findall(log)]
    in_play = [("framebuffers, in play", "", [(play[0], play[1]) for play in plays]),
               ("dma-bufs, in play", "", [(play[0], play[2]) for play in plays]),
               ("descriptors, in play", "", [(play[0], play[3]) for play in plays]),
               ("malloc, in play", "KiB", [(play[0], play[4] / 1024) for play in plays])]
    return captured, lost, [
        ("latency, 99 of 100 frames, worst of the cameras", "ms", sorted(latency.items())),
        ("descriptors, with all closed", "", [(rest[0], rest[1]) for rest in rests]),
        ("malloc, with all closed", "KiB", [(rest[0], rest[2] / 1024) for rest in rests]),
        ("resident, with all closed", "MiB", [(rest[0], rest[3]) for rest in rests]),
        ("free in heaps, with all closed", "MiB", [(rest[0], rest[4] / 1024) for rest in rests]),
        *(in_play if plays else [])]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    log = Path(sys.argv[1]).read_text()
    captured, lost, rows = series_of(log)
    cameras = {number for _, number, *_ in MINUTE.findall(log)}
    Path(sys.argv[2]).write_text(plots.panels(
        f"{rows[1][2][-1][0]:.3g} hours of {'two cameras' if len(cameras) > 1 else 'one camera'}", f"{captured} frames captured, {lost} lost", rows, "hours"))


if __name__ == "__main__":
    main()
