#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# board/run keeps what it promises: streams, signals, exit statuses, time, and nothing left behind.
# Runs on the host and boots boards; prints TAP.
set -u -o pipefail

top=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$top/tests/board/tap.sh"

run() { timeout 120 "$top/board/run" --no-build "$@"; }

status_of() { local status=0; "$@" >"$work/out" 2>"$work/err" || status=$?; echo $status; }

# What is left of boards that this test started, and not of those that other tests run meanwhile: both a
# run's directory (by the environment in its order) and its processes have the mark.
export HEAPFLOW_RUNNER_TEST=mark-$$-$RANDOM
leftovers() {
    {
        grep -laF "$HEAPFLOW_RUNNER_TEST" /dev/shm/heapflow-board.*/order "${TMPDIR:-/tmp}"/heapflow-board.*/order
        grep -laF "$HEAPFLOW_RUNNER_TEST" /proc/[0-9]*/environ | while read -r environment; do
            grep -laE 'heapflow-board|board-init' "${environment%environ}cmdline"
        done
    } 2>/dev/null | wc -l
}

check "exit status 0" 0 "$(status_of run true)"
check "exit status of the command" 7 "$(status_of run sh -c 'exit 7')"
check "128 + the signal that ended it" 137 "$(status_of run sh -c 'kill -9 $$')"
check "127 for a command that is not there" 127 "$(status_of run not-a-command)"
check "126 for one that cannot be run" 126 "$(status_of run /etc/passwd)"
check "2 for an unknown option" 2 "$(status_of run --not-an-option)"
check "125 for a memory size that is none" 125 "$(status_of run --memory much true)"

run sh -c 'echo to stdout; echo to stderr >&2' >"$work/out" 2>"$work/err"
check "stdout is apart" "to stdout" "$(cat "$work/out")"
check "stderr is apart" "to stderr" "$(cat "$work/err")"

head -c 300000 /dev/urandom >"$work/data"
check "stdin and stdout carry any byte" "$(sha256sum <"$work/data")" "$(run cat <"$work/data" | sha256sum)"
check "a command that reads no stdin is not held up" "done" "$(head -c 300000 /dev/zero | run echo done)"
check "output is complete" 5000000 "$(run head -c 5000000 /dev/zero | wc -c)"

run sh -c 'echo first; sleep 5' | { read -r _ && date +%s%N && cat >/dev/null; } >"$work/first"
check "output comes live" yes "$([ $(($(date +%s%N) - $(cat "$work/first"))) -gt 3000000000 ] && echo yes)"

mkdir "$work/a directory"
check "the caller's directory" "$work/a directory" "$(cd "$work/a directory" && run pwd)"
(cd "$work/a directory" && run sh -c 'echo written >file')
check "is writable" written "$(cat "$work/a directory/file" 2>/dev/null)"
check "arguments keep spaces and quotes" "<a b><\$c><'d\">" "$(run printf '<%s>' 'a b' "\$c" "'d\"")"
check "variables of the caller are there" "value" "$(HEAPFLOW_TEST=value run sh -c 'echo $HEAPFLOW_TEST')"
check "--env" "v w" "$(run --env 'X=v w' sh -c 'echo $X')"
check "root" 0 "$(run id -u)"

check "--timeout" 124 "$(status_of run --timeout 1 sleep 60)"
run --timeout 60 sh -c 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$work/out" 2>/dev/null &
process=$!
for _ in $(seq 100); do grep -q ready "$work/out" && break; sleep 0.1; done
pkill -TERM -P $process -f board/run || kill -TERM $process
wait $process
check "SIGTERM reaches the command" "ready caught" "$(tr '\n' ' ' <"$work/out" | sed 's/ $//')"
run sleep 5 >/dev/null &
for _ in $(seq 100); do [ "$(leftovers)" -gt 1 ] && break; sleep 0.1; done
check "what a board needs is seen while it runs" yes "$([ "$(leftovers)" -gt 1 ] && echo yes)"
wait $!
check "nothing is left" 0 "$(leftovers)"

