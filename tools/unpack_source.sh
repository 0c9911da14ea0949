#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: unpack_source.sh lwip|cmocka
# Unpacks the sources of a library, from Debian's source package, into build/NAME/src, for
# processors for which Debian has no binary package of it.
# apt is given a list of its own; nothing in /etc is touched, nothing is installed.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
name=${1:-}
folder=$top/build/$name

case $name in
lwip) binary=liblwip-dev file=src/core/udp.c ;;
cmocka) binary=libcmocka-dev file=src/cmocka.c ;;
*)
    echo "usage: unpack_source.sh lwip|cmocka" >&2
    exit 2
    ;;
esac
[ ! -f "$folder/src/$file" ] || exit 0
. "$top/tools/apt.sh"

# http://HOST/debian, from where the binary package would come
mirror() {
    # shellcheck disable=SC2086
    apt-get $apt_options --print-uris download $binary 2>/dev/null |
        sed -n "s|^'\(.*\)/pool/main/.*|\1|p"
}

from=$(mirror)
[ -n "$from" ] || { apt_update; from=$(mirror); }
[ -n "$from" ] || { echo "dev: no Debian mirror with $binary" >&2; exit 1; }
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

rm -rf "$folder"
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$key] $from $codename main" >"$folder/sources.list"
own="-q -o Dir::Etc::sourcelist=$folder/sources.list -o Dir::Etc::sourceparts=-
    -o Dir::State::lists=$folder/lists -o Dir::Cache=$folder/cache -o APT::Sandbox::User="
echo "unpacking into build/$name, not installing: the sources of $name"
# shellcheck disable=SC2086
if ! (cd "$folder" && apt-get $own update && apt-get $own source --download-only $name &&
    dpkg-source -x --no-check ./*.dsc src) >"$apt_log" 2>&1; then
    tail -n 20 "$apt_log" >&2
    echo "dev: the sources of $name could not be had" >&2
    exit 1
fi
rm -rf "$folder/lists" "$folder/cache"
