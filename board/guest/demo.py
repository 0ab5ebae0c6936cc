#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demonstration: cameras on the screen, through a heap chosen by name, with what it cost.

board/demo runs this on the virtual board. It builds the pipeline that a user would type, lets it run,
and holds what the elements and the kernel say against what heapflow promises. Exit status 1 when a
promise is broken.
"""

import argparse
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

CAMERAS = {
    "vivid": ("vivid", "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,"
                       "width=1280,height=720,framerate=60/1"),
    "vimc": ("platform/vimc.0 Sensor B", "video/x-raw(memory:DMABuf),width=1280,height=720"),
    "virtual": ("Virtual0", "video/x-raw(memory:DMABuf),width=1280,height=720"),
}


class Promises:
    """What was promised, and what of it did not hold."""

    def __init__(self):
        self.broken = []

    def expect(self, holds, promise):
        if not holds:
            self.broken.append(promise)


def field(structure, name, default=None):
    """A field of a GstStructure, whatever its type."""
    value = structure.get_value(name) if structure and structure.has_field(name) else default
    return default if value is None else value


def available_bytes():
    """Free bytes of each CMA region, as the kernel counts them."""
    regions = {}
    for directory in Path("/sys/kernel/mm/cma").iterdir():
        pages = int((directory / "available_pages").read_text())
        regions[directory.name] = pages * os.sysconf("SC_PAGE_SIZE")
    return regions


def mapped_dmabufs():
    """How often this process has mapped memory of a heap (board/guest/mapcount.c, preloaded)."""
    try:
        return ctypes.c_ulong.in_dll(ctypes.CDLL(None), "dmabuf_maps").value
    except ValueError:
        sys.exit("demo: mapcount.so is not preloaded, so copies cannot be counted")


def print_fields(rows):
    for name, value in rows:
        print(f"  {name:<22}{value}", flush=True)


def wait(pipeline, seconds):
    """Let the pipeline run; returns the text of an error, or None."""
    message = pipeline.get_bus().timed_pop_filtered(
        int(seconds * Gst.SECOND), Gst.MessageType.ERROR | Gst.MessageType.EOS)
    if message is None:
        return None
    if message.type == Gst.MessageType.EOS:
        return "the stream ended early"
    error, debug = message.parse_error()
    return f"{error.message}\n{debug}"


def run_pipeline(camera, arguments, picture):
    """Play one camera; returns its measurements, or an error's text."""
    name, caps = CAMERAS[camera]
    line = (f"heapcamerasrc name=camera camera-name=\"{name}\" heap=\"{arguments.heap}\" ! {caps} ! "
            "heapkmssink name=screen")
    print(f"\n{camera}: gst-launch-1.0 {line}", flush=True)
    before, maps = available_bytes(), mapped_dmabufs()
    pipeline = Gst.parse_launch(line)
    source, sink = pipeline.get_by_name("camera"), pipeline.get_by_name("screen")
    pipeline.set_state(Gst.State.PLAYING)
    error = wait(pipeline, arguments.seconds)
    result = None
    if error is None:
        stats, maps_now, taken = sink.get_property("stats"), mapped_dmabufs(), available_bytes()
        result = {
            "camera": source.get_property("plan"),
            "screen": sink.get_property("plan"),
            "heap-bytes": source.get_property("heap-bytes"),
            "stats": stats,
            "maps": maps_now - maps,
            "taken": {r: before[r] - taken[r] for r in before if before[r] != taken[r]},
            "picture": sink.emit("screenshot", str(picture)),
        }
        error = wait(pipeline, 0)
    pipeline.set_state(Gst.State.NULL)
    if error is not None:
        return error
    after = available_bytes()
    result["missing"] = {r: before[r] - after[r] for r in before if before[r] != after[r]}
    return result


