/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which other programs on this machine may steer a clock: known daemons, found by their names in
 * /proc, and by what their command lines, capabilities and open files tell of what they do.  Needs
 * no privilege; what cannot be seen (hidepid, other PID namespaces, the files of other users) is
 * not known.
 * Thread rule: no globals; one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_STEERERS_H
#define MEANTIME_LINUX_STEERERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_STEERERS_TEXT 120 /**< a sentence has room for it */

/** Writes "chronyd (process 77), phc2sys (process 80)", at most as many as have room; "": none is
 * known.  `proc`: where processes are found, "/proc".  `device`: a hardware clock; null: the
 * machine's clock.  `self`: the daemon that asks, which is not meant;
 * 0: no meantimed is. */
void mt_linux_steerers(const char *proc, const char *device, long self,
                       char ret_text[MT_STEERERS_TEXT]);

/** What was found, for those who ask often: it is looked for again after ten seconds, or one if
 * there was nobody. */
struct mt_linux_steerers {
    struct mt_steerers_found {
        const char *device; /**< compared as text; null: the machine's clock */
        bool is_used;
        int64_t at_ns; /**< MONOTONIC */
        char text[MT_STEERERS_TEXT];
    } found[8];
};
/** What mt_linux_steerers() says, of /proc and but for this process.  Valid until the next call for
 * the same clock; `device` must live as long as `self`. */
const char *mt_linux_steerers_now(struct mt_linux_steerers *self, const char *device);

#endif
