#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: make.sh [BUILD]
# Makes the logs of this folder again, with the simulator of a build (default build/release):
# needed when the format of input logs or a name in the configuration has changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
build=${1:-$here/../../../build/release}
ninja -C "$build" tests/sim/record_fault
"$build/tests/sim/record_fault" "$here/source_steps_by_1_ms.log"
