# SPDX-License-Identifier: LGPL-2.1-or-later
"""What starting costs: `heapctl list`, loading the plugin, and on the board looking for cameras.

Medians of alternating runs, as JSON. Without `board` it runs on this machine's kernel, natively, where
there are no heaps: `heapctl list` then does all but print them.
"""

import json
import os
import statistics
import subprocess
import sys
import time

LOAD = """
import time, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
path = "{build}/gst-plugin/libgstheapflow.so"
begin = time.monotonic()
plugin = Gst.Plugin.load_file(path)
print(time.monotonic() - begin)
"""
SCAN = """
import time, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
begin = time.monotonic()
provider = Gst.DeviceProviderFactory.get_by_name("{provider}")
provider.start()
devices = provider.get_devices()
print(time.monotonic() - begin, len(devices))
provider.stop()
"""


def milliseconds(words):
    begin = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.monotonic() - begin) * 1e3


def reported(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return float(words[0]) * 1e3 if words else None


def median(values):
    values = [value for value in values if value is not None]
    return {"median-ms": round(statistics.median(values), 3), "min-ms": round(min(values), 3),
            "max-ms": round(max(values), 3)} if values else None


def main():
    on_board = "board" in sys.argv[1:]
    build, times = os.environ["HEAPFLOW_BUILD"], 7 if on_board else 31
    heapctl, nothing = [], []
    for _ in range(times):
        heapctl.append(milliseconds(["heapctl", "list"]))
        nothing.append(milliseconds(["/bin/true"]))
    result = {"heapctl-list": median(heapctl), "true": median(nothing),
              "plugin-load": median([reported(LOAD.format(build=build)) for _ in range(5)])}
    if on_board:
        for name in ("heapcameraprovider", "libcameraprovider", "v4l2deviceprovider"):
            result["scan-" + name] = median([reported(SCAN.format(provider=name)) for _ in range(3)])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
