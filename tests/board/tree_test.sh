#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What board/bench, board/test and board/torture end at Ctrl-C is over when they return: boards that stop slowly, and the
# next one. Prints TAP.
set -u -o pipefail

top=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$top/tests/board/tap.sh"
. "$top/board/lib/steps.sh"

# As board/bench has it: xargs, a job, and in it what takes a while to stop and writes until then.
cat >"$work/job" <<'END'
trap 'sleep 1; echo stopped >>"$1/written"; exit' TERM
echo $$ >>"$1/begun"
while :; do sleep 0.05; done
END
printf '1\n2\n3\n' | xargs -I '{}' bash -c 'bash "$0/job" "$0"; :' "$work" &
tree=$!
for _ in $(seq 100); do [ -s "$work/begun" ] && break; sleep 0.1; done
job=$(cat "$work/begun")
end_tree $tree
{ wait $tree; } 2>/dev/null
check "what stops slowly has stopped" stopped "$(cat "$work/written" 2>/dev/null)"
check "none of it is left" gone "$(kill -0 "$job" $tree 2>/dev/null && echo left || echo gone)"
check "no other was begun in its place" 1 "$(wc -l <"$work/begun")"

bash -c 'trap "" TERM; echo $$ >"$0"; while :; do sleep 0.05; done' "$work/deaf" &
tree=$!
for _ in $(seq 100); do [ -s "$work/deaf" ] && break; sleep 0.1; done
bash -c 'exit 0' &
gone=$!
wait $gone
end_tree $gone
check "one that is gone already is no error" 0 $?
end_tree $tree
seen=$(kill -0 $tree 2>/dev/null && echo left || echo gone)
kill -KILL $tree 2>/dev/null
{ wait $tree; } 2>/dev/null
check "one that hears no SIGTERM is ended" gone "$seen"

# As board/test and board/torture have it: each job in a shell of its own, several at once.
rm "$work/begun" "$work/written"
cat >"$work/spread" <<'END'
. "$1/board/lib/steps.sh"
. "$1/board/lib/spread.sh"
run() { bash "$work/job" "$work"; :; }
log() { echo "$work/log.$1"; }
report() { :; }
work=$2
spread 4 2 run log report
END
bash "$work/spread" "$top" "$work" &
tree=$!
for _ in $(seq 100); do [ "$(cat "$work/begun" 2>/dev/null | wc -l)" = 2 ] && break; sleep 0.1; done
jobs=$(cat "$work/begun")
kill -TERM $tree
status=0
wait $tree || status=$?
check "a signal to what is spread is its exit status" 143 $status
# shellcheck disable=SC2086  # a list of numbers
check "no job of it is left" "2 stopped, gone" \
    "$(grep -c stopped "$work/written") stopped, $(kill -0 $jobs 2>/dev/null && echo left || echo gone)"
check "no job of it was begun in place of one" 2 "$(wc -l <"$work/begun")"

echo "1..$number"
[ $failures = 0 ]
