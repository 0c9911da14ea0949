/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * By what rules worker threads answer NTP.  A set never changes; a new one takes its place, and the
 * old one is freed when each thread has said that it uses the new one.  So threads never wait for
 * the loop, nor it for them.
 * Thread rule: put, clean and end belong to the loop, take to any one thread for each user.
 */
#ifndef MEANTIME_LINUX_NTP_RULES_H
#define MEANTIME_LINUX_NTP_RULES_H

#include <stdatomic.h>

#include "meantime/ntp_server.h"

struct mt_ntp_ruling {
    struct mt_ntp_server server; /**< its rules and keys are copies */
    bool is_limited;
    int8_t log_interval; /**< of limited clients */
    uint8_t burst;
};

struct mt_ntp_rules_set;

struct mt_ntp_rules {
    _Atomic(struct mt_ntp_rules_set *) newest;
};

/** What a thread has taken last; zeros to begin with. */
struct mt_ntp_rules_user {
    const struct mt_ntp_rules_set *set;
    _Atomic uint64_t number;
};

/** From now on these, of which a copy is made.  False: no memory, and those before stay. */
bool mt_ntp_rules_put(struct mt_ntp_rules *self, const struct mt_ntp_ruling *ruling);
/** Frees what nobody uses any more; `users`: all of them.  True: nothing is left but the newest. */
bool mt_ntp_rules_clean(struct mt_ntp_rules *self, struct mt_ntp_rules_user *const *users,
                        unsigned count);
/** Frees all; nobody uses any. */
void mt_ntp_rules_end(struct mt_ntp_rules *self);

/** The rules to go by until the next call; null: they are those of the call before. */
const struct mt_ntp_ruling *mt_ntp_rules_take(struct mt_ntp_rules *self,
                                              struct mt_ntp_rules_user *user);

#endif