check "a kernel oops fails the run" 125 "$(status_of run sh -c 'echo c >/proc/sysrq-trigger; sleep 5')"
check "its lines are shown" yes "$(grep -q 'sysrq triggered crash' "$work/err" && echo yes)"
log=$(sed -n 's/.*kernel messages: //p' "$work/err")
check "and the log's path, which exists" yes "$([ -f "$log" ] && echo yes)"

check "heaps" "default_cma_region linux,cma memory@48000000-contiguous system video@42000000" \
    "$(run sh -c 'echo $(ls /dev/dma_heap)')"
sed 's/video@42000000 {/frames@4c000000 {/; s/reg = <0x0 0x42000000/reg = <0x0 0x4c000000/' "$top/board/board.dts" >"$work/other.dts"
check "--device-tree" yes "$(run --device-tree "$work/other.dts" sh -c 'test -e /dev/dma_heap/frames@4c000000 && echo yes')"
check "a device tree that is none" 125 "$(status_of run --device-tree "$work/data" true)"
check "--kernel-arg" 1 "$(run --kernel-arg vivid.allocators=1 sh -c 'cut -d, -f1 /sys/module/vivid/parameters/allocators')"
check "--memory" yes "$(run --memory 2G sh -c 'test $(awk "/MemTotal/ { print \$2 }" /proc/meminfo) -gt 1700000 && echo yes')"
check "devices: media, display, fences" "yes" "$(run sh -c 'test -c /dev/dri/card1 && test -c /dev/media3 && test -c /dev/udmabuf && test -e /sys/kernel/debug/sync/sw_sync && test -d /sys/kernel/config/vkms && test -d /sys/kernel/debug/cma && grep -qw dmem /sys/fs/cgroup/cgroup.controllers && pgrep -f systemd-udevd >/dev/null && echo yes')"
check "planes of every kind" "0 1 2" \
    "$(run modetest -M vkms -p 2>/dev/null | grep -A4 ' type:' | sed -n 's/.*value: //p' | sort -u | tr '\n' ' ' | sed 's/ $//')"
check "a writeback connector" yes "$(run sh -c 'ls /sys/class/drm | grep -q Writeback && echo yes')"

# Many runs, with this machine kept busy: what depends on the host or on chance shows in one of some ten.
# HEAPFLOW_RUNS=24 is the long form.
simulated='date +%s.%N; sleep 30; date +%s.%N; v4l2-ctl -d /dev/video7 --stream-mmap --stream-count=10 >/dev/null 2>&1; date +%s.%N'
timeout 60 sh -c 'while :; do :; done' &
busy=$!
# A reading of the clock costs 256 ns, and the host's interrupts make the kernel read it once more now and then
# (in one of some ten runs on a busy machine); nothing else may differ.
for _ in $(seq "${HEAPFLOW_RUNS:-10}"); do run --simulated-time sh -c "$simulated" | tr '\n' ' '; echo; done >"$work/times"
check "simulated time repeats to a microsecond" "${HEAPFLOW_RUNS:-10} runs, 3 times each, all within 1000 ns" \
    "$(awk '{ for (i = 1; i <= NF; i++) { split($i, t, "."); n = (t[1] - 1700000000) * 1e9 + t[2]
                if (NR == 1 || n < least[i]) least[i] = n; if (n > most[i]) most[i] = n } columns = NF }
            END { for (i in least) if (most[i] - least[i] > widest) widest = most[i] - least[i]
                printf "%d runs, %d times each, %s", NR, columns, widest < 1000 ? "all within 1000 ns" : "up to " widest " ns apart" }' "$work/times")"
kill $busy
check "and sleeping takes none of ours" yes "$(begin=$(date +%s); run --simulated-time sleep 100; [ $(($(date +%s) - begin)) -lt 50 ] && echo yes)"

for i in 1 2 3; do (run sh -c "echo $i >/tmp/mine; sleep 1; cat /tmp/mine" >"$work/beside.$i") & done
wait
check "boards side by side do not meet" "1 2 3" "$(cat "$work"/beside.* | tr '\n' ' ' | sed 's/ $//')"
check "nothing is left at the end" 0 "$(leftovers)"

echo "1..$number"
[ $failures = 0 ]
