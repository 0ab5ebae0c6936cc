# SPDX-License-Identifier: LGPL-2.1-or-later
# Steps with a log, a time and visible progress, several at once.

declare -A STEP_PROCESS=() STEP_LOG=() STEP_PROGRESS=() STEP_START=()

now() { printf '%(%s)T' -1; }

# What a step tells about itself: per cent of its work, and words.
phase() { printf 'phase %s\n' "$*"; }

# start_step NAME PROGRESS_FUNCTION COMMAND…: in the background; descriptor 3 is the log as well
start_step() {
    local name=$1 progress=$2
    shift 2
    STEP_LOG[$name]=$BOARD_CACHE/logs/setup-$name.$$.log
    mkdir -p "$BOARD_CACHE/logs"
    STEP_PROGRESS[$name]=$progress
    STEP_START[$name]=$(now)
    ("$@") >"${STEP_LOG[$name]}" 2>&1 3>&1 </dev/null &
    STEP_PROCESS[$name]=$!
}

minutes() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# One line for all steps that run.
show_progress() {
    local name line=""
    for name in "${!STEP_PROCESS[@]}"; do
        local percent words
        read -r percent words < <("${STEP_PROGRESS[$name]}" "${STEP_LOG[$name]}" 2>/dev/null) || true
        line+="${line:+ | }$name ${percent:-0} % ${words:0:34}"
    done
    if [ -t 2 ]; then
        printf '\r\033[K  %s  %s' "$(minutes $(($(now) - SETUP_START)))" "${line:0:${COLUMNS:-120}}" >&2
    else
        printf '  %s  %s\n' "$(minutes $(($(now) - SETUP_START)))" "$line" >&2
    fi
}

clear_progress() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

finish_step() { # NAME STATUS
    local took=$(($(now) - STEP_START[$1])) log=${STEP_LOG[$1]}
    clear_progress
    if [ "$2" = 0 ]; then
        printf '  done    %-8s %s\n' "$1" "$(minutes $took)" >&2
        rm -f "$log"
    else
        printf '  FAILED  %-8s after %s; the end of %s:\n' "$1" "$(minutes $took)" "$log" >&2
        tail -n 25 "$log" | sed 's/^/    /' >&2
    fi
    unset "STEP_PROCESS[$1]"
}

# Wait for all steps that run; fails when one did, after ending the others.
wait_steps() {
    local name status failed=0 shown=0 every=1
    [ -t 2 ] || every=20
    while [ ${#STEP_PROCESS[@]} -gt 0 ]; do
        for name in "${!STEP_PROCESS[@]}"; do
            kill -0 "${STEP_PROCESS[$name]}" 2>/dev/null && continue
            status=0
            wait "${STEP_PROCESS[$name]}" || status=$?
            finish_step "$name" "$status"
            [ "$status" = 0 ] || failed=1
        done
        [ $failed = 0 ] || break
        if [ $(($(now) - shown)) -ge $every ] && [ ${#STEP_PROCESS[@]} -gt 0 ]; then
            show_progress
            shown=$(now)
        fi
        sleep 0.2
    done
    [ $failed = 0 ] || stop_steps
    return $failed
}

stop_steps() {
    local name
    for name in "${!STEP_PROCESS[@]}"; do
        kill_tree "${STEP_PROCESS[$name]}"
        wait "${STEP_PROCESS[$name]}" 2>/dev/null || true
        unset "STEP_PROCESS[$name]"
    done
}

tree_of() { # PID: it and all that it started
    local child
    echo "$1"
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do tree_of "$child"; done
}

# As kill_tree, and returns when none of them is left: what is no child of this shell cannot be waited for.
end_tree() { # PID
    local processes process left
    # xargs would start the next one in the place of the first that ends.
    kill -STOP "$1" 2>/dev/null || return 0
    processes=$(tree_of "$1")
    for process in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do kill_tree "$process"; done
    kill -KILL "$1" 2>/dev/null || true
    for ((left = 200; left > 0; left--)); do
        # shellcheck disable=SC2086  # a list of numbers
        kill -0 $processes 2>/dev/null || return 0
        # A board gets ten seconds to stop its machine.
        [ $left != 100 ] || kill -KILL $processes 2>/dev/null || true
        sleep 0.1
    done
}

kill_tree() {
    local child
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do kill_tree "$child"; done
    kill -TERM "$1" 2>/dev/null || true
}
