# SPDX-License-Identifier: LGPL-2.1-or-later
# The board's kernel: User Mode Linux from the newest linux-source of Debian 13 and its backports.

KERNEL_OLDEST=6.18 # the first with a heap for each region of the device tree

# kernel_part VARIANT: the directory of the built kernel: linux, modules, dtc, config, version
kernel_part() {
    local files=("$BOARD/kernel/config" "$BOARD/kernel/adapt" "$BOARD/lib/kernel.sh")
    [ "$1" = release ] || files+=("$BOARD/kernel/config-$1")
    printf '%s/kernel-%s-%s\n' "$BOARD_CACHE" "$1" \
        "$(key "$(uname -m)" "$(gcc -dumpfullversion 2>/dev/null || echo none)" -- "${files[@]}")"
}

# The newest version of linux-source that the archive has, and the package that it stands for.
choose_kernel_source() { # APT_STATE; prints VERSION PACKAGE
    local version package
    version=$(private_apt "$1" apt-cache madison linux-source | cut -d'|' -f2 | tr -d ' ' | sort -V | tail -n 1)
    package=$(private_apt "$1" apt-cache show "linux-source=$version" |
        sed -n 's/^Depends:.*\(linux-source-[0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$package" ] || { echo "the archive has no linux-source" >&2; return 1; }
    if [ "$(printf '%s\n' "$KERNEL_OLDEST" "$version" | sort -V | head -n 1)" != "$KERNEL_OLDEST" ]; then
        echo "the newest linux-source is $version; the board needs $KERNEL_OLDEST" >&2
        return 1
    fi
    printf '%s %s\n' "$version" "$package"
}

# A kernel that lost an option of the fragment would make a board without a heap or a device.
check_kernel_config() { # FRAGMENT CONFIG
    local line name bad=0
    while read -r line; do
        name=${line%%=*}
        case $line in
        CONFIG_*=n) ! grep -q "^$name=" "$2" || { echo "kernel option $name cannot be switched off"; bad=1; } ;;
        CONFIG_*) grep -qxF -- "$line" "$2" || { echo "kernel option not taken: $line"; bad=1; } ;;
        esac
    done < <(awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (name in last) print last[name] }' "$1")
    return $bad
}

make_kernel() { # WORK_DIRECTORY, with KERNEL_VARIANT set
    local work=$1 version package source
    mkdir -p "$work/build"
    cd "$work/build" || return
    phase 1 "reading the package lists"
    make_private_apt "$work/build/apt" deb || return
    read -r version package < <(choose_kernel_source "$work/build/apt") || return
    phase 3 "downloading $package $version"
    private_apt "$work/build/apt" apt-get download "$package=$version" || return
    phase 6 "unpacking Linux $version"
    dpkg-deb --fsys-tarfile linux-source-*.deb | tar -x --wildcards -O './usr/src/linux-source-*.tar.xz' |
        tar -xJ --strip-components=1 --one-top-level=source --exclude='*/drivers/gpu/drm/amd/include/*' || return
    rm -f linux-source-*.deb
    "$BOARD/kernel/adapt" source || return

    phase 15 "configuring Linux $version"
    cat "$BOARD/kernel/config" >fragment
    [ "$KERNEL_VARIANT" = release ] || cat "$BOARD/kernel/config-$KERNEL_VARIANT" >>fragment
    make -C source ARCH=um O="$PWD/objects" KCONFIG_ALLCONFIG="$PWD/fragment" allnoconfig || return
    check_kernel_config fragment objects/.config || return
    # So that the same sources give the same kernel, on whatever machine.
    KBUILD_BUILD_USER=heapflow KBUILD_BUILD_HOST=board KBUILD_BUILD_TIMESTAMP="$version" \
        make -C source ARCH=um O="$PWD/objects" -j"$(nproc)" linux modules || return
    PATH=$PATH:/usr/sbin:/sbin make -C source ARCH=um O="$PWD/objects" \
        INSTALL_MOD_PATH="$PWD/installed" INSTALL_MOD_STRIP=1 modules_install || return
    rm -f installed/lib/modules/*/build && mv installed/lib/modules ../modules || return
    compgen -G '../modules/*/modules.dep.bin' >/dev/null || { echo "depmod made no modules.dep.bin"; return 1; }

    cp objects/linux ../linux && strip --strip-debug ../linux && cp objects/scripts/dtc/dtc ../dtc &&
        cp objects/.config ../config && printf '%s\n' "$version" >../version || return
    cd .. && rm -rf build
}

# Per cent and what is done, from the log: lines of a kernel build, of which there are about 1,130.
kernel_progress() { # LOG
    local built
    built=$(grep -cE '^  (CC|AR|LD|HOSTCC|HOSTLD|AS) ' "$1" 2>/dev/null)
    if [ "${built:-0}" -gt 20 ]; then
        printf '%d compiling, %d files' $((15 + (built > 1130 ? 1130 : built) * 84 / 1130)) "$built"
    else
        sed -n 's/^phase //p' "$1" | tail -n 1
    fi
}