def report(camera, result, picture, arguments):
    """Print the measurements and hold them against the promises; returns the broken ones."""
    promises = Promises()
    plan, screen, stats = result["camera"], result["screen"], result["stats"]
    shown, dropped, late = (field(stats, n, 0) for n in ("shown", "dropped", "late"))
    fps, imports = field(stats, "fps", 0.0), field(stats, "imports", 0)
    copies, buffers = field(stats, "copies", 0), field(plan, "buffers", 0)
    median, p99 = (field(stats, name, -1) for name in ("latency-median", "latency-p99"))
    measured = median >= 0  # the sink says -1 when no frame carried its time of capture
    taken, missing = result["taken"], result["missing"]

    print_fields([
        ("camera", f"{field(plan, 'camera')} ({field(plan, 'model')})"),
        ("layout", field(plan, "layout")),
        ("heap", f"{field(plan, 'heap')}: {field(plan, 'heap-reason')}"),
        ("buffers", f"{buffers}, {field(plan, 'heap-bytes')} bytes"),
        ("screen", f"{field(screen, 'device')}, {field(screen, 'connector')}, mode "
                   f"{field(screen, 'mode')} at {field(screen, 'refresh', 0.0):.2f} Hz"),
        ("plane", f"{field(screen, 'plane-id')} ({field(screen, 'plane-type')}), frame at "
                  f"{field(screen, 'x')},{field(screen, 'y')}"),
        ("frames", f"{shown} shown, {dropped} dropped, {late} late; {fps:.2f} a second"),
        ("CPU copies", f"{copies} by the sink; heap memory mapped by this process: {result['maps']} times"),
        ("imports", f"{imports} for {buffers} buffers"),
        ("capture to scan-out", "not measured" if not measured else
         f"{median / 1e6:.2f} ms median, {p99 / 1e6:.2f} ms 99th percentile"),
        ("taken from", ", ".join(f"{r}: {n} bytes" for r, n in taken.items()) or "no CMA region"),
        ("given back", "all of it" if not missing else f"all but {missing}"),
        ("picture", picture),
    ])

    promises.expect(shown > 0, "frames are shown")
    promises.expect(copies == 0, "no frame is copied by the sink")
    if camera == "virtual":
        print("  (libcamera's virtual camera draws by CPU: the maps above are the camera's own)")
    else:
        promises.expect(result["maps"] == 0, "no memory of a heap is mapped")
    promises.expect(imports == buffers, "each buffer is imported once")
    promises.expect(not missing, "the heap has its memory back")
    promises.expect(measured, "the latency is measured")
    promises.expect(result["picture"] and picture.is_file(), "the screen can be read back")
    heap = field(plan, "heap", "")
    promises.expect(heap not in available_bytes() or taken.get(heap, 0) >= field(plan, "heap-bytes", 1),
                    f"the memory comes from {heap}")
    if arguments.simulated and camera == "vivid":
        promises.expect(dropped == 0 and late == 0, "no frame is dropped or late")
        # The start costs a few vblanks, while the latency is being settled: no frame, but time.
        promises.expect(abs(fps - 60) < 1, "60 frames a second, within one for the start")
    for promise in promises.broken:
        print(f"  BROKEN: {promise}")
    return promises.broken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heap", default="video@*")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--camera", action="append", choices=sorted(CAMERAS))
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--simulated", action="store_true")
    arguments = parser.parse_args()
    cameras = arguments.camera or ["vivid", "vimc"]

    Gst.init(None)
    arguments.output.mkdir(parents=True, exist_ok=True)
    print("The heaps of this board:\n", flush=True)
    subprocess.run(["heapctl", "list"], check=True)
    print(f"\nWhat '{arguments.heap}' means here:\n", flush=True)
    if subprocess.run(["heapctl", "explain", arguments.heap], check=False).returncode != 0:
        return 1

    broken = []
    for number, camera in enumerate(cameras):
        picture = arguments.output / ("demo.png" if number == 0 else f"demo-{camera}.png")
        picture.unlink(missing_ok=True)
        result = run_pipeline(camera, arguments, picture)
        if isinstance(result, str):
            print(f"  FAILED: {result}")
            broken.append(camera)
        else:
            broken += report(camera, result, picture, arguments)
    print("\nAll as promised." if not broken else f"\nNot as promised: {len(broken)}.", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
