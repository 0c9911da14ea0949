/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The keys and cookies of NTS in an input log, without which a replay could not tell a right answer
 * from a wrong one.  They are of one association and of no use to anybody once it has new ones.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_RUNTIME_LOG_KEYS_H
#define MEANTIME_RUNTIME_LOG_KEYS_H

#include "meantime/nts.h"
#include "runtime/log.h"

#define MT_LOG_KEYS_MAX (3 + 2 * MT_AEAD_KEY_MAX + MT_NTS_COOKIES * (2 + MT_NTS_COOKIE_MAX))

struct mt_log_keys {
    struct mt_nts_keys keys;
    uint8_t count;
    struct mt_nts_cookie cookies[MT_NTS_COOKIES];
};

/** As the text of an order; it lives as long as the octets. */
struct mt_log_text mt_log_keys_pack(const struct mt_log_keys *self,
                                    uint8_t octets[MT_LOG_KEYS_MAX]);
/** False: these are no keys. */
bool mt_log_keys_unpack(struct mt_log_text text, struct mt_log_keys *ret_keys);

#endif
