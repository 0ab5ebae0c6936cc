# SPDX-License-Identifier: LGPL-2.1-or-later
"""The goals of heapflow, each held against all that was measured: every camera, every size, every peer."""

from figures import Figure, goal, own_told, ratio, told
from peers import CAMERAS, EVERY_SIZE, PEERS, SIZES, key_of, sizes_of

PERIOD_MS = 1000 / 60
CALLS_LIMIT = 10  # the bare loop's 6, and 4


def at(results, size, key, *path):
    value = results["sizes"].get(size, {}).get(key)
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def rivals(camera):
    """What is no pipeline of heapflow's, and not the limit itself."""
    return [key for key, peer in PEERS.items() if peer.camera == camera and not key.endswith("heapflow") and key != "bare"]


def over_sizes(results, camera, function, source=None):
    """A figure for each size at which anything of this camera was measured (by `source`, a part of the results)."""
    figures = []
    for size in EVERY_SIZE:
        keys = [key for key, peer in PEERS.items() if peer.camera == camera and size in sizes_of(peer)]
        if any(at(results, size, key, source) if source else at(results, size, key) for key in keys):
            figures.append(function(size) or Figure(size, None))
    return figures


def of_others(results, size, camera, form, *path):
    """The best of the others there, and the bare loop, in words."""
    values = {key: at(results, size, key, *path) for key in rivals(camera)}
    values = {key: value for key, value in values.items() if value is not None}
    found = [(PEERS[key].name, values[key]) for key in sorted(values, key=values.get)[:1]]
    bare = at(results, size, "bare", *path) if camera == "vivid" else None
    found += [(PEERS["bare"].name, bare)] if bare is not None else []
    words = ", ".join(f"{name} {value:{form}}" for name, value in found)
    return f" [{words}]" if words else ""


def zero_copy(results, camera):
    """What the tracer saw and the kernel was asked for. The virtual camera draws in mappings: not of those."""
    def of(size):
        copies = at(results, size, key_of("heapflow", camera), "copies")
        if not copies:
            return None
        outside = copies["outside"]
        mapped = outside["mapped-bytes"] if camera != "virtual" else 0
        return Figure(size, copies.get("bytes", 0) + outside["read-bytes"] + outside["written-bytes"] + mapped)
    return goal("copies", f"zero bytes copied, {CAMERAS[camera]}", "0", over_sizes(results, camera, of, "copies"), 0, ".0f")


def above_bare(results):
    def of(size):
        ours, bare = at(results, size, "heapflow", "cpu-ms"), at(results, size, "bare", "cpu-ms")
        spread = at(results, size, "heapflow", "ratio-to-bare")
        if not (ours and bare and bare[0] > 0 and spread):
            return None
        # Nothing that shows a frame costs less than the bare loop: what says so is noise.
        value = ours[0] / bare[0] - 1
        return Figure(size, value, spread[1] - 1, spread[2] - 1, value > 0 and told(ours) and told(bare))
    return goal("cpu", "CPU for a frame above the bare loop's, in the loop's own, vivid", "1.3",
                over_sizes(results, "vivid", of, "cpu-ms"), 1.3, ".2f")


def above_bare_with_vdso(results):
    """The same if clock_gettime() were no system call, as it is none on hardware."""
    call = results.get("call-ms")

    def of(size):
        ours, bare = at(results, size, "heapflow", "cpu-ms"), at(results, size, "bare", "cpu-ms")
        calls, spread = at(results, size, "heapflow", "calls"), at(results, size, "heapflow", "ratio-to-bare")
        if not (call and ours and bare and bare[0] > 0 and calls and spread):
            return None
        less = (calls["all"] - calls["without-vdso"]) * call / bare[0]
        value = ours[0] / bare[0] - 1 - less
        return Figure(size, value, spread[1] - 1 - less, spread[2] - 1 - less, value > 0 and told(ours) and told(bare))
    words = f" (a call is {1e3 * call:.1f} us here)" if call else ""
    return goal("cpu", f"the same less clock_gettime(), no system call on hardware{words}", "1.3",
                over_sizes(results, "vivid", of, "cpu-ms"), 1.3, ".2f")


def half_of_libcamerasrc(results):
    """Of all threads but the one that draws: the picture costs ten times what is compared, and the host's
    load moves that by more."""
    def of(size):
        costs = {key: at(results, size, key, "threads", "ms") for key in PEERS}
        ours, others = costs["virtual-heapflow"], [costs["virtual-libcamerasrc-vsync"], costs["virtual-libcamerasrc"]]
        if not (ours and all(others)):
            return None
        value, low, high = ratio(ours, min(others))
        return Figure(size, value, low, high, told(ours) and told(min(others)),
                      f" [{ours[0]:.2f} ms, of {others[0][0]:.2f} (skip-vsync: {others[1][0]:.2f})]")
    return goal("libcamera-cpu", "CPU for a frame without the drawing of it, of libcamerasrc ! kmssink's, "
                f"{CAMERAS['virtual']}", "0.5", over_sizes(results, "virtual", of, "threads"), 0.5, ".2f")


def system_calls(results, camera):
    def of(size):
        count = at(results, size, key_of("heapflow", camera), "calls", "without-vdso")
        return count and Figure(size, count, words="" if count <= CALLS_LIMIT else of_others(
            results, size, camera, ".1f", "calls", "without-vdso"))
    return goal("calls", f"system calls for a frame, {CAMERAS[camera]}", f"{CALLS_LIMIT} (the bare loop's 6, and 4)",
                over_sizes(results, camera, of, "calls"), CALLS_LIMIT, ".1f")


