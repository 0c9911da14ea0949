/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The foreign transmitter list of a port [1588-2019 9.3.2.4].
 *
 * A transmitter qualifies when it was heard MT_FOREIGN_THRESHOLD times within MT_FOREIGN_WINDOW of
 * its own announce intervals; the runner-up stays qualified all the time, so that it can take over
 * at once.  When the list is full a newcomer displaces, in this order: one whose window has passed
 * or that did not come again in two of its intervals, the worst of those that never qualified if it
 * is worse than the newcomer, the worst of all if it is worse.  The one that is followed is never
 * displaced.  So identities that were invented once hold their places for two intervals and cannot
 * lock out a real transmitter; only a flood of new and better ones, several in each interval for as
 * long as it lasts, keeps one from qualifying that has not qualified yet.
 */
#include "ptp/ptp_private.h"

#define OVERDUE 2 /* announce intervals */

/* Who claims a longer interval than the port's does not stay qualified for longer. */
static int64_t interval_ns(const struct mt_port *port, const struct mt_foreign *foreign)
{
    int8_t log_interval = port->config.log_announce_interval;
    if (mt_log_interval_is_allowed(foreign->log_announce_interval) &&
        foreign->log_announce_interval < log_interval) {
        log_interval = foreign->log_announce_interval;
    }
    return mt_log2s_to_ns(log_interval);
}

/* Its Announce before `skipped` others was heard in the last `intervals`. */
static bool was_heard_within(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_foreign *foreign, unsigned skipped, unsigned intervals)
{
    int64_t heard_ns = foreign->heard[skipped].ns;
    return heard_ns != 0 && self->now.ns - heard_ns <= intervals * interval_ns(port, foreign);
}

bool mt_foreign_is_qualified(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_foreign *foreign)
{
    unsigned skipped = self->config.announces_to_skip;
    /* the one that is followed lives until the announce receipt timeout */
    return foreign->is_used && (foreign == port->best ||
                                was_heard_within(self, port, foreign, skipped, MT_FOREIGN_WINDOW));
}

bool mt_instance_prefers(const struct mt_instance *self, const struct mt_ptp_dataset *a,
                         const struct mt_ptp_dataset *b)
{
    return mt_dataset_is_better(self->config.features->compare, a, b);
}

struct mt_foreign *mt_foreign_best(const struct mt_instance *self, struct mt_port *port)
{
    struct mt_foreign *best = NULL;
    for (struct mt_foreign *candidate = port->foreign; candidate < port->foreign + MT_FOREIGN_MAX;
         candidate++) {
        if (mt_foreign_is_qualified(self, port, candidate) &&
            (best == NULL || mt_instance_prefers(self, &candidate->dataset, &best->dataset))) {
            best = candidate;
        }
    }
    return best;
}

static struct mt_foreign *find(struct mt_port *port, const struct mt_port_identity *sender)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_used && mt_port_identity_equal(&foreign->dataset.sender, sender)) {
            return foreign;
        }
    }
    return NULL;
}

/* How readily a record gives way: 3 free, 2 silent, 1 never qualified, 0 qualified.  Who said
 * something once and not again is silent: a transmitter that is there would have. */
static unsigned readiness(const struct mt_instance *self, const struct mt_port *port,
                          const struct mt_foreign *foreign)
{
    if (!foreign->is_used) {
        return 3;
    }
    if (mt_foreign_is_qualified(self, port, foreign)) {
        return 0;
    }
    return was_heard_within(self, port, foreign, 0, OVERDUE) ? 1 : 2;
}

static struct mt_foreign *place_for(const struct mt_instance *self, struct mt_port *port,
                                    const struct mt_ptp_dataset *newcomer)
{
    struct mt_foreign *victim = NULL;
    unsigned victim_readiness = 0;
    for (struct mt_foreign *foreign = port->foreign; foreign < port->foreign + MT_FOREIGN_MAX;
         foreign++) {
        if (foreign == port->best) {
            continue;
        }
        unsigned ready = readiness(self, port, foreign);
        if (victim == NULL || ready > victim_readiness ||
            (ready == victim_readiness &&
             mt_instance_prefers(self, &victim->dataset, &foreign->dataset))) {
            victim = foreign;
            victim_readiness = ready;
        }
    }
    if (victim_readiness < 2 && !mt_instance_prefers(self, newcomer, &victim->dataset)) {
        return NULL;
    }
    return victim;
}

enum mt_verdict mt_foreign_hear(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *announce)
{
    struct mt_foreign heard;
    struct mt_foreign *foreign = find(port, &announce->header.source);
    if (foreign == NULL) {
        memset(&heard, 0, sizeof heard);
    } else if (mt_sequence_is_stale(foreign->sequence, announce->header.sequence)) {
        return MT_VERDICT_STALE;
    } else {
        heard = *foreign;
    }
    mt_announce_read(self, port, announce, &heard);
    memmove(heard.heard + 1, heard.heard, sizeof heard.heard - sizeof *heard.heard);
    heard.heard[0].ns = self->now.ns != 0 ? self->now.ns : 1;
    if (foreign == NULL) {
        foreign = place_for(self, port, &heard.dataset);
        if (foreign == NULL) {
            return MT_VERDICT_FOREIGN_FULL;
        }
        if (foreign->is_used) {
            mt_port_count(port, MT_COUNT_FOREIGN_EVICTED);
        }
    }
    *foreign = heard;
    self->needs_decision |= mt_foreign_is_qualified(self, port, foreign);
    return MT_VERDICT_ACCEPTED;
}
