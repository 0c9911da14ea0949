#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: install_config.sh FILE DESTINATION      installs FILE unless DESTINATION is there
set -eu
destination=${DESTDIR:-}$2
if [ -e "$destination" ]; then
    echo "keeping $destination"
    exit 0
fi
mkdir -p "$(dirname "$destination")"
cp "$1" "$destination"
chmod 644 "$destination"