def resolution(results):
    """Largest size to smallest: a cost that grew with the pixels would be 27 times as much."""
    costs = {size: at(results, size, "heapflow", "own-ms") for size in SIZES}
    found = {size: values for size, values in costs.items() if values}
    clear = all(own_told(results["sizes"][size]["heapflow"]) for size in found)
    figures = []
    if len(found) > 1:
        small, *_, large = found
        value = ratio(found[large], found[small])
        words = ", ".join(f"{size} {values[0]:.3f} ({values[1]:.3f}..{values[2]:.3f})" for size, values in found.items())
        figures = [Figure(f"{large} to {small}", *(value or [0.0, 0.0, 0.0]), clear, f" [{words} ms]")]
    return goal("resolution", "CPU for a frame without the camera's: largest size to smallest, vivid", "1.25 (independent)",
                figures, 1.25, ".2f")


def p99(results, method, words, camera, key="heapflow"):
    limit = PERIOD_MS + 2

    def of(size):
        value = at(results, size, key_of(key, camera), method, "latency", "p99")
        return value and Figure(size, value, words="" if value <= limit else of_others(
            results, size, camera, ".1f", method, "latency", "p99"))
    return goal(f"p99-{method}" if camera == "vivid" else "p99-libcamera", f"latency, 99 of 100 frames, {words}, {CAMERAS[camera]}",
                f"{limit:.1f} ms", over_sizes(results, camera, of, method), limit, ".1f")


def first_frame(results, method, words, camera, bare=False):
    """Of the fastest of all others; the bare loop, which loads nothing, has a row of its own."""
    def of(size):
        times = {}
        for key in ["bare"] if bare else rivals(camera):
            value = at(results, size, key, method, "first-frame-ms")
            times[key] = value[0] if isinstance(value, list) else value
        ours = at(results, size, key_of("heapflow", camera), method, "first-frame-ms")
        ours = ours[0] if isinstance(ours, list) else ours
        times = {key: value for key, value in times.items() if value}
        if not ours or not times:
            return None
        fastest = min(times, key=times.get)
        # Round by round, of the same peer: what is there is its time to heapflow's.
        spread = at(results, size, fastest, method, "first-frame-ratio")
        low, high = (1 / spread[2], 1 / spread[1]) if spread else (None, None)
        return Figure(size, ours / times[fastest], low, high, words=f" [{ours:.1f} of {times[fastest]:.1f} ms, {PEERS[fastest].name}]")
    who = "the bare loop's" if bare else "the fastest pipeline's of others"
    return goal("first-frame-bare" if bare else "first-frame" if camera == "vivid" else "first-frame-libcamera",
                f"first frame, of {who}, {words}, {CAMERAS[camera]}", "1", over_sizes(results, camera, of, method), 1.005, ".2f")


def cameras(results):
    """Without the cameras' own cost, as for one: four vivid threads alone take more than four times one's."""
    layers = results["layers"]
    own = {n: entry["own-ms"] for n, entry in sorted(layers.items()) if entry.get("own-ms")}
    value = ratio(own.get(4), own.get(1))
    figures = []
    if value:
        medians = [values[0] for values in own.values()]
        # More cameras that cost less tell of the host's load, and not of the board.
        clear = all(map(told, own.values())) and medians == sorted(medians)
        words = ", ".join(f"{n}: {values[0]:.2f}" for n, values in own.items())
        figures = [Figure("4 cameras", *(part / 4 for part in value), clear, f" [{words} ms]")]
    return goal("cameras", "4 cameras in 4 layers without the cameras' own, of 4 times the cost of one", "1.1", figures, 1.1, ".2f")


def startup(results):
    native, board = results["startup"]["native"], results["startup"]["board"]
    listing, nothing, load = (native.get(name) for name in ("heapctl-list", "true", "plugin-load"))
    words = f" ms [/bin/true {nothing['median-ms']:.1f}]" if nothing else " ms"
    rows = [goal("startup", "`heapctl list`, native, its start included", "10 ms",
                 [Figure("", listing["median-ms"], words=words)] if listing else [], 10, ".1f")]
    for name, found in (("loading the plugin, native", load), ("looking for cameras, on the board", board.get("scan-heapcameraprovider"))):
        rows.append({"key": "startup", "goal": name, "limit": "none was set", "missed": [],
                     "measured": f"{found['median-ms']:.1f} ms" if found else "-",
                     "verdict": "no limit" if found else "not measured"})
    return rows


def goals(results):
    """All of them, in the order of the table; cameras of which nothing was measured have no row."""
    def measured(camera, source):
        return any(at(results, size, key, source) for size in EVERY_SIZE for key, peer in PEERS.items() if peer.camera == camera)

    rows = [zero_copy(results, camera) for camera in CAMERAS if measured(camera, "copies")]
    rows += [above_bare(results), above_bare_with_vdso(results), half_of_libcamerasrc(results)]
    rows += [system_calls(results, camera) for camera in CAMERAS if measured(camera, "calls")]
    rows.append(resolution(results))
    for method, words in (("simulated", "simulated time"), ("real", "real time")):
        rows += [p99(results, method, words, camera) for camera in CAMERAS if measured(camera, method)]
    rows.append(p99(results, "real", "real time, drop-policy=replace", "vivid", "replace-heapflow"))
    for method, words in (("simulated", "simulated time"), ("real", "real time")):
        rows += [first_frame(results, method, words, camera) for camera in CAMERAS if measured(camera, method)]
        rows.append(first_frame(results, method, words, "vivid", bare=True))
    return [*rows, cameras(results), *startup(results)]
