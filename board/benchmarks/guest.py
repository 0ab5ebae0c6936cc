#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What board/bench runs on the board: one peer, or many in turn, and what they did.

  guest.py play PEER SIZE FRAMES yes|no      one run and nothing beside it; the host counts its CPU time
  guest.py details SIZE FILE PEER…           system calls, copies, memory, latency of each, as lines of JSON
  guest.py pairs SIZE FILE ROUNDS PEER…      the peers in turn, ROUNDS times, on the clock
  guest.py threads SIZE FILE ROUNDS PEER…    CPU time of what moves and shows the virtual camera's pictures
  guest.py layers NUMBER FRAMES yes|no       so many cameras in layers of one screen
  guest.py calls NUMBER                      so many system calls and nothing else
  guest.py smoke                             the counts that are promised, as a test (TAP)
"""

import errno
import fcntl
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from peers import DRAWING_THREAD, EVERY_SIZE, PEERS, VDSO, command  # noqa: E402
import witness  # noqa: E402

BUILD = Path(os.environ["HEAPFLOW_BUILD"])
WITNESS = BUILD / "tests/bench/libframe-witness.so"
OUTSIDE = BUILD / "tests/board/gst/board-outside-count"
HDMI = 3  # vivid's inputs: webcam, television, S-Video, HDMI
SELECTED_TIMINGS = 4  # of "DV Timings Signal Mode"
WAIT_VBLANK = 0xC018643A  # DRM_IOCTL_WAIT_VBLANK of drm.h, for 64 bits
RELATIVE = 1  # _DRM_VBLANK_RELATIVE


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def vivid_nodes():
    """Capture nodes in the order of the instances."""
    found = {}
    for entry in Path("/sys/class/video4linux").iterdir():
        name = (entry / "name").read_text().strip()
        if re.fullmatch(r"vivid-\d+-vid-cap", name):
            found[name] = f"/dev/{entry.name}"
    return [found[name] for name in sorted(found)]


def vkms_card():
    for entry in sorted(Path("/sys/class/drm").glob("card?")):
        if any(entry.glob("card*-Virtual-*")):
            return f"/dev/dri/{entry.name}"
    sys.exit("bench: the board has no vkms")


def settle(region="video@42000000"):
    """Until the run before has given its memory back: the last frame is held until the next vblank."""
    directory = Path("/sys/kernel/mm/cma") / region
    for _ in range(100):
        time.sleep(0.02)
        if (directory / "available_pages").read_text() == (directory / "total_pages").read_text():
            return


def light(size):
    width, height = EVERY_SIZE[size]
    output("bare-loop", "--card", vkms_card(), "--light", "--size", f"{width}x{height}")


def prepare(size, cameras=("vivid",)):
    """The signal at vivid's HDMI input, and the screen lit in the mode that holds it."""
    width, height = EVERY_SIZE[size]
    if "vivid" in cameras:
        for node in vivid_nodes():
            menu = output("v4l2-ctl", "-d", node, "-L")
            rate = "59" if height == 480 else "60"
            timings = re.search(rf"^\s+(\d+): {width}x{height}p{rate}$", menu, re.M).group(1)
            output("v4l2-ctl", "-d", node, "-i", str(HDMI), "-c", f"dv_timings_signal_mode={SELECTED_TIMINGS}",
                   "-c", f"dv_timings={timings}")
            output("v4l2-ctl", "-d", node, "--set-dv-bt-timings", "query")
    light(size)
    settle()


def words_of(peer, size, frames, screen=True):
    nodes = vivid_nodes()
    return command(PEERS[peer], size, frames, nodes[0], vkms_card(), screen)


