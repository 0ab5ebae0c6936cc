#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# examples/ as a stranger finds it: built against the installed libraries, which are in /usr/local and
# nowhere else, and run on the board with them. Runs on the host; prints TAP.
set -u -o pipefail

top=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d "$top/out/examples.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
. "$top/tests/board/tap.sh"

# In the name space of the command alone: the root file system is everybody's.
installed='mount --bind "$0/root/usr/local" /usr/local && unset PKG_CONFIG_PATH &&
    export LD_LIBRARY_PATH=$(dirname "$(ls /usr/local/lib/*/libheapflow-camera.so)") && cd "$0"'

"$top/board/in" meson install -C "$top/build" --no-rebuild --quiet --destdir "$work/root" >"$work/install.log" 2>&1
check "meson install" 0 $?
"$top/board/in" bash -c "$installed"' && export PKG_CONFIG_PATH=$LD_LIBRARY_PATH/pkgconfig &&
    meson setup --wrap-mode nofallback -Dwerror=true build "$1" && ninja -C build' \
    "$work" "$top/examples" >"$work/build.log" 2>&1
check "the example builds against what is installed" 0 $?
# A header or library of the checkout would hide that something is not installed.
check "and only that" "" "$(grep -o "$top/[a-z-]*/include" "$work/build/compile_commands.json" | head -n 1)"
check "it has less than 150 lines" yes "$([ "$(wc -l <"$top/examples/camera-to-screen.cpp")" -lt 150 ] && echo yes)"

# ldd shows whose libraries it runs with; the writeback connector what the screen showed. Not before it
# is lit: whoever opens an unused display is its master for a moment, and the example would find it taken.
run() { (cd "$work" && timeout 120 "$top/board/run" --no-build bash -c "$installed && $1" "$work"); }
run 'ldd build/camera-to-screen | grep heapflow
    build/camera-to-screen "no-such-heap" 2>&1; echo "status $?"
    build/camera-to-screen "video@*" /dev/video7 90 2>&1; echo "status $?"
    build/camera-to-screen system Virtual0 20 2>&1; echo "status $?"
    build/camera-to-screen system /dev/video7 >shown 2>&1 &
    for i in $(seq 300); do grep -q active=1 /sys/kernel/debug/dri/1/state && break; sleep 0.1; done
    heapctl screenshot screen.png 2>&1
    sleep 1; kill -INT $!; wait $!; echo "status $?"; cat shown; test -s screen.png' >"$work/log" 2>&1
check "on the board" 0 $?
check "it runs with the installed libraries" 3 "$(grep -c '=> /usr/local/lib/.*/libheapflow' "$work/log")"
check "a heap that is not there is an error that says so" yes "$(grep -q 'camera-to-screen: .*no-such-heap' "$work/log" && echo yes)"
check "exit statuses" "status 1 status 0 status 0 status 0" "$(grep '^status' "$work/log" | head -n 4 | tr '\n' ' ' | sed 's/ $//')"
check "each frame of vivid is shown" "90 frames shown" "$(grep 'frames shown' "$work/log" | sed -n 2p)"
check "and of libcamera's camera" "20 frames shown" "$(grep 'frames shown' "$work/log" | sed -n 3p)"
check "in the heap that was asked for" yes "$(grep -q 'buffers of video@42000000' "$work/log" && echo yes)"
# A dark screen is an error of heapctl.
check "the screen shows a picture" yes "$(grep -q 'screen.png: 1280x720' "$work/log" && echo yes)"
check "Ctrl-C ends it in order" yes "$([ "$(grep 'frames shown' "$work/log" | sed -n 4p | cut -d' ' -f1)" -gt 0 ] && echo yes)"

[ $failures = 0 ] || sed 's/^/# /' "$work/install.log" "$work/build.log" "$work/log" | tail -n 80
echo "1..$number"
[ $failures = 0 ]
