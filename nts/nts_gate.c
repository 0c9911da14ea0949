/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two limits.  That of all together is what the machine gives for key exchange, whoever asks; a
 * second's worth of it may come at once, so that clients which begin together are served.  One
 * address gets about a fourth of that, so that a single one cannot have it all; it is looked at
 * first, and what it refuses takes nothing from the others.
 *
 * Rules come in parts, for a message has a size and rules have none.  Until all have come, and if
 * there is no memory for them, the old ones hold.
 */
#include "nts/nts_gate.h"

#include <stdlib.h>
#include <string.h>

#define BURST 16 /* of one address at once */

/* Of one address, as a power of two: a fourth of the whole, or less. */
static int8_t interval_of(uint32_t rate)
{
    int8_t log_interval = 2;
    for (uint32_t share = 1; 2 * share <= rate; share *= 2) {
        log_interval--;
    }
    return log_interval;
}

void mt_nts_gate_init(struct mt_nts_gate *self, const struct mt_ntp_server *rules, uint32_t rate,
                      uint32_t secret, struct mt_mono now)
{
    *self =
        (struct mt_nts_gate){.rules = rules, .rate = rate, .tokens_ns = MT_NS_PER_S, .filled = now};
    mt_ntp_limit_init(&self->limit, self->places, MT_NTS_GATE_PLACES, interval_of(rate), BURST,
                      secret);
}

static bool takes_token(struct mt_nts_gate *self, struct mt_mono now)
{
    const int64_t price_ns = MT_NS_PER_S / self->rate;
    const int64_t passed_ns = now.ns - self->filled.ns;
    self->filled = now;
    self->tokens_ns =
        passed_ns >= MT_NS_PER_S - self->tokens_ns ? MT_NS_PER_S : self->tokens_ns + passed_ns;
    if (self->tokens_ns < price_ns) {
        return false;
    }
    self->tokens_ns -= price_ns;
    return true;
}

enum mt_nts_passage mt_nts_gate_ask(struct mt_nts_gate *self, const struct mt_address *from,
                                    struct mt_mono now)
{
    if (self->rules != NULL && !mt_ntp_server_may_ask(self->rules, from)) {
        return MT_NTS_DENIED;
    }
    return mt_ntp_limit_allows(&self->limit, from, now) && takes_token(self, now) ? MT_NTS_PASSES
                                                                                  : MT_NTS_LIMITED;
}

/* ---- rules ----------------------------------------------------------------------------------- */

uint16_t mt_nts_rules_part(const struct mt_ntp_server *server, uint16_t first,
                           struct mt_nts_rules *ret_part)
{
    uint16_t left = (uint16_t)(server->rule_count - first);
    *ret_part = (struct mt_nts_rules){
        .denies_others = server->denies_others,
        .total = server->rule_count,
        .first = first,
        .count = (uint8_t)(left < MT_NTS_RULES ? left : MT_NTS_RULES),
    };
    if (ret_part->count > 0) {
        memcpy(ret_part->rules, &server->rules[first], ret_part->count * sizeof *server->rules);
    }
    return (uint16_t)(first + ret_part->count);
}

void mt_nts_gate_take(struct mt_nts_gate *self, const struct mt_nts_rules *part)
{
    if (part->first == 0) {
        free(self->arriving);
        self->arriving = calloc((size_t)part->total + 1, sizeof *self->arriving);
        self->arrived = 0;
    }
    if (self->arriving == NULL || part->first != self->arrived || part->count > MT_NTS_RULES ||
        part->count > part->total - part->first) {
        return;
    }
    memcpy(&self->arriving[part->first], part->rules, part->count * sizeof *part->rules);
    self->arrived = (uint16_t)(part->first + part->count);
    if (self->arrived == part->total) {
        free(self->held);
        self->held = self->arriving;
        self->arriving = NULL;
        self->taken = (struct mt_ntp_server){
            .rules = self->held, .rule_count = part->total, .denies_others = part->denies_others};
        self->rules = &self->taken;
    }
}

void mt_nts_gate_free(struct mt_nts_gate *self)
{
    free(self->arriving);
    free(self->held);
    self->arriving = self->held = NULL;
    self->rules = NULL;
}