def run(words, environment=None, **options):
    """Exit status, and what it said when that is not 0."""
    done = subprocess.run(words, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", check=False, **options)
    settle()
    return done.returncode, (done.stdout + done.stderr)[-600:]


def wait_for_vblank():
    """Of the first CRTC. False: it is dark."""
    with open(vkms_card(), "rb", buffering=0) as card:
        try:
            fcntl.ioctl(card, WAIT_VBLANK, struct.pack("IIQQ", RELATIVE, 1, 0, 0))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return False
    return True


def watched(words, size):
    """What the witness saw of a run.

    It begins at a vblank, so that none waits longer for the next by chance, with the screen lit, which not all leave it.
    """
    path = Path("/tmp/witness")
    path.unlink(missing_ok=True)
    if not wait_for_vblank():
        light(size)
        if not wait_for_vblank():
            sys.exit("bench: the screen is dark, and bare-loop --light does not light it")
    begin = time.monotonic_ns()
    status, said = run(words, {"LD_PRELOAD": str(WITNESS), "FRAME_WITNESS": str(path)})
    result = witness.summary(path, begin) if path.exists() else {"shown": 0}
    return {**result, "status": status, **({"said": said} if status else {})}


def strace_counts(words):
    path = Path("/tmp/calls")
    run(["strace", "-f", "-q", "-c", "-U", "name,calls", "-o", str(path), *words])
    counts = {}
    for line in path.read_text().splitlines():
        match = re.fullmatch(r"\s*(\w+)\s+(\d+)\s*", line)
        if match and match.group(1) != "total":
            counts[match.group(1)] = int(match.group(2))
    return counts


def calls_for_a_frame(peer, size, short, long):
    """System calls by name, for each frame: what a long run has more than a short one."""
    few, many = (strace_counts(words_of(peer, size, frames)) for frames in (short, long))
    # Threads that wait for each other at the start make some calls less in one run than in another.
    each = {name: max(0, many.get(name, 0) - few.get(name, 0)) / (long - short) for name in {*few, *many}}
    kept = {name: round(value, 3) for name, value in sorted(each.items()) if abs(value) >= 0.01}
    return {"calls": kept, "all": round(sum(each.values()), 2),
            "without-vdso": round(sum(v for n, v in each.items() if n not in VDSO), 2)}


def copied_bytes(peer, size, frames):
    """Bytes that the CPU copied of each frame, by the tracer; and how it reached dma-bufs, seen from outside."""
    outside, traced = Path("/tmp/outside"), Path("/tmp/traced.json")
    traced.unlink(missing_ok=True)
    words = words_of(peer, size, frames)
    run([str(OUTSIDE), "-o", str(outside), *words])
    counts = dict(line.split() for line in outside.read_text().splitlines())
    result = {"outside": {name: int(value) for name, value in counts.items()}}
    if words[0] == "gst-launch-1.0":
        run(words, {"GST_TRACERS": f"heapflow(json={traced},table=none)"})
        if traced.exists():
            elements = json.loads(traced.read_text())["elements"]
            # What was read to be written elsewhere. What was written counts twice in kmssink's memory,
            # which is a GstMemory within another.
            result["copies"] = sum(e["copies"]["count"] for e in elements)
            result["bytes"] = round(sum(e["maps-read"]["bytes"] for e in elements if e["copies"]["count"]) / frames)
    return result


def dmabufs():
    """Bytes of all dma-bufs by their exporter."""
    sums = {}
    for line in Path("/sys/kernel/debug/dma_buf/bufinfo").read_text().splitlines():
        words = line.split()
        if len(words) >= 6 and words[0].isdigit():
            sums[words[4]] = sums.get(words[4], 0) + int(words[0])
    return sums


def cma_free():
    return {d.name: int((d / "available_pages").read_text()) * resource.getpagesize()
            for d in Path("/sys/kernel/mm/cma").iterdir()}


def memory_while_playing(peer, size, seconds):
    """Peak of the process and what it has of heaps, after so long."""
    before = cma_free()
    words = words_of(peer, size, 100000)
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    result = {"peak-rss": int(peak.group(1)) * 1024 if peak else None, "dma-bufs": dmabufs(),
              "cma": {n: before[n] - free for n, free in cma_free().items() if before[n] != free}}
    process.send_signal(signal.SIGKILL)
    process.wait()
    settle()
    time.sleep(0.1)
    return result


def emit(file, **fields):
    with open(file, "a", encoding="utf-8") as out:
        out.write(json.dumps(fields) + "\n")


def details(size, file, peers):
    prepare(size, {PEERS[peer].camera for peer in peers})
    for peer in peers:
        slow = PEERS[peer].copies
        long, short = {"1080p": (12, 4), "4K": (6, 2)}.get(size, (25, 5)) if slow else (180, 60)
        print(f"{size} {peer}", flush=True)
        emit(file, what="latency", size=size, peer=peer, **watched(words_of(peer, size, {"1080p": 12, "4K": 8}.get(size, 20) if slow else 240), size))
        emit(file, what="calls", size=size, peer=peer, **calls_for_a_frame(peer, size, short, long))
        emit(file, what="copies", size=size, peer=peer, **copied_bytes(peer, size, long))
        if PEERS[peer].camera == "vivid":
            # The others are paced by nothing: in simulated time they never let a clock pass.
            emit(file, what="memory", size=size, peer=peer, **memory_while_playing(peer, size, 2))


def pairs(size, file, rounds, peers):
    prepare(size, {PEERS[peer].camera for peer in peers})
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            frames = 15 if PEERS[peer].copies else 120
            begin = time.monotonic_ns()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            result = watched(words_of(peer, size, frames), size)
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(f"{size} {peer} {number + 1} of {rounds}", flush=True)
            emit(file, what="real", size=size, peer=peer, round=number, frames=frames,
                 seconds=(time.monotonic_ns() - begin) / 1e9,
                 cpu=now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, **result)
    for peer in peers:
        if PEERS[peer].camera == "virtual":
            # Nothing paces it in simulated time, where the others' memory is looked at.
            emit(file, what="memory", size=size, peer=peer, **memory_while_playing(peer, size, 2))


def thread_times(pid):
    """CPU time of each thread, in s: proc(5), stat."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
        user, system = rest.split()[11:13]
        times[name, task.name] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return times


def threads(size, file, rounds, peers):
    """For each frame shown in four seconds of playing: what all threads took but the one that draws the camera's."""
    prepare(size, {PEERS[peer].camera for peer in peers})
    path = Path("/tmp/witness")
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            path.unlink(missing_ok=True)
            process = subprocess.Popen(words_of(peer, size, 100000), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL,
                                       env={**os.environ, "LD_PRELOAD": str(WITNESS), "FRAME_WITNESS": str(path)})
            time.sleep(2)
            before, begin = thread_times(process.pid), time.monotonic_ns()
            time.sleep(4)
            after, end = thread_times(process.pid), time.monotonic_ns()
            process.send_signal(signal.SIGKILL)
            process.wait()
            shown = sum(begin <= frame[0] < end for frame in witness.frames_shown(path))
            settle()
            names = {}
            for (name, task), used in after.items():
                names[name] = names.get(name, 0) + used - before.get((name, task), 0)
            drawing = names.pop(DRAWING_THREAD)
            print(f"{size} {peer} {number + 1} of {rounds}", flush=True)
            if shown:
                emit(file, what="threads", size=size, peer=peer, round=number, shown=shown,
                     **{"ms": sum(names.values()) * 1e3 / shown, "drawing-ms": drawing * 1e3 / shown,
                        "each": {name: round(used * 1e3 / shown, 3) for name, used in names.items() if used}})


def layers_command(number, frames, screen):
    """So many cameras of 640x480, side by side in layers of one screen."""
    words = ["gst-launch-1.0", "-q", "-f"]
    for i, node in enumerate(vivid_nodes()[:number]):
        words += ["heapcamerasrc", f"camera-name={node}", "heap=video@*", f"num-buffers={frames}", "!",
                  "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width=640,height=480", "!"]
        words += ["heapkmssink", "sync=false", f"zpos={i}"] if screen else ["fakesink", "sync=false"]
    return words


def smoke():
    """The goals that are counts, and so the same on every machine."""
    prepare("720p")
    results, failed = [], 0
    bare = calls_for_a_frame("bare", "720p", 60, 120)
    ours = calls_for_a_frame("heapflow", "720p", 60, 180)
    shown = {peer: watched(words_of(peer, "720p", 60), "720p") for peer in ("bare", "heapflow")}
    copies = copied_bytes("heapflow", "720p", 60)
    outside = copies["outside"]
    results.append(("TheBareLoopMakesSixSystemCallsAFrame", bare["all"] == 6, bare))
    results.append(("HeapflowMakesAtMostFourMore", ours["without-vdso"] <= bare["all"] + 4, ours))
    results.append(("NoByteIsCopied", copies.get("bytes") == 0 and not outside["maps"] and not outside["reads"]
                    and not outside["writes"] and outside["framebuffers"] > 0, copies))
    for peer, seen in shown.items():
        late = max(seen.pop("latency-ms", [1e9]))
        results.append((f"Of{peer.title()}EachFrameIsShownWithinOneRefreshAndTwoMs",
                        seen["shown"] == 60 and late < 1000 / 60 + 2, {**seen, "latency-ms": late}))
    for number, (name, holds, seen) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}: {seen}", flush=True)
        failed += not holds
    sys.exit(failed > 0)


def main():
    what, *rest = sys.argv[1:]
    if what == "play":
        peer, size, frames, screen = rest
        prepare(size, {PEERS[peer].camera})
        status, said = run(words_of(peer, size, int(frames), screen == "yes"))
        # libcamerasrc crashes at its end at times, when all frames have been shown.
        if status and "libcamerasrc" not in peer:
            sys.exit(f"bench: {peer} {size}: exit status {status}\n{said}")
    elif what == "details":
        details(rest[0], rest[1], rest[2:])
    elif what == "pairs":
        pairs(rest[0], rest[1], int(rest[2]), rest[3:])
    elif what == "threads":
        threads(rest[0], rest[1], int(rest[2]), rest[3:])
    elif what == "layers":
        number, frames, screen = rest
        prepare("480p")
        status, said = run(layers_command(int(number), int(frames), screen == "yes"))
        if status:
            sys.exit(f"bench: {number} layers: exit status {status}\n{said}")
    elif what == "smoke":
        smoke()
    elif what == "calls":
        # One read() and one write() for each block.
        output("dd", "if=/dev/zero", "of=/dev/null", "bs=1", f"count={int(rest[0]) // 2}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
