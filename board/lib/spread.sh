# SPDX-License-Identifier: LGPL-2.1-or-later
# Lists of what is run on boards, and the running of it spread over the processors.

trim() { local word=$1; word=${word#"${word%%[![:space:]]*}"}; printf '%s' "${word%"${word##*[![:space:]]}"}"; }

# matches NAME PATTERN…: one of the shell patterns fits, or there is none
matches() {
    local name=$1 pattern
    shift
    [ $# -gt 0 ] || return 0
    for pattern in "$@"; do
        # shellcheck disable=SC2053  # a pattern is meant
        [[ $name == $pattern ]] && return 0
    done
    return 1
}

declare -A SPREAD_PROCESS=() SPREAD_INDEX=() SPREAD_STARTED=()

# Boards that ran on would write into out/.
stop_spread() {
    local slot
    trap '' INT TERM HUP
    for slot in "${!SPREAD_PROCESS[@]}"; do end_tree "${SPREAD_PROCESS[$slot]}" & done
    { wait; } 2>/dev/null # of each that it killed, the shell would say so
}

# spread COUNT JOBS RUN LOG REPORT: for each index below COUNT call RUN INDEX PROCESSOR with its output in the file
# that LOG INDEX names, JOBS at once, and REPORT INDEX STATUS SECONDS when it is over. A signal ends them all.
spread() {
    local count=$1 jobs=$2 run=$3 log=$4 report=$5
    local next=0 running=0 slot status processors
    processors=$(nproc)
    trap 'stop_spread; exit 130' INT
    trap 'stop_spread; exit 143' TERM HUP
    while [ $next -lt "$count" ] || [ $running -gt 0 ]; do
        for ((slot = 0; slot < jobs; slot++)); do
            if [ -n "${SPREAD_PROCESS[$slot]:-}" ]; then
                kill -0 "${SPREAD_PROCESS[$slot]}" 2>/dev/null && continue
                status=0
                wait "${SPREAD_PROCESS[$slot]}" || status=$?
                "$report" "${SPREAD_INDEX[$slot]}" "$status" $(($(now) - SPREAD_STARTED[$slot]))
                unset "SPREAD_PROCESS[$slot]"
                running=$((running - 1))
            fi
            if [ $next -lt "$count" ]; then
                "$run" $next $((slot % processors)) >"$("$log" $next)" 2>&1 </dev/null &
                SPREAD_PROCESS[$slot]=$! SPREAD_INDEX[$slot]=$next SPREAD_STARTED[$slot]=$(now)
                next=$((next + 1)) running=$((running + 1))
            fi
        done
        sleep 0.1
    done
}
