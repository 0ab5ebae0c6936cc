#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the debug kernel reports fails the run and is shown, and a run without a report is as any other. The
# faults are made by Linux' own lkdtm and kmemleak-test. Runs on the host and boots boards; prints TAP.
set -u -o pipefail

top=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$top/tests/board/tap.sh"

run() { timeout 200 "$top/board/run" --no-build --debug "$@" >"$work/out" 2>"$work/err"; }

explain() { sed 's/^/#   /' "$work/err" | head -n 40; }

status_of() { local status=0; "$@" || status=$?; echo $status; }

# provoke WORD [OPTION…]: a crash of lkdtm's
provoke() {
    local word=$1
    shift
    run "$@" sh -c "modprobe lkdtm && echo $word >/sys/kernel/debug/provoke-crash/DIRECT"
}

check "a run without a report ends as its command" 0 "$(status_of run true)"
check "with its status" 7 "$(status_of run sh -c 'exit 7')"
check "in simulated time, too" 0 "$(status_of run --simulated-time sleep 100)"
check "several processors are refused" 125 "$(status_of run --cpus 2 true)"

check "use after free fails the run" 125 "$(status_of provoke WRITE_AFTER_FREE)"
check "KASAN's report is shown" yes "$(grep -q 'BUG: KASAN: slab-use-after-free in lkdtm_WRITE_AFTER_FREE' "$work/err" && echo yes)"
check "with the stack of who freed it" yes "$(grep -q 'Freed by task' "$work/err" && echo yes)"
check "unless it is accepted" 0 "$(status_of provoke WRITE_AFTER_FREE --accept-complaints)"

check "a lock that is kept too long fails the run" 125 "$(status_of provoke SPINLOCKUP)"
check "lockdep's report is shown" yes "$(grep -q 'BUG: Invalid wait context' "$work/err" && echo yes)"
check "a damaged list fails the run" 125 "$(status_of provoke CORRUPT_LIST_ADD)"
check "and is shown" yes "$(grep -q 'list_add corruption' "$work/err" && echo yes)"

check "lost memory of the kernel's fails the run" 125 "$(status_of run modprobe kmemleak-test)"
check "kmemleak's report is shown with the stack" yes "$(grep -q 'unreferenced object' "$work/err" && grep -q 'kmemleak_test_init' "$work/err" && echo yes)"
check "also in simulated time" 125 "$(status_of run --simulated-time modprobe kmemleak-test)"

check "an allocation of the kernel's fails on request" yes "$(run sh -c '
    echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
    exec bash -c "exec 3<>/proc/self/fail-nth; echo 1 >&3; cat </dev/null"' || grep -q 'annot allocate memory' "$work/err" && echo yes)"

echo "1..$number"
[ $failures = 0 ]
