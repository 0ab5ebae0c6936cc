# SPDX-License-Identifier: LGPL-2.1-or-later
"""The goals of heapflow, each held against what was measured: met, missed, or not measured; and the number."""

from peers import PEERS, SIZES

PERIOD_MS = 1000 / 60


def goal(name, limit, value, met):
    verdict = "not measured" if value is None else "met" if met else "**missed**"
    return {"goal": name, "limit": limit, "measured": "-" if value is None else value, "verdict": verdict}


def noisy(one, costs, growing=False):
    """A cost below nothing, or more cameras that cost less, tell of the host's load and not of the board."""
    if any(cost <= 0 for cost in costs) or (growing and list(costs) != sorted(costs)):
        one["verdict"] = "too noisy to judge"
    return one


def at(results, size, key, *path):
    value = results["sizes"].get(size, {}).get(key)
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def each_size(results, function):
    found = {size: function(size) for size in SIZES}
    return {size: value for size, value in found.items() if value is not None}


def listed(values, form):
    return ", ".join(f"{size} {value:{form}}" for size, value in values.items()) or None


def zero_copy(results):
    def of(size):
        copies = at(results, size, "heapflow", "copies")
        return copies and copies.get("bytes", 0) + copies["outside"]["read-bytes"] + copies["outside"][
            "written-bytes"] + copies["outside"]["mapped-bytes"]
    found = each_size(results, of)
    return goal("zero bytes copied", "0", listed(found, ".0f"), not any(found.values()))


def above_bare(results):
    def of(size):
        ours, bare = at(results, size, "heapflow", "cpu-ms"), at(results, size, "bare", "cpu-ms")
        return ours and bare and ours[0] / bare[0] - 1
    found = each_size(results, of)
    return goal("CPU for a frame above the bare loop's, in the loop's own", "1.3", listed(found, ".2f"),
                all(value <= 1.3 for value in found.values()))


def above_bare_with_vdso(results):
    """The same if clock_gettime() were no system call, as it is none on hardware."""
    call = results.get("call-ms")

    def of(size):
        ours, bare = at(results, size, "heapflow", "cpu-ms"), at(results, size, "bare", "cpu-ms")
        calls = at(results, size, "heapflow", "calls")
        if not (call and ours and bare and calls):
            return None
        return (ours[0] - (calls["all"] - calls["without-vdso"]) * call) / bare[0] - 1
    found = each_size(results, of)
    return goal("the same less clock_gettime(), no system call on hardware", "1.3",
                found and f"{listed(found, '.2f')}; a call is {1e3 * call:.1f} us here",
                all(value <= 1.3 for value in found.values()))


def half_of_libcamerasrc(results):
    """Of all threads but the one that draws: the picture costs ten times what is compared, and the host's
    load moves that by more."""
    def of(size, key):
        value = at(results, size, key, "threads", "ms")
        return value and value[0]
    who = ("heapflow", "unfenced-heapflow", "libcamerasrc-vsync", "libcamerasrc")
    found = {size: [of(size, f"virtual-{key}") for key in who] for size in SIZES}
    found = {size: costs for size, costs in found.items() if all(costs)}
    words = ", ".join(f"{size} {fenced:.2f}, release-fences=false {unfenced:.2f}, of {vsync:.2f} ms (skip-vsync: {skip:.2f})"
                      for size, (fenced, unfenced, vsync, skip) in found.items()) or None
    return goal("CPU for a frame of libcamera's without the drawing of it, of libcamerasrc ! kmssink's", "half", words,
                all(ours <= min(others) / 2 for ours, _, *others in found.values()))


def system_calls(results):
    bare = {size: at(results, size, "bare", "calls", "without-vdso") for size in SIZES}
    found = each_size(results, lambda size: at(results, size, "heapflow", "calls", "without-vdso"))
    return goal("system calls for a frame", "10 (the bare loop's 6, and 4)", listed(found, ".1f"),
                all(value <= (bare[size] or 6) + 4 for size, value in found.items()))


def resolution(results):
    """Largest size to smallest: a cost that grew with the pixels would be 27 times as much."""
    found = each_size(results, lambda size: (at(results, size, "heapflow", "own-ms") or [None])[0])
    sizes = list(found)
    ratio = found[sizes[-1]] / found[sizes[0]] if len(found) > 1 and min(found.values()) > 0 else None
    return goal("CPU for a frame without the camera's: largest size to smallest", "independent: 1.25",
                None if ratio is None else f"{ratio:.2f} ({listed(found, '.3f')} ms)", ratio is not None and ratio <= 1.25)


def p99(results, method, words, key="heapflow"):
    found = each_size(results, lambda size: at(results, size, key, method, "latency", "p99"))
    return goal(f"latency, 99 of 100 frames, {words}", f"{PERIOD_MS + 2:.1f} ms", listed(found, ".1f"),
                all(value < PERIOD_MS + 2 for value in found.values()))


def first_frame(results, method, words):
    def of(size):
        entries = results["sizes"].get(size, {})
        times = {}
        for key in entries:
            if PEERS[key].camera == "vivid" and key not in ("bare", "replace-heapflow"):
                value = at(results, size, key, method, "first-frame-ms")
                times[key] = value[0] if isinstance(value, list) else value
        ours = times.pop("heapflow", None)
        others = [v for k, v in times.items() if v is not None]
        return ours / min(others) if ours and others else None
    found = each_size(results, of)
    return goal(f"first frame, of the fastest pipeline of others, {words}", "1", listed(found, ".2f"),
                all(value <= 1.005 for value in found.values()))


def cameras(results):
    """Without the cameras' own cost, as for one: four vivid threads alone take more than four times one's."""
    layers = {n: e for n, e in results["layers"].items() if "cpu-ms" in e and "source-ms" in e}
    own = {n: e["cpu-ms"][0] - e["source-ms"][0] for n, e in layers.items()}
    linear = own[4] / (4 * own[1]) if own.get(1, 0) > 0 and 4 in own else None
    whole = ", ".join(f"{n}: {own[n]:.2f} and {e['source-ms'][0]:.2f} ms" for n, e in sorted(layers.items()))
    return noisy(goal("4 cameras in 4 layers without the cameras' own, of 4 times the cost of one", "1.1",
                      linear and f"{linear:.2f} (without and of the cameras, {whole})",
                      linear is not None and linear <= 1.1), list(own.values()), growing=True)


def startup(results):
    native = results["startup"]["native"]
    listing, nothing, load = (native.get(name) for name in ("heapctl-list", "true", "plugin-load"))
    return [goal("`heapctl list`, native, its start included", "10 ms",
                 listing and f"{listing['median-ms']:.1f} ms (/bin/true: {nothing['median-ms']:.1f} ms)",
                 bool(listing) and listing["median-ms"] < 10),
            goal("loading the plugin, native", "none was set", load and f"{load['median-ms']:.1f} ms", True)]


def goals(results):
    return [zero_copy(results), above_bare(results), above_bare_with_vdso(results), half_of_libcamerasrc(results), system_calls(results),
            resolution(results), p99(results, "simulated", "simulated time"), p99(results, "real", "real time"),
            p99(results, "real", "real time, drop-policy=replace", "replace-heapflow"),
            first_frame(results, "simulated", "simulated time"), first_frame(results, "real", "real time"),
            cameras(results), *startup(results)]
