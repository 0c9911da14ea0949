/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whom the server of NTS key exchange lets in: those whom the NTP server would answer, and no more
 * of them than the machine can stand, for a TLS handshake costs it a thousand times what a packet
 * does.  Asked for each new connection, before anything is computed for it.
 * Thread rule: the process that serves keys.
 */
#ifndef MEANTIME_NTS_GATE_H
#define MEANTIME_NTS_GATE_H

#include <stdint.h>

#include "meantime/ntp_server.h"

#define MT_NTS_GATE_PLACES 1024 /**< addresses that are remembered */
#define MT_NTS_RULES       64

/** Rules as they pass from the daemon: in parts, the first one begins new ones. */
struct mt_nts_rules {
    bool denies_others;
    uint16_t total;
    uint16_t first; /**< of this part */
    uint8_t count;
    struct mt_ntp_rule rules[MT_NTS_RULES];
};

struct mt_nts_gate {
    const struct mt_ntp_server *rules; /**< null: everybody may */
    uint32_t rate;                     /**< exchanges in a second */
    int64_t tokens_ns;                 /**< each exchange takes a second / rate */
    struct mt_mono filled;
    struct mt_ntp_server taken;   /**< `rules` that came later */
    struct mt_ntp_rule *held;     /**< its own of these */
    struct mt_ntp_rule *arriving; /**< and those that are not complete yet */
    uint16_t arrived;
    struct mt_ntp_limit limit; /**< of one address */
    struct mt_ntp_limited places[MT_NTS_GATE_PLACES];
};

enum mt_nts_passage { MT_NTS_PASSES, MT_NTS_DENIED, MT_NTS_LIMITED };

/** `rate`: 1 or more; `secret`: nobody knows it. */
void mt_nts_gate_init(struct mt_nts_gate *self, const struct mt_ntp_server *rules, uint32_t rate,
                      uint32_t secret, struct mt_mono now);
/** Takes over a part; with the last one the new rules hold. */
void mt_nts_gate_take(struct mt_nts_gate *self, const struct mt_nts_rules *part);
/** The part of rules that begins there; returns where the next one does. */
uint16_t mt_nts_rules_part(const struct mt_ntp_server *server, uint16_t first,
                           struct mt_nts_rules *ret_part);
void mt_nts_gate_free(struct mt_nts_gate *self);

enum mt_nts_passage mt_nts_gate_ask(struct mt_nts_gate *self, const struct mt_address *from,
                                    struct mt_mono now);

#endif
