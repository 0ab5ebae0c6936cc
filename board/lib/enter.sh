# SPDX-License-Identifier: LGPL-2.1-or-later
# Running a command in the board's root file system on this machine's own kernel.

# enter_root ROOT DIRECTORY MOUNT… -- COMMAND…
# The root is laid on a tmpfs, as the board's first process does it: the host's directories MOUNT are
# writable at their own paths, the root's own ones are read-only. All of it is in a mount name space
# that goes with the command.
enter_root() {
    local root=$1 directory=$2
    shift 2
    local user=()
    [ "$(id -u)" = 0 ] || user=(--user --map-root-user)
    # shellcheck disable=SC2016  # expanded by the inner shell
    exec unshare "${user[@]}" --mount --propagation private /bin/bash -c '
        set -e
        root=$1 directory=$2
        shift 2
        new=$root/mnt
        mount -t tmpfs -o mode=755 root "$new"
        for entry in "$root"/*; do
            name=${entry##*/}
            if [ -L "$entry" ]; then
                ln -s "$(readlink "$entry")" "$new/$name"
                continue
            fi
            [ -d "$entry" ] || continue
            mkdir "$new/$name"
            case $name in
            dev) mount --rbind /dev "$new/dev" && mount -t tmpfs -o mode=1777 shm "$new/dev/shm" ;;
            proc | sys) mount --rbind "/$name" "$new/$name" ;;
            tmp) mount --bind /tmp "$new/tmp" ;;
            run | mnt | root | home) ;;
            *) mount --bind "$entry" "$new/$name" && mount -o remount,bind,ro "$new/$name" ;;
            esac
        done
        while [ "$1" != -- ]; do
            mkdir -p "$new$1"
            mount --bind "$1" "$new$1"
            shift
        done
        shift
        cd "$new"
        exec /usr/sbin/chroot "$new" /usr/bin/env -C "$directory" "$@"
    ' enter_root "$root" "$directory" "$@"
}

# The variables of the caller that mean something inside; what names a place on the host does not.
caller_environment() { # prints NUL-separated NAME=VALUE
    env -0 | grep -zvE '^(PATH|LD_[A-Z_]*|HOME|TMPDIR|PWD|OLDPWD|SHLVL|_|XDG_[A-Z_]*|DBUS_[A-Z_]*|DISPLAY|WAYLAND_DISPLAY|BOARD[A-Z_]*|GST_(PLUGIN|REGISTRY)[A-Z_0-9]*|PKG_CONFIG_PATH|PYTHON[A-Z]*|LANG|LC_[A-Z]*|MAIL|SHELL|USER|LOGNAME)='
}

# The environment in which this checkout's build is found.
build_environment() { # prints NUL-separated NAME=VALUE
    local b=$BUILD tests='' part
    for part in board heap camera display gst; do
        tests+=$BUILD/tests/unit/$part:$BUILD/tests/board/$part:
    done
    printf '%s\0' \
        "PATH=$b/tools:$tests$b/tests/fuzz:$b/tests/bench:$b/tests/torture:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        "LD_LIBRARY_PATH=$b/libheap:$b/camera:$b/display:$b/gst-plugin" \
        "GST_PLUGIN_PATH=$b/gst-plugin" \
        "PKG_CONFIG_PATH=$b/meson-uninstalled" \
        "GST_REGISTRY=$b/gst-registry.bin" \
        "HEAPFLOW_BUILD=$b" \
        "HOME=/root" "USER=root" "LOGNAME=root" "SHELL=/bin/bash" "LANG=C.UTF-8"
}

# The compiler's own cache: another checkout, or this one after `git switch`, compiles what is new only.
# The absolute paths that it would look at are in debug information alone (CCACHE_NOHASHDIR), and meson
# compiles headers ahead, which ccache takes with these allowances (its manual, "Precompiled headers").
# What it sees for the first time is not preprocessed first to look it up (CCACHE_DEPEND): a third faster.
compiler_cache() { # prints NUL-separated NAME=VALUE
    printf '%s\0' "CCACHE_DIR=$BOARD_CACHE/ccache" CCACHE_MAXSIZE=2G CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 \
        CCACHE_SLOPPINESS=pch_defines,time_macros
}

# caller_mounts, and what a compiler writes to
build_mounts() { # DIRECTORY; prints one a line
    caller_mounts "$1"
    mkdir -p "$BOARD_CACHE/ccache" && printf '%s\n' "$BOARD_CACHE/ccache"
}

# The host directories that a command sees: the checkout, the build, and where the caller stands.
caller_mounts() { # DIRECTORY; prints one a line
    local directory
    printf '%s\n' "$TOP"
    for directory in "$1" "$BUILD"; do
        case $directory/ in
        "$TOP"/* | /) ;;
        *) printf '%s\n' "$directory" ;;
        esac
    done
}

# A directory that is also one of the root's own cannot be the caller's: it would hide Debian's.
check_directory() {
    case $1/ in
    / | /usr/* | /etc/* | /bin/* | /sbin/* | /lib*/* | /var/* | /boot/* | /proc/* | /sys/* | /dev/*)
        [ -d "$(root_part)/fs$1" ] || die "$1 cannot be seen from the board: it lies in one of the board's own directories" \
            "start from another directory"
        return 1 ;;
    esac
}
