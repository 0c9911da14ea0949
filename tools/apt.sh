# SPDX-License-Identifier: Apache-2.0 OR MIT
# apt-get as the scripts here use it; sourced by packages.sh and peers.sh.
#
# Packages are taken from the release that the machine runs, even if its apt sources name a
# newer one too: a compiler from there would pull in another libc.  A preferences file of our
# own, given to apt for the one call, says so; nothing in /etc is touched.

apt_preferences=$(mktemp)
apt_log=$(mktemp)
trap 'rm -f "$apt_preferences" "$apt_log"' EXIT
{
    [ ! -f /etc/apt/preferences ] || cat /etc/apt/preferences
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    for suite in $codename ${codename:+"$codename-updates" "$codename-security"}; do
        printf '\nPackage: *\nPin: release n=%s\nPin-Priority: 990\n' "$suite"
    done
} >"$apt_preferences"
chmod 644 "$apt_preferences"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1
}

apt_options="-q -o Dir::Etc::preferences=$apt_preferences -o DPkg::Lock::Timeout=300
    -o Dpkg::Use-Pty=0"

# Refreshes the package lists, once for each script; a source that is out of reach is no reason
# to stop, for the lists that are there may do.
apt_update() {
    [ -z "${apt_is_updated:-}" ] || return 0
    apt_is_updated=yes
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get $apt_options update \
        >"$apt_log" 2>&1 && return
    tail -n 5 "$apt_log" >&2
    echo "dev: apt-get update had trouble; going on with the package lists that are there" >&2
}

apt_install() {
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get $apt_options install -y \
        --no-install-recommends "$@" >"$apt_log" 2>&1 && return
    tail -n 30 "$apt_log" >&2
    return 1
}

# apt_unpack PACKAGE FOLDER: downloads it into FOLDER/archives and unpacks it into FOLDER.
apt_unpack() {
    # shellcheck disable=SC2086
    (cd "$2/archives" && apt-get $apt_options download "$1" >"$apt_log" 2>&1) || {
        tail -n 5 "$apt_log" >&2
        return 1
    }
    dpkg -x "$2/archives/$1"_*.deb "$2"
}

is_installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -q '^installed'
}
