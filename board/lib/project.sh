# SPDX-License-Identifier: LGPL-2.1-or-later
# The project itself, built in the board's root file system into build/ of the checkout.

# Half the compile time of meson's default; lines are known to gdb and valgrind all the same.
PROJECT_OPTIONS="-Dwerror=true -Doptimization=1 -Ddebug=false -Dcpp_args=-g1 -Dother-libcamera=$OTHER_LIBCAMERA/usr"

PROJECT_SOURCES='meson.build meson.options libheap camera display gst-plugin po tools tests docs examples'

# How much of it: the target `product`, or `all`, tests included. A checkout that once had its tests
# built keeps them up to date.
project_target() { # [all]
    if [ "${1:-}" = all ] || [ "$(sed -n 2p "$BUILD/.board-built" 2>/dev/null)" = all ]; then echo all; else echo product; fi
}

# Nothing changed since the last build that succeeded, with the same root file system?
project_is_built() { # [all]
    local stamp=$BUILD/.board-built
    [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$(root_part)" ] || return 1
    [ "$(sed -n 2p "$stamp")" = "$(project_target "$@")" ] || return 1
    # shellcheck disable=SC2086  # a list of names
    [ -z "$(cd "$TOP" && find $PROJECT_SOURCES -newer "$stamp" -print -quit 2>/dev/null)" ]
}

in_root() { # COMMAND… in the checkout, with the build's environment
    local environment mounts
    mapfile -d '' environment < <(build_environment; compiler_cache)
    mapfile -t mounts < <(build_mounts "$TOP")
    (enter_root "$(root_part)/fs" "$TOP" "${mounts[@]}" -- env -i "${environment[@]}" TERM="${TERM:-dumb}" "$@")
}

# Where Debian's libraries are: meson learns it from dpkg-architecture, which this root file system lacks,
# and would install into lib64, where Debian's loader does not look.
library_directory() { printf 'lib/%s\n' "$(in_root gcc -print-multiarch)"; }

# shellcheck disable=SC2086  # options are a list
build_project() { # [all]
    local stamp=$BUILD/.board-built next=$BUILD/.board-building target
    target=$(project_target "$@")
    mkdir -p "$BUILD"
    if [ -f "$BUILD/build.ninja" ] && [ "$(cat "$BUILD/.board-root" 2>/dev/null)" != "$(root_part)" ]; then
        phase 1 "configuring anew: the root file system changed"
        in_root meson setup --wipe "$BUILD" $PROJECT_OPTIONS -Dlibdir="$(library_directory)" || return
    elif [ ! -f "$BUILD/build.ninja" ]; then
        phase 1 "configuring"
        in_root meson setup "$BUILD" $PROJECT_OPTIONS -Dlibdir="$(library_directory)" || return
    fi
    root_part >"$BUILD/.board-root"
    # The stamp is as old as the start of the build: what changes meanwhile is built next time.
    { root_part; echo "$target"; } >"$next"
    in_root ninja -C "$BUILD" "$target" || return
    phase 95 "GStreamer's registry"
    make_registry || return
    mv "$next" "$stamp"
}

# Scanning some 250 plugins takes GStreamer seconds on the board and a moment here; the board is then
# told not to look again (GST_REGISTRY_UPDATE=no).
make_registry() {
    rm -f "$BUILD/gst-registry.bin"
    in_root gst-inspect-1.0 coreelements >/dev/null 2>&1 || { echo "gst-inspect-1.0 failed"; return 1; }
}

project_progress() { # LOG
    sed -n -e 's/^phase //p' -e 's/^\[\([0-9]*\)\/\([0-9]*\)\] .*/\1 \2/p' "$1" | tail -n 1 |
        awk 'NF == 2 && $2 ~ /^[0-9]+$/ { printf "%d compiling, %d of %d", 5 + 90 * $1 / $2, $1, $2; next } { print }'
}
