# SPDX-License-Identifier: LGPL-2.1-or-later
# What starts the board: board/boot's init (inside) and runner (on the host), the device tree, and what
# is preloaded into the demonstration.

boot_part() {
    printf '%s/boot-%s\n' "$BOARD_CACHE" "$(key "$(basename "$(root_part)")" -- "$BOARD"/boot/* \
        "$BOARD/board.dts" "$BOARD/guest/mapcount.c" "$BOARD/lib/boot.sh")"
}

make_boot() { # WORK_DIRECTORY
    local work=$1 program
    # Static: init runs before any library is there, the runner on whatever the host is.
    for program in init runner; do
        (enter_root "$(root_part)/fs" "$TOP" "$TOP" "$work" -- \
            g++ -std=c++23 -O2 -Wall -Wextra -Werror -static -s \
            "$BOARD/boot/$program.cpp" -o "$work/$program") || return
    done
    (enter_root "$(root_part)/fs" "$TOP" "$TOP" "$work" -- \
        gcc -O2 -Wall -Wextra -Werror -shared -fPIC "$BOARD/guest/mapcount.c" -o "$work/mapcount.so") || return
    compile_device_tree "$BOARD/board.dts" "$work/board.dtb" || return
    # Where board/run puts the modules of the kernel that it starts.
    mkdir -p "$(root_part)/fs/usr/lib/modules" || return
    # The kernel can start only what is in its root; the name tells one checkout's from another's.
    cp "$work/init" "$(root_part)/fs$(boot_init).part" && mv "$(root_part)/fs$(boot_init).part" "$(root_part)/fs$(boot_init)"
}

# The path of init in the root file system.
boot_init() { printf '/usr/sbin/board-init-%s\n' "$(basename "$(boot_part)")"; }

boot_is_there() { part_is_there "$(boot_part)" && [ -x "$(root_part)/fs$(boot_init)" ]; }

# The kernel was built with this dtc, so it understands what the kernel does.
compile_device_tree() { # SOURCE BLOB
    local errors
    errors=$("$(kernel_part release)/dtc" -q -I dts -O dtb -o "$2" "$1" 2>&1) ||
        die "$1 is not a device tree source" "$errors"
}
