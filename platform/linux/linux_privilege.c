/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Privileges.  libcap-ng changes user and capabilities in one go; libseccomp builds the filter.
 * The list of system calls is what glibc makes of the calls in this project, on the machines that
 * Debian supports, with room for a second name where libc versions differ (poll and ppoll, open
 * and openat).  Sockets are limited by family, so that a hole in the daemon is no way to others.
 */
#include "platform/linux/linux_privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* ---- user and capabilities --------------------------------------------------------------- */

static bool find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    const struct passwd *entry = getpwnam(name);

    if (!entry) {
        return false;
    }
    *ret_uid = entry->pw_uid;
    *ret_gid = entry->pw_gid;
    return true;
}

/* Only what the daemon opened itself is given away, never a link that leads elsewhere. */
static bool give_paths(const char *const *paths, uid_t uid, gid_t gid,
                       char reason[MT_HAL_REASON_SIZE])
{
    for (; paths && *paths; paths++) {
        if (lchown(*paths, uid, gid) != 0 && errno != ENOENT) {
            mt_linux_say(reason, "cannot give %.100s to the daemon's user: %s; change its owner",
                         *paths, strerror(errno));
            return false;
        }
    }
    return true;
}

/* Keeps what is wanted and what we have; a capability that we do not have cannot be asked for. */
static void choose_capabilities(const struct mt_privilege_options *options)
{
    const struct {
        unsigned capability;
        bool is_wanted;
    } choices[] = {
        {CAP_SYS_TIME, options->keeps_system_clock},
        {CAP_NET_ADMIN, options->keeps_cards},
        {CAP_NET_BIND_SERVICE, options->keeps_network},
        {CAP_NET_RAW, options->keeps_network},
    };
    bool keeps[sizeof choices / sizeof *choices];

    capng_get_caps_process();
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        keeps[i] = choices[i].is_wanted &&
                   capng_have_capability(CAPNG_PERMITTED, choices[i].capability) == 1;
    }
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (keeps[i]) {
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, choices[i].capability);
        }
    }
}

/* The user's own groups come along: by one of them he may read a serial line.  Some containers do
 * not let the bounding set be changed: then without that. */
static int change_id(const struct mt_privilege_options *options, uid_t uid, gid_t gid)
{
    int error;

    choose_capabilities(options);
    error = capng_change_id((int)uid, (int)gid, CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    if (error != 0 && geteuid() == 0) {
        choose_capabilities(options);
        error = capng_change_id((int)uid, (int)gid, CAPNG_INIT_SUPP_GRP);
    }
    return error;
}

static bool become(const struct mt_privilege_options *options, char reason[MT_HAL_REASON_SIZE])
{
    uid_t uid;
    gid_t gid;
    int error;

    if (!find_user(options->user, &uid, &gid)) {
        mt_linux_say(reason,
                     "there is no user %.64s; make one (adduser --system --group %.64s) or set "
                     "user to another name",
                     options->user, options->user);
        return false;
    }
    if (!give_paths(options->paths, uid, gid, reason)) {
        return false;
    }
    error = change_id(options, uid, gid);
    if (error != 0) {
        mt_linux_say(reason, "cannot become user %.64s (libcap-ng says %d); start as root",
                     options->user, error);
        return false;
    }
    return true;
}

bool mt_privilege_drop(const struct mt_privilege_options *options, char reason[MT_HAL_REASON_SIZE])
{
    if (options->user && geteuid() == 0) {
        return become(options, reason);
    }
    choose_capabilities(options);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
        mt_linux_say(reason, "cannot give up capabilities: %s; running with all of them",
                     strerror(errno));
        return false;
    }
    return true;
}

/* ---- system calls ------------------------------------------------------------------------ */

static const char *const allowed_calls[] = {
    /* waiting and time; the kernel lets everybody ask and only CAP_SYS_TIME set */
    "poll", "ppoll", "ppoll_time64", "restart_syscall", "clock_gettime", "clock_gettime64",
    "clock_getres", "clock_getres_time64", "gettimeofday", "time", "clock_nanosleep", "nanosleep",
    "clock_adjtime", "clock_adjtime64", "adjtimex",
    /* sockets, which are opened again when an interface returns; socket itself is below */
    "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "sendto", "sendmsg", "recvfrom", "recvmsg", "recv", "send", "sendmmsg",
    "recvmmsg", "recvmmsg_time64", "shutdown", "ioctl", "fcntl", "fcntl64",
    /* files: configuration, leap seconds, drift, pages, logs */
    "open", "openat", "close", "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek",
    "_llseek", "fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64",
    "statx", "ftruncate", "ftruncate64", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "mkdir", "mkdirat", "chmod", "fchmod", "fchmodat", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getcwd", "getdents", "getdents64", "fsync", "fdatasync", "umask",
    "dup", "dup2", "dup3",
    /* memory, threads, signals, identity, end */
    "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "futex", "futex_time64",
    "set_robust_list", "rseq", "clone", "clone3", "set_tid_address", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "sigreturn", "sigaltstack", "getpid", "gettid", "getppid", "tgkill", "getuid", "geteuid",
    "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "getrandom", "uname",
    "sysinfo", "getrlimit", "ugetrlimit", "prlimit64", "getrusage", "alarm", "setitimer", "wait4",
    "waitpid", "exit", "exit_group"};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};

/* A name that this machine or this libseccomp does not know needs no permission. */
static bool allow(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);

    return number == __NR_SCMP_ERROR || seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0;
}

static bool allow_family(scmp_filter_ctx filter, int family)
{
    const struct scmp_arg_cmp is_family = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)family, .datum_b = 0};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is_family) == 0;
}

static bool fill(scmp_filter_ctx filter)
{
    bool is_good = true;

    for (size_t i = 0; i < sizeof allowed_calls / sizeof *allowed_calls; i++) {
        is_good = is_good && allow(filter, allowed_calls[i]);
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        is_good = is_good && allow_family(filter, families[i]);
    }
    return is_good;
}

bool mt_privilege_sandbox(enum mt_sandbox_mode mode, char reason[MT_HAL_REASON_SIZE])
{
    uint32_t otherwise = mode == MT_SANDBOX_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
    scmp_filter_ctx filter;
    int error = -ENOMEM;

    if (HAS_SANITIZER) {
        mt_linux_say(reason, "no system call filter: this build has AddressSanitizer");
        return false;
    }
    filter = seccomp_init(otherwise);
    if (filter) {
        error = fill(filter) ? seccomp_load(filter) : -EINVAL;
        seccomp_release(filter);
    }
    if (error != 0) {
        mt_linux_say(reason, "no system call filter: %s; the daemon runs without",
                     strerror(-error));
    }
    return error == 0;
}
