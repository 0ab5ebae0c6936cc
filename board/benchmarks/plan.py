# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of runs of board/bench, one a line: ROUND KIND NAME, and the words of guest.py."""

import argparse

from peers import PEERS, SIZES, SMALL, sizes_of

VIVID = [key for key, peer in PEERS.items() if peer.camera == "vivid"]
LIBCAMERA = [key for key, peer in PEERS.items() if peer.camera == "virtual"]
VIMC = [key for key, peer in PEERS.items() if peer.camera == "vimc"]


LAYER_LENGTHS = 60, 2060


def lengths(peer, size):
    """Frames of the short run and of the long one; their difference is what a frame costs."""
    if peer.copies:
        return 10, {"480p": 250, "720p": 150, "1080p": 80, "4K": 20}[size]
    return 120, 6120


def cpu_jobs(number, sizes):
    """CPU time of the whole board: with the screen, and, once for each source, without it.

    Those whose frames are mapped or copied take too long for more than one round; what their boots differ by is
    taken from the others'. drop-policy=replace costs what heapflow does, and is seen to in one round.
    """
    for size in sizes:
        sources = set()
        for key, peer in PEERS.items():
            # Those of libcamera draw by CPU, which is all that would be seen.
            if size not in sizes_of(peer) or peer.camera != "vivid" or (number and (peer.copies or key == "replace-heapflow")):
                continue
            screens = ["yes"] if peer.source in sources or not peer.alone else ["yes", "no"]
            sources.add(peer.source)
            for screen in screens:
                for frames in lengths(peer, size):
                    yield f"{number} cpu {key}-{size}-{screen}-{frames} play {key} {size} {frames} {screen}"


def layer_jobs(number):
    for cameras in (1, 2, 4):
        for screen in ("yes", "no"):
            for frames in LAYER_LENGTHS:
                yield f"{number} cpu layers-{cameras}-{screen}-{frames} layers {cameras} {frames} {screen}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    sizes = ["720p"] if arguments.quick else list(SIZES)
    # On the clock first: they are run alone.
    for size in reversed(sizes):
        print(f"0 real {size} pairs {size} out/bench/real-{size}.jsonl {arguments.pairs} {' '.join(VIVID)}")
        virtual = [key for key in LIBCAMERA if size in sizes_of(PEERS[key])]
        if virtual:
            print(f"0 real virtual-{size} pairs {size} out/bench/real-virtual-{size}.jsonl 2 {' '.join(virtual)}")
            moved = [key for key in virtual if key != "virtual-cam"]
            print(f"0 real threads-{size} threads {size} out/bench/threads-{size}.jsonl {arguments.pairs} "
                  f"{' '.join(moved)}")
    print("0 cpu calls-10000 calls 10000")
    print("0 cpu calls-410000 calls 410000")
    # Long ones first, so that the processors finish together; heavy frames make heavy runs.
    for size in reversed(sizes):
        vivid = [key for key in VIVID if size in sizes_of(PEERS[key])]
        print(f"0 simulated {size} details {size} out/bench/simulated-{size}.jsonl {' '.join(vivid)}")
        virtual = [key for key in LIBCAMERA if size in sizes_of(PEERS[key])]
        if virtual:
            print(f"0 simulated virtual-{size} details {size} out/bench/simulated-virtual-{size}.jsonl "
                  f"{' '.join(virtual)}")
    print(f"0 simulated vimc details {SMALL} out/bench/simulated-vimc.jsonl {' '.join(VIMC)}")
    for number in range(arguments.rounds):
        for job in cpu_jobs(number, sizes):
            print(job)
        if not arguments.quick:
            for job in layer_jobs(number):
                print(job)


if __name__ == "__main__":
    main()
