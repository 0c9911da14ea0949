/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Both ends of the veth pair lie in one namespace: packets from one to the other come from a
 * local address, which the kernel takes for a forgery unless accept_local is set.
 */
#include "netspace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool netspace_run(const char *format, ...)
{
    char command[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command) == 0;
}

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return is_good;
}

static bool enter_as_user(uid_t uid, gid_t gid)
{
    char uid_map[64];
    char gid_map[64];

    snprintf(uid_map, sizeof uid_map, "0 %u 1", (unsigned)uid);
    snprintf(gid_map, sizeof gid_map, "0 %u 1", (unsigned)gid);
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && put("/proc/self/setgroups", "deny") &&
           put("/proc/self/uid_map", uid_map) && put("/proc/self/gid_map", gid_map);
}

bool netspace_enter(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();

    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    if (!netspace_run("command -v ip >/dev/null")) {
        fprintf(stderr, "skipped: there is no ip(8); install iproute2\n");
        return false;
    }
    if (unshare(CLONE_NEWNET) != 0 && !enter_as_user(uid, gid)) {
        fprintf(stderr, "skipped: cannot make a network namespace: %s\n", strerror(errno));
        return false;
    }
    put("/proc/sys/net/ipv4/conf/all/accept_local", "1");
    put("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
    put("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
    put("/proc/sys/net/ipv6/conf/default/accept_dad", "0"); /* addresses serve at once */
    return netspace_run("ip link set lo up");
}

bool netspace_make_pair(void)
{
    return netspace_run("ip link add v0 type veth peer name v1 && "
                        "ip addr add 10.9.0.1/24 dev v0 && ip addr add 10.9.0.2/24 dev v1 && "
                        "ip link set v0 up && ip link set v1 up");
}

void netspace_delete_pair(void)
{
    (void)netspace_run("ip link del v1 2>/dev/null || true");
}
