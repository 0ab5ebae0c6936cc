# SPDX-License-Identifier: LGPL-2.1-or-later
# The board's root file system: Debian 13 with libcamera from its backports.

root_part() {
    local owner=user
    [ "$(id -u)" != 0 ] || owner=root
    printf '%s/root-%s\n' "$BOARD_CACHE" "$(key "$(uname -m)" $owner -- \
        "$BOARD/packages" "$BOARD/guest/virtual.yaml" "$BOARD/lib/root.sh" "$BOARD/lib/debian.sh")"
}

# udev rules that the board needs; each of the others would cost a process per device at boot.
ROOT_UDEV_RULES='50-udev-default.rules 60-drm.rules 70-uaccess.rules 71-seat.rules 99-systemd.rules'

ROOT_PREFERENCES='Package: *
Pin: release n=trixie-backports
Pin-Priority: 100

Package: src:libcamera
Pin: release n=trixie-backports
Pin-Priority: 600
'

# The libcamera of Debian 13 itself, beside the one from its backports: unpacked, as the two cannot
# both be installed. Their libraries depend on the same packages. tests/suites runs with it as well.
OTHER_LIBCAMERA=/opt/libcamera-0.4
OTHER_LIBCAMERA_PACKAGES='libcamera0.4 libcamera-dev libcamera-ipa'
unpack_other_libcamera() { # a hook of mmdebstrap, which runs it with the root's path as $1
    local package wanted=
    for package in $OTHER_LIBCAMERA_PACKAGES; do wanted+=" $package/$DEBIAN_RELEASE"; done
    printf '%s' 'set -e; mkdir "$1/opt/unpack"; cd "$1/opt/unpack"; ' \
        'APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download -q'"$wanted; " \
        "for package in *.deb; do dpkg-deb -x \"\$package\" \"\$1$OTHER_LIBCAMERA\"; done; " \
        'cd /; rm -r "$1/opt/unpack"'
}

make_root() { # WORK_DIRECTORY
    local work=$1 packages sources option options=()
    packages=$(sed 's/#.*//' "$BOARD/packages" | tr -s ' \n' ',,' | sed 's/^,//; s/,$//')
    mapfile -t sources < <(debian_sources deb)
    while read -r option; do options+=(--aptopt="$option"); done < <(apt_transport_options)
    phase 1 "reading the package lists"

    # As an ordinary user the file system is made in a user name space and arrives as an archive, so
    # that every file in the cache is the user's own.
    local mode=root target=$work/fs
    [ "$(id -u)" = 0 ] || { mode=unshare; target=-; }
    pack() { if [ "$target" = - ]; then
        mkdir -p "$work/fs" && tar -x -C "$work/fs" --no-same-owner --exclude='./dev/*'
    else
        cat >&2
    fi; }
    printf '%s' "$ROOT_PREFERENCES" >"$work/preferences"
    mmdebstrap --verbose --mode=$mode --variant=minbase --format="$([ $mode = root ] && echo directory || echo tar)" \
        "${options[@]}" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --setup-hook="copy-in $work/preferences /etc/apt/preferences.d" \
        --customize-hook="$(unpack_other_libcamera)" \
        --include="$packages" "$DEBIAN_RELEASE" "$target" "${sources[@]}" 2>&3 | pack || return

    local rule
    for rule in "$work"/fs/usr/lib/udev/rules.d/*; do
        rule=${rule##*/}
        case " $ROOT_UDEV_RULES " in *" $rule "*) ;; *) ln -s /dev/null "$work/fs/etc/udev/rules.d/$rule" ;; esac
    done
    cp "$BOARD/guest/virtual.yaml" "$work/fs/usr/share/libcamera/pipeline/virtual/virtual.yaml" || return
    echo board >"$work/fs/etc/hostname"
    rm -f "$work/preferences"
}

# Per cent and what is done: lines of apt and dpkg about the packages that are installed.
root_progress() { # LOG
    local all done_ now
    all=$(sed -n 's/.* \([0-9]*\) newly installed.*/\1/p' "$1" | awk '{ n += $1 } END { print n + 0 }')
    done_=$(grep -cE '^(Unpacking|Setting up) ' "$1" 2>/dev/null)
    now=$(grep -E '^(Unpacking|Setting up) ' "$1" | tail -n 1 | cut -d' ' -f1-3 | sed 's/:amd64//; s/ ($//')
    if [ "${all:-0}" -gt 0 ] && [ -n "$now" ]; then
        printf '%d %s' $((10 + (done_ * 89 / (2 * all) > 89 ? 89 : done_ * 89 / (2 * all)))) "$now"
    elif [ "${all:-0}" -gt 0 ]; then
        printf '5 downloading %d packages' "$all"
    else
        sed -n 's/^phase //p' "$1" | tail -n 1
    fi
}
