# SPDX-License-Identifier: LGPL-2.1-or-later
# What every command in board/ starts with: where things are, and the parts of the board.

BOARD=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
TOP=$(dirname "$BOARD")
BUILD=$TOP/build

for part in cache debian enter kernel root boot project steps spread; do
    # shellcheck disable=SC1090
    . "$BOARD/lib/$part.sh"
done

# need_board [VARIANT [all]]: make what is missing, with `all` the tests, too; says nothing and takes no
# time when nothing is
need_board() {
    local variant=${1:-release} tests=${2:-}
    if part_is_there "$(root_part)" && part_is_there "$(kernel_part release)" &&
        part_is_there "$(kernel_part "$variant")" && boot_is_there && project_is_built ${tests:+"$tests"}; then
        return 0
    fi
    "$BOARD/setup" --for-run --kernel "$variant" ${tests:+--tests} >&2 || exit 125
}
