#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: packages.sh SET      installs the Debian packages of one use that are missing
set -eu
build="meson ninja-build pkg-config gcc libc6-dev python3 libinih-dev libcmocka-dev libcjson-dev
    libncurses-dev libseccomp-dev libcap-ng-dev nettle-dev libgnutls28-dev openssl"
demo="$build iproute2 gnuplot-nox"
lab="$demo make"
clang="python3 clang clang-format libclang-rt-14-dev"
size="meson ninja-build python3 gcc gcc-arm-none-eabi"
instructions="$size qemu-system-arm"
foreign="$build gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-arm-linux-gnueabihf
    libc6-dev-armhf-cross qemu-user dpkg-dev"
firmware="$build $instructions dpkg-dev"
all="$lab $clang $firmware $foreign python3-pytest man-db"

case ${1:-} in
build) wanted=$build ;;
demo) wanted=$demo ;;
lab) wanted=$lab ;;
clang) wanted=$clang ;;
size) wanted=$size ;;
instructions) wanted=$instructions ;;
firmware) wanted=$firmware ;;
foreign) wanted=$foreign ;;
all) wanted=$all ;;
*)
    echo "usage: packages.sh build|demo|lab|clang|size|instructions|firmware|foreign|all" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    echo "dev: this is no Debian; it needs what Debian calls" $wanted >&2
    exit 0
fi

missing_of() { # prints those of its arguments that are not installed
    present=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p' | tr '\n' ' ')
    for package; do
        case " $present" in *" $package "*) ;; *) echo "$package" ;; esac
    done
}

# shellcheck disable=SC2086
missing=$(missing_of $wanted | sort -u | tr '\n' ' ')
[ -n "$missing" ] || exit 0

. "$(dirname "$0")/apt.sh"
if ! can_be_root; then
    echo "dev: neither root nor sudo; have the administrator run: apt-get install $missing" >&2
    exit 1
fi
echo "installing with apt-get: $missing"
apt_update
# shellcheck disable=SC2086
if ! apt_install $missing; then
    echo "dev: these packages could not be installed: $missing" >&2
    exit 1
fi
