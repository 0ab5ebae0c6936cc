# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian 13 packages for the board, from the archive that this machine's apt uses.

DEBIAN_RELEASE=trixie
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The address of the Debian archive, as this machine's own apt configuration has it: the first
# source with the component main that is not a security archive.
debian_archive() {
    local address
    address=$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(CODENAME)$(SUITE) $(REPO_URI) $(ORIGIN) $(LABEL)' 2>/dev/null |
        awk '$1 == "Packages" && $2 == "main" && $4 !~ /security/ && ($5 == "Debian" || $5 == "") { print $4; exit }')
    [ -n "$address" ] || address=$(grep -rhoE '^(URIs:|deb)[[:space:]].*' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
        grep -oE '[a-z+]+:/[^[:space:]]*debian/?([[:space:]]|$)' | grep -v security | head -n 1)
    [ -n "$address" ] || die "this machine's apt has no source of Debian's main component" \
        "add one to /etc/apt/sources.list.d and run apt-get update"
    printf '%s\n' "${address%/}"
}

debian_sources() { # KIND (deb or deb-src)
    local archive
    archive=$(debian_archive) || exit
    for suite in "$DEBIAN_RELEASE" "$DEBIAN_RELEASE-updates" "$DEBIAN_RELEASE-backports"; do
        printf '%s [signed-by=%s] %s %s main\n' "$1" "$DEBIAN_KEYRING" "$archive" "$suite"
    done
}

# How this machine's apt reaches the archive (proxies, time-outs, validity), for another apt.
apt_transport_options() {
    apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' | grep -v '::$' || true
}

# private_apt DIRECTORY TOOL ARGUMENT…: apt-get or apt-cache for Debian 13 with a state of its own,
# so that nothing of this machine's apt changes
private_apt() {
    local state=$1 tool=$2
    shift 2
    "$tool" -q \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null \
        -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state/cache" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

# make_private_apt DIRECTORY KIND
make_private_apt() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    : >"$1/status"
    debian_sources "$2" >"$1/sources.list"
    private_apt "$1" apt-get update
}
