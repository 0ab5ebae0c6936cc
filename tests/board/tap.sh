# SPDX-License-Identifier: LGPL-2.1-or-later
# TAP of a test script; it ends with `echo "1..$number"` and fails when $failures is not 0. A script that has
# more to show of a failure defines explain().
# shellcheck shell=bash disable=SC2034  # `failures` is the caller's
number=0 failures=0

check() { # DESCRIPTION WANTED GOT
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        failures=$((failures + 1))
        echo "not ok $number - $1"
        printf '# wanted: %s\n# got:    %s\n' "$2" "$3"
        ! declare -F explain >/dev/null || explain
    fi
}
