#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws frames in memory of a heap and shows them, with libgstheap-1.0 through GObject introspection.

  heap-pool.py [HEAP [SINK]]        heap-pool.py 'video@*:default' heapkmssink

It also lists the allocators that libgstheap-1.0 registers, and lets an element that knows nothing of
heaps, videotestsrc, fill memory of the same heap by way of heapalloc.
"""
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstHeap", "1.0")
from gi.repository import GLib, Gst, GstApp, GstHeap, GstVideo  # noqa: E402,F401

WIDTH, HEIGHT, FRAMES, BUFFERS = 640, 360, 60, 4
FRAME = Gst.SECOND // 30


def list_allocators():
    """One allocator for each region of memory, under each name that the region has."""
    regions = {}
    for name in GstHeap.HeapAllocator.register_all():
        regions.setdefault(Gst.Allocator.find(name), []).append(name)
    for allocator, names in regions.items():
        known, total, available = allocator.get_space()
        space = f"{available >> 20} of {total >> 20} MiB free" if known and total else "no region"
        print(f"{' = '.join(names)}: {space}")


def make_pool(heap):
    caps = Gst.Caps.from_string(
        f"video/x-raw,format=NV12,width={WIDTH},height={HEIGHT},framerate=30/1"
    )
    pool = GstHeap.HeapBufferPool.new(heap)
    pool.configure(caps, BUFFERS, BUFFERS, None, GstHeap.HeapBufferPoolFlags.NONE)
    pool.activate()
    return pool, caps


def draw(buffer, number):
    """A grey that becomes lighter; the second plane has no colour."""
    luma = bytes([16 + number * 3]) * (WIDTH * HEIGHT)
    meta = GstVideo.buffer_get_video_meta(buffer)
    buffer.fill(meta.offset[0], luma)
    buffer.fill(meta.offset[1], bytes([128]) * (WIDTH * HEIGHT // 2))


def wait_for_end(pipeline):
    message = pipeline.get_bus().timed_pop_filtered(
        30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    pipeline.set_state(Gst.State.NULL)
    if message is None:
        raise TimeoutError("nothing happened for 30 s")
    if message.type == Gst.MessageType.ERROR:
        raise message.parse_error()[0]


def show_drawn_frames(heap, sink):
    def end_waits(_bus, message):
        """What the loop below may wait for never comes after an error: it is let go."""
        if message.type == Gst.MessageType.ERROR:
            pool.set_flushing(True)
            source.end_of_stream()
        return Gst.BusSyncReply.PASS

    pool, caps = make_pool(heap)
    pipeline = Gst.parse_launch(f"appsrc name=source format=time block=true max-buffers=1 ! {sink}")
    source = pipeline.get_by_name("source")
    source.set_property("caps", caps)
    pipeline.get_bus().set_sync_handler(end_waits)
    pipeline.set_state(Gst.State.PLAYING)
    for number in range(FRAMES):
        result, buffer = pool.acquire_buffer(None)
        if result != Gst.FlowReturn.OK:
            break  # wait_for_end() says why
        draw(buffer, number)
        buffer.pts = number * FRAME
        buffer.duration = FRAME
        source.push_buffer(buffer)
        del buffer
    source.end_of_stream()
    wait_for_end(pipeline)
    print(f"{FRAMES} frames were shown from heap {pool.get_property('heap')}")
    pool.set_active(False)


def show_frames_of_an_ordinary_element(heap, sink):
    heaps = set()

    def look(_pad, info):
        memory = info.get_buffer().peek_memory(0)
        heaps.add(GstHeap.heap_memory_dup_heap_name(memory))
        return Gst.PadProbeReturn.OK

    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers={FRAMES} ! video/x-raw,format=NV12,width={WIDTH},height={HEIGHT}"
        f" ! heapalloc name=alloc heap={heap} ! {sink}"
    )
    pipeline.get_by_name("alloc").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, look)
    pipeline.set_state(Gst.State.PLAYING)
    wait_for_end(pipeline)
    print(f"videotestsrc filled memory of {', '.join(sorted(str(heap) for heap in heaps))}")


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own waits for what the program waits for
    heap = sys.argv[1] if len(sys.argv) > 1 else "video@*:default:system"
    sink = sys.argv[2] if len(sys.argv) > 2 else "heapkmssink"
    Gst.init(None)
    try:
        list_allocators()
        show_drawn_frames(heap, sink)
        show_frames_of_an_ordinary_element(heap, sink)
    except GLib.Error as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
