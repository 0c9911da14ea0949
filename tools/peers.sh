#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Unpacks the programs that the interop tests talk to into build/peers, without installing them:
# time daemons evict one another, start at once and steer the machine's clock.
# Shared libraries that they need and the machine lacks are unpacked beside them; whoever runs a
# peer puts what stands in build/peers/lib.path into LD_LIBRARY_PATH.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
peers=$top/build/peers
packages="linuxptp chrony ntpsec openntpd"
programs="usr/sbin/ptp4l usr/sbin/pmc usr/sbin/phc2sys usr/sbin/chronyd usr/sbin/ntpd
    openntpd/usr/sbin/ntpd"

folder_of() { # two packages have a program ntpd
    case $1 in openntpd) echo "$peers/openntpd" ;; *) echo "$peers" ;; esac
}

is_complete() {
    [ -f "$peers/lib.path" ] || return 1
    for program in $programs; do
        [ -x "$peers/$program" ] || return 1
    done
}

library_path() { # the folders under build/peers that hold shared libraries, colon-separated
    find "$peers" -name '*.so.*' -exec dirname {} \; | sort -u | paste -s -d : -
}

has_libraries() { # no program misses a library
    for program in $programs; do
        ! LD_LIBRARY_PATH=$(library_path) ldd "$peers/$program" 2>/dev/null |
            grep -q 'not found' || return 1
    done
}

libraries_of() { # the names of the library packages that a package depends on
    apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances "$1" | sed -n 's/^ *|*Depends: \(lib[^ <:]*\).*/\1/p'
}

unpack_libraries_of() { # those that are not installed, and theirs in turn
    for library in $(libraries_of "$1"); do
        is_installed "$library" && continue
        ls "$peers/archives/${library}"_*.deb >/dev/null 2>&1 && continue
        apt_unpack "$library" "$peers" || continue
        unpack_libraries_of "$library"
    done
}

! is_complete || exit 0
. "$top/tools/apt.sh"
rm -rf "$peers"
echo "unpacking into build/peers, not installing: $packages"
for package in $packages; do
    folder=$(folder_of "$package")
    mkdir -p "$folder/archives"
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]' || apt_update || exit 1
    apt_unpack "$package" "$folder" 2>/dev/null || {
        apt_update # the list may name a version that the mirror no longer has
        apt_unpack "$package" "$folder" || exit 1
    }
done
has_libraries || for package in $packages; do unpack_libraries_of "$package"; done
if ! LD_LIBRARY_PATH=$(library_path) "$peers/usr/sbin/ptp4l" -v >/dev/null 2>&1; then
    echo "dev: build/peers/usr/sbin/ptp4l does not run" >&2
    exit 1
fi
library_path >"$peers/lib.path"
