# SPDX-License-Identifier: LGPL-2.1-or-later
# Where the board's parts are kept, and how a part is made once.
#
# A part is a directory $BOARD_CACHE/NAME-KEY; KEY is a hash of all that goes into it. It is made
# under another name and renamed when it is whole, so what has its name is complete.

BOARD_CACHE=${HEAPFLOW_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/heapflow}

die() {
    printf 'board: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 125
}

# key WORD… -- FILE…: a hash of the words and of the files' content
key() {
    local words=()
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    { printf '%s\n' "${words[@]}"; cat -- "$@"; } | sha256sum | cut -c1-16
}

# with_lock NAME COMMAND…: one process at a time, over all checkouts of this user
with_lock() {
    local lock=$BOARD_CACHE/locks/$1 status
    shift
    mkdir -p "$BOARD_CACHE/locks"
    exec 9>"$lock"
    flock -n 9 || { echo "waiting for another board/setup to finish"; flock 9; }
    "$@" 9>&-
    status=$?
    exec 9>&-
    return $status
}

# make_part DIRECTORY FUNCTION: make the part in an empty directory, then give it its name.
# An earlier try that was interrupted is thrown away first.
make_part() {
    local part=$1 work=$1.part
    [ ! -d "$part" ] || return 0
    rm -rf "$work"
    mkdir -p "$work"
    "$2" "$work" || return
    mv -T "$work" "$part"
}

# part_is_there DIRECTORY; also marks it as used, for board/setup --prune
part_is_there() {
    [ -d "$1" ] && touch "$1" 2>/dev/null
}
