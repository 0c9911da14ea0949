/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Giving up privileges: after everything is open, the daemon becomes an ordinary user who keeps
 * only the capabilities that it needs to go on, and then forbids itself the system calls that it
 * never makes.  apps/meantimed calls it once, before the loop.  What the machine does not allow
 * is told in a sentence, and the daemon runs on with what it has.
 * Thread rule: before the first thread.
 */
#ifndef MEANTIME_LINUX_PRIVILEGE_H
#define MEANTIME_LINUX_PRIVILEGE_H

#include "hal/provider.h"

struct mt_privilege_options {
    const char *user;         /**< whom to become, if we are root; null: stay who we are */
    const char *const *paths; /**< folders and files that the user must own; ends with null */
    bool keeps_system_clock;  /**< CAP_SYS_TIME: a clock is `system` */
    bool keeps_cards;   /**< CAP_NET_ADMIN: network cards stamp, and are put back at the end */
    bool keeps_network; /**< CAP_NET_BIND_SERVICE, CAP_NET_RAW: links are opened again */
};

/** True if it is done.  If not, nothing or only a part was given up: `reason` says what. */
bool mt_privilege_drop(const struct mt_privilege_options *options, char reason[MT_HAL_REASON_SIZE]);

/** What a system call does that is not on the list. */
enum mt_sandbox_mode {
    MT_SANDBOX_REFUSE, /**< fails with EPERM */
    MT_SANDBOX_LOG,    /**< is carried out and logged by the kernel: to find out what is missing */
};

/** Installs the system call filter; no new privileges from then on.  False with a reason if there
 * is none to be had: an old kernel, a container that forbids it, or a build with
 * AddressSanitizer, which needs more calls than we do. */
bool mt_privilege_sandbox(enum mt_sandbox_mode mode, char reason[MT_HAL_REASON_SIZE]);

#endif
