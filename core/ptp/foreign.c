/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The foreign transmitter list of a port [1588-2019 9.3.2.4].
 *
 * A transmitter qualifies when it was heard MT_FOREIGN_THRESHOLD times within MT_FOREIGN_WINDOW
 * of its own announce intervals; the runner-up stays qualified all the time, so that it can take
 * over at once.  When the list is full a newcomer displaces, in this order: one whose window has
 * passed or that did not come again in two of its intervals, the worst of those that never
 * qualified if it is worse than the newcomer, the worst of all if it is worse.  The one that is
 * followed is never displaced.  So identities that were invented once hold their places for two
 * intervals and cannot lock out a real transmitter; only a flood of new and better ones, several
 * in each interval for as long as it lasts, keeps one from qualifying that has not qualified yet.
 */
#include "ptp/ptp_private.h"

#define OVERDUE    2    /* announce intervals */
#define TIME_FLAGS 0x7F /* octet 1 of flagField without its reserved bit */

static bool was_heard_within(const struct mt_port *port, const struct mt_foreign *foreign,
                             unsigned times, struct mt_mono now)
{
    int64_t window_ns = MT_FOREIGN_WINDOW * mt_foreign_interval_ns(port, foreign);
    struct mt_mono heard = foreign->heard[times - 1];
    return heard.ns != 0 && now.ns - heard.ns <= window_ns;
}

/* Who claims a longer interval than the port's does not stay qualified for longer. */
int64_t mt_foreign_interval_ns(const struct mt_port *port, const struct mt_foreign *foreign)
{
    int8_t log_interval = foreign->log_announce_interval;
    bool is_shorter = mt_log_interval_is_allowed(log_interval) &&
                      log_interval < port->config.log_announce_interval;
    return mt_log2s_to_ns(is_shorter ? log_interval : port->config.log_announce_interval);
}

bool mt_foreign_is_qualified(const struct mt_port *port, const struct mt_foreign *foreign,
                             struct mt_mono now)
{
    /* the one that is followed lives until the announce receipt timeout */
    return foreign->is_used &&
           (foreign->is_best || was_heard_within(port, foreign, MT_FOREIGN_THRESHOLD, now));
}

struct mt_foreign *mt_foreign_best(struct mt_port *port, struct mt_mono now)
{
    struct mt_foreign *best = NULL;
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        struct mt_foreign *candidate = &port->foreign[i];
        if (mt_foreign_is_qualified(port, candidate, now) &&
            (best == NULL || mt_dataset_is_better(&candidate->dataset, &best->dataset))) {
            best = candidate;
        }
    }
    return best;
}

void mt_foreign_mark_best(struct mt_port *port, const struct mt_foreign *best)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        port->foreign[i].is_best = &port->foreign[i] == best;
    }
}

bool mt_foreign_is_followed(const struct mt_port *port, struct mt_port_identity sender)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        const struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_best && mt_port_identity_equal(&foreign->dataset.sender, &sender)) {
            return true;
        }
    }
    return false;
}

void mt_foreign_forget_best(struct mt_port *port)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        if (port->foreign[i].is_best) {
            memset(&port->foreign[i], 0, sizeof port->foreign[i]);
        }
    }
}

void mt_foreign_forget_all(struct mt_port *port)
{
    memset(port->foreign, 0, sizeof port->foreign);
}

static struct mt_foreign *find(struct mt_port *port, struct mt_port_identity sender)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_used && mt_port_identity_equal(&foreign->dataset.sender, &sender)) {
            return foreign;
        }
    }
    return NULL;
}

/* Said something once and not again: a transmitter that is there would have. */
static bool is_overdue(const struct mt_port *port, const struct mt_foreign *foreign,
                       struct mt_mono now)
{
    return now.ns - foreign->heard[0].ns > OVERDUE * mt_foreign_interval_ns(port, foreign);
}

/* How readily a record gives way: 3 free, 2 silent, 1 never qualified, 0 qualified. */
static unsigned readiness(const struct mt_port *port, const struct mt_foreign *foreign,
                          struct mt_mono now)
{
    if (!foreign->is_used) {
        return 3;
    }
    if (!was_heard_within(port, foreign, 1, now)) {
        return 2;
    }
    if (mt_foreign_is_qualified(port, foreign, now)) {
        return 0;
    }
    return is_overdue(port, foreign, now) ? 2 : 1;
}

static struct mt_foreign *place_for(struct mt_port *port, const struct mt_ptp_dataset *newcomer,
                                    struct mt_mono now)
{
    struct mt_foreign *victim = NULL;
    unsigned victim_readiness = 0;
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_best) {
            continue;
        }
        unsigned ready = readiness(port, foreign, now);
        if (victim == NULL || ready > victim_readiness ||
            (ready == victim_readiness &&
             mt_dataset_is_better(&victim->dataset, &foreign->dataset))) {
            victim = foreign;
            victim_readiness = ready;
        }
    }
    if (victim_readiness < 2 && victim != NULL &&
        !mt_dataset_is_better(newcomer, &victim->dataset)) {
        return NULL;
    }
    return victim;
}

static void fill(const struct mt_port *port, const struct mt_ptp_message *message,
                 struct mt_foreign *foreign)
{
    const struct mt_ptp_announce *announce = &message->body.announce;
    foreign->dataset = (struct mt_ptp_dataset){
        .priority1 = announce->priority1,
        .quality = announce->quality,
        .priority2 = announce->priority2,
        .grandmaster = announce->grandmaster,
        .steps_removed = announce->steps_removed,
        .sender = message->header.source,
        .receiver = port->identity,
    };
    foreign->time = (struct mt_time_properties){
        .utc_offset = announce->utc_offset,
        .flags = message->header.flags & TIME_FLAGS,
        .time_source = announce->time_source,
    };
    mt_announce_accuracy(message, &foreign->bound, &foreign->reference_bound);
    foreign->sequence = message->header.sequence;
    foreign->log_announce_interval = message->header.log_interval;
    foreign->is_used = true;
}

static void hear(struct mt_foreign *foreign, struct mt_mono now)
{
    for (unsigned i = MT_FOREIGN_THRESHOLD - 1; i > 0; i--) {
        foreign->heard[i] = foreign->heard[i - 1];
    }
    foreign->heard[0] = now.ns != 0 ? now : (struct mt_mono){1};
}

enum mt_verdict mt_foreign_hear(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *announce, struct mt_mono now)
{
    struct mt_foreign *foreign = find(port, announce->header.source);
    if (foreign != NULL && mt_sequence_is_stale(foreign->sequence, announce->header.sequence)) {
        return MT_VERDICT_STALE;
    }
    struct mt_foreign heard = {0};
    fill(port, announce, &heard);
    if (foreign == NULL) {
        foreign = place_for(port, &heard.dataset, now);
        if (foreign == NULL) {
            return MT_VERDICT_FOREIGN_FULL;
        }
        if (foreign->is_used) {
            mt_port_count(port, MT_COUNT_FOREIGN_EVICTED);
        }
    } else {
        memcpy(heard.heard, foreign->heard, sizeof heard.heard);
        heard.is_best = foreign->is_best;
    }
    *foreign = heard;
    hear(foreign, now);
    self->needs_decision |= mt_foreign_is_qualified(port, foreign, now);
    return MT_VERDICT_ACCEPTED;
}
