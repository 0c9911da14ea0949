#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The first program of a guest: makes it usable, then does what the second serial line says, a
# shell command a line, and answers with what that prints and a last line @@STATUS.
/bin/busybox --install -s /bin
export PATH=/lab/bin:/bin LD_LIBRARY_PATH=/lab/lib TZ=UTC
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir /dev/pts
mount -t devpts pts /dev/pts
rmdir /var/run && ln -s /run /var/run
for module in /modules/*.ko; do
    insmod "$module"
done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 lab /lab
for word in $(cat /proc/cmdline); do
    case $word in node=*) hostname "${word#node=}" ;; esac
done
/lab/bin/ip link set lo up
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty raw -echo
echo "@@ready"
while read -r line; do
    eval "$line" </dev/null
    echo "@@$?"
done
poweroff -f
