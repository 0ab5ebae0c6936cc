# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was missed, where others are ahead, and why: figures from the results, reasons from notes.md."""

import re

import ahead
from peers import EVERY_SIZE, VDSO


def reasons(notes):
    """The parts of notes.md by their headings."""
    parts = re.split(r"^## (\S+)$", notes, flags=re.M)
    return {key: text.strip() for key, text in zip(parts[1::2], parts[2::2])}


def missed(results, why):
    """A sentence with figures for each goal that is not met, and what is known of the reason, once."""
    parts, said = [], set()
    for one in results["goals"]:
        if one["verdict"] in ("met", "no limit", "not measured"):
            continue
        reason = why.get(one["key"]) if one["key"] not in said else None
        said.add(one["key"])
        name = one["goal"][0].upper() + one["goal"][1:]
        parts.append(f"- **{name}**: {one['verdict'].strip('*')}, limit {one['limit']}: "
                     f"{'; '.join(one['missed']) or one['measured']}."
                     + (f" {' '.join(reason.split())}" if reason else ""))
    return "\n".join(parts) or "Nothing."


def better_elsewhere(results, why, table):
    rows = ahead.rows(results)
    return (table(["camera", "pipeline", "what", "where"], rows) if rows else "Nothing.") + f"\n\n{why.get('ahead', '')}"


def between(results, why):
    """What strace saw of a frame, of heapflow and of the bare loop."""
    counted = ""
    for size in EVERY_SIZE:
        entries = results["sizes"].get(size, {})
        ours, bare = (entries.get(key, {}).get("calls") for key in ("heapflow", "bare"))
        if ours and bare:
            names = ", ".join(f"{name} {value:.1f}" for name, value in ours["calls"].items() if value >= 0.1 and name not in VDSO)
            counted = (f"strace of a frame, {size}, on the board: heapflow makes {ours['all']:.1f} system calls where the loop makes "
                       f"{bare['all']:.1f}; {ours['all'] - ours['without-vdso']:.1f} are clock_gettime(), a call only on this board; the others: {names}. ")
            break
    return f"### What is between heapflow and the bare loop\n\n{counted}{why.get('between', '')}"
