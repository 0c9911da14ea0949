/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock that has been right knows how wrong it can have become since: a receiver that tells of
 * more is not to be believed, however sure of itself it is.  One pulse like that is an accident
 * and costs itself.  Several that agree with each other are a jump; from then on nothing of it is
 * used until it has told for long what the clock says, too.
 *
 * What it tells is no more certain than its way here: sentences without pulses come late by as much
 * as the line and this machine are busy.  Two seconds contradict the clock, or each other, only by
 * what neither error explains.
 *
 * The bound grows while nobody is followed.  So a clock that is in truth the wrong one comes to
 * agree in the end, after as long as its oscillator could have needed to get that far.
 */
#include "meantime/gnss_timing.h"

#include "base/memory.h"

#define SUSPECTS 3
#define SAME_NS  50000000 /* jumps that differ by less, beyond their errors, are one */

void mt_gnss_guard_init(struct mt_gnss_guard *self, const struct mt_gnss_guard_config *config)
{
    memset(self, 0, sizeof *self);
    self->config = *config;
}

static bool is_within(struct mt_span value, struct mt_interval limit)
{
    return mt_span_compare(mt_span_abs(value), mt_span_from_interval(limit)) <= 0;
}

/* Whether it tells of the same other time as before. */
static bool is_same_jump(const struct mt_gnss_guard *self, struct mt_span ahead,
                         struct mt_interval error)
{
    struct mt_interval limit =
        mt_interval_plus(mt_interval_from_ns(SAME_NS), mt_interval_plus(self->jump_error, error));
    return (self->suspects > 0 || self->has_jumped) &&
           is_within(mt_span_minus(ahead, self->jump), limit);
}

static void believe(struct mt_gnss_guard *self)
{
    self->has_jumped = false;
    self->suspects = 0;
    self->has_agreed = false;
}

static enum mt_gnss_guard_verdict agrees(struct mt_gnss_guard *self, struct mt_mono now)
{
    self->suspects = 0;
    if (!self->has_jumped) {
        return MT_GNSS_GUARD_AGREES;
    }
    if (!self->has_agreed) {
        self->has_agreed = true;
        self->since = now;
    }
    if (now.ns - self->since.ns < self->config.wait_ns) {
        return MT_GNSS_GUARD_DOUBTS;
    }
    believe(self);
    return MT_GNSS_GUARD_RETURNED;
}

/* It still tells of another time: the same one as before? */
static enum mt_gnss_guard_verdict insists(struct mt_gnss_guard *self, struct mt_mono now,
                                          bool is_same)
{
    if (!is_same || self->has_agreed) {
        self->has_agreed = false;
        self->since = now;
    }
    if (self->config.policy != MT_GNSS_JUMP_WAIT ||
        now.ns - self->since.ns < self->config.wait_ns) {
        return MT_GNSS_GUARD_DOUBTS;
    }
    believe(self);
    return MT_GNSS_GUARD_FOLLOWS;
}

static enum mt_gnss_guard_verdict differs(struct mt_gnss_guard *self, struct mt_span ahead,
                                          struct mt_interval error, struct mt_mono now)
{
    bool is_same = is_same_jump(self, ahead, error);
    self->jump = ahead;
    self->jump_error = error;
    if (self->has_jumped) {
        return insists(self, now, is_same);
    }
    self->suspects = is_same ? (uint8_t)(self->suspects + 1) : 1;
    if (self->suspects < SUSPECTS) {
        return MT_GNSS_GUARD_DOUBTS;
    }
    if (self->config.policy == MT_GNSS_JUMP_FOLLOW) {
        believe(self);
        return MT_GNSS_GUARD_FOLLOWS;
    }
    self->has_jumped = true;
    self->has_agreed = false;
    self->since = now;
    return MT_GNSS_GUARD_JUMPED;
}

enum mt_gnss_guard_verdict mt_gnss_guard_judge(struct mt_gnss_guard *self, struct mt_span ahead,
                                               struct mt_interval error, struct mt_interval bound,
                                               struct mt_mono now)
{
    if (mt_interval_is_too_large(bound)) {
        return agrees(self, now);
    }
    struct mt_interval limit = mt_interval_plus(mt_interval_plus(bound, error),
                                                mt_interval_from_ns(self->config.limit_ns));
    return is_within(ahead, limit) ? agrees(self, now) : differs(self, ahead, error, now);
}
