#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: build.sh KIND [NINJA TARGETS]      compiles into build/KIND
#
#   release   what is shipped: gcc, optimised, no asserts; tests and benches only when named
#   asan      gcc with AddressSanitizer and UndefinedBehaviourSanitizer: what the tests run under
#   clang     the second compiler's opinion
#   plain     gcc without optimisation: what a node does must be the same
#   fuzz      the libFuzzer targets: clang, sanitizers, coverage in every object
set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
kind=${1:-release}
[ $# -eq 0 ] || shift
folder=$top/build/$kind

configure() {
    case $kind in
    release)
        CC=${CC:-gcc} meson setup "$folder" "$top" --buildtype=release
        ;;
    asan)
        # more optimisation makes compiling twice as long and tests a twentieth faster; gcc warns
        # of conversions that are none once the sanitizers have rewritten the expression
        CC=gcc meson setup "$folder" "$top" --buildtype=debug -Doptimization=1 -Dwerror=false \
            -Dc_args=-g1 -Db_sanitize=address,undefined
        ;;
    clang)
        CC=clang meson setup "$folder" "$top" --buildtype=debugoptimized -Dc_args=-g1
        ;;
    plain)
        CC=gcc meson setup "$folder" "$top" --buildtype=plain -Dc_args=-O0
        ;;
    fuzz)
        CC=clang meson setup "$folder" "$top" --buildtype=debugoptimized -Dfuzzers=true \
            -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
        ;;
    *)
        echo "usage: build.sh release|asan|clang|plain|fuzz" >&2
        exit 2
        ;;
    esac
}

mkdir -p "$top/build"
if [ ! -f "$folder/build.ninja" ]; then
    log=$top/build/$kind.setup.log
    echo "build/$kind: configuring and compiling for the first time, which takes a few minutes"
    if ! configure >"$log" 2>&1; then
        cat "$log" >&2
        rm -rf "$folder"
        exit 1
    fi
fi
if [ "$kind" = release ] && [ $# -eq 0 ]; then # only what is shipped
    set -- programs
elif [ "$kind" = fuzz ] && [ $# -eq 0 ]; then # only what searches
    # shellcheck disable=SC2046
    set -- $(ninja -C "$folder" -t targets all | sed -n 's|^\(fuzz/fuzz_[^.:/]*\): .*|\1|p')
fi

tell_progress() { # every 10 s: "build/release: 120 of 700"; its sleep holds no pipe of ours
    while sleep 10 >/dev/null 2>&1; do
        tr '\r' '\n' <"$log" |
            sed -n "s|^\[\([0-9]*\)/\([0-9]*\)\].*|build/$kind: \1 of \2|p" | tail -n 1
    done
}

log=$top/build/$kind.build.log
: >"$log"
tell_progress &
reporter=$!
trap 'kill $reporter 2>/dev/null || true' EXIT
if ninja -C "$folder" "$@" >"$log" 2>&1; then
    tail -n 1 "$log" | sed "s|^|build/$kind: |"
else
    cat "$log" >&2
    exit 1
fi
