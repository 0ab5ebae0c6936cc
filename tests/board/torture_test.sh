#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# board/torture says what was not survived: in its exit status, on stdout, and as JSON. With groups of its own.
# Runs on the host and boots boards; prints TAP.
set -u -o pipefail

top=$(cd "$(dirname "$0")/../.." && pwd -P)
mkdir -p "$top/out"
work=$(mktemp -d "$top/out/torture-test.XXXXXX") # /tmp is another one on the board
trap 'rm -rf "$work"' EXIT
. "$top/tests/board/tap.sh"

cat >"$work/good.sh" <<'END'
echo '# seed 7'
echo 'ok 1 - a "quoted" fault (2 times)'
printf 'torture\ta "quoted" fault\t2\t2\tan \\ error\n'
END
cat >"$work/bad.sh" <<'END'
echo '# all is well'
echo '# broken: it hurts: really'
echo 'not ok 1 - it hurts (3 times)'
printf 'torture\tit hurts\t3\t2\tpain\n'
exit 1
END
cat >"$work/none.sh" <<'END'
echo 'ok 1 - nothing (0 times)'
printf 'torture\tnothing\t0\t0\tnothing\n'
END
echo 'echo last words; sleep 60' >"$work/dies.sh"
for name in good bad dies none; do echo "$name ; ; true ; bash $work/$name.sh"; done >"$work/groups"
head -n 1 "$work/groups" >"$work/good"

# One of them outlasts it; the debug kernel takes a while to boot.
[ "${HEAPFLOW_BOARD_KERNEL:-release}" = debug ] && limit=40 || limit=8

# Its logs are in the checkout's out/torture, by name.
torture() { timeout 120 "$top/board/torture" --groups "$@"; }
field() { sed -n "s/.*\"$1\": \"\\?\\([^\",]*\\).*/\\1/p" "$2" | tr '\n' ' ' | sed 's/ $//'; }

torture "$work/groups" --timeout $limit --json "$work/all.json" >"$work/out" 2>&1
check "exit status 1 when something was not survived" 1 $?
check "each is named" "bad dies none" "$(sed -n 's/^not survived: //p' "$work/out" | xargs -n 1 | sort | xargs)"
check "its failures are shown" 2 "$(grep -cE '^    (# broken: it hurts|not ok 1 - it hurts)' "$work/out")"
check "and nothing that was survived" 0 "$(grep -c 'all is well' "$work/out")"
check "one that died shows its last words" 1 "$(grep -c '^    last words' "$work/out")"
if command -v python3 >/dev/null; then
    check "the JSON can be read" yes "$(python3 -m json.tool "$work/all.json" >/dev/null && echo yes)"
fi
check "all groups are in it" "good bad dies none" "$(field name "$work/all.json")"
check "with their status" "ok FAILED FAILED FAILED" "$(field status "$work/all.json")"
check "and the seed" "7 null null null" "$(field seed "$work/all.json" | sed 's/[}]//g')"
check "commit, kernel and form" "yes long" "$([ -n "$(field commit "$work/all.json")" ] && [ -n "$(field kernel "$work/all.json")" ] && echo yes) $(field form "$work/all.json")"
check "the failures" 1 "$(grep -c '"# broken: it hurts: really"' "$work/all.json")"

torture "$work/good" --json "$work/good.json" >/dev/null 2>&1
check "exit status 0 when all was survived" 0 $?
check "quotes and backslashes" 1 "$(grep -cF '{"fault": "a \"quoted\" fault", "injected": 2, "survived": 2, "saw": "an \\ error"}' "$work/good.json")"

echo old >"$work/old.json"
rm -f "$top/out/torture/dies.log"
set -m # else the shell gives a background job no SIGINT
"$top/board/torture" --groups "$work/groups" --timeout 60 --json "$work/old.json" dies >/dev/null 2>&1 &
process=$!
set +m
for _ in $(seq 300); do grep -qs 'last words' "$top/out/torture/dies.log" && break; sleep 0.1; done
kill -INT -- -$process
wait $process
check "exit status after Ctrl-C" 130 $?
check "an old file stays after Ctrl-C" old "$(cat "$work/old.json")"
check "and nothing else is left" "all.json bad.sh dies.sh good good.json good.sh groups none.sh old.json out" "$(cd "$work" && echo *)"
check "a file that cannot be written" 1 "$(torture "$work/good" --json "$work/not/there.json" 2>&1 | grep -c 'cannot write')"

echo "1..$number"
[ $failures = 0 ]
