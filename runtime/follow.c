/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Neither clock is read at the same moment as the other, but both together with the base, so the
 * leader's reading is moved to the base of the follower's by its rate.  How far both readings may
 * be wrong is a part of the sample's bound, as is how far the leader itself may be off.
 *
 * A leader that has sources has the time when its discipline says so; one that has none is steered
 * by others, or by nobody, and is taken as it is.  Of two that follow each other only that one
 * leads which follows something else at the moment, or did so last and holds over: so there is no
 * circle, whatever both could choose, and each time the direction changes it is because another
 * source is the best one for one of them.  Frequencies belong to the clocks and stay.  TAI and UTC
 * are converted where the leader's page says how; an arbitrary timescale is none that the system's
 * clock could show.
 */
#include "runtime/follow.h"

#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/node.h"

/* One that is followed by the other in turn: leads by its own sources only. */
static bool has_own_time(const struct mt_node_clock *leader)
{
    const struct mt_discipline *discipline = &leader->discipline;
    if (discipline->selected != MT_SOURCE_NONE && discipline->selected == leader->follow.source) {
        return false;
    }
    return discipline->phase == MT_STEER_HOLDOVER
               ? !leader->follow.was_led
               : discipline->phase == MT_STEER_LOCKED && discipline->selected != MT_SOURCE_NONE;
}

static bool has_time(const struct mt_node *node, uint16_t follower)
{
    const struct mt_node_clock *leader = &node->clocks[node->clocks[follower].follow.leader];
    enum mt_steer_phase phase = leader->discipline.phase;
    if (leader->follow.is_used && leader->follow.leader == follower) {
        return has_own_time(leader);
    }
    return leader->discipline.source_count == 0 || phase == MT_STEER_LOCKED ||
           phase == MT_STEER_HOLDOVER;
}

/* The leader when the base read what it read at `at`. */
static struct mt_instant moved(const struct mt_clock_reading *leader, struct mt_base_time at)
{
    int64_t elapsed_ns = at.ns - leader->base.ns;
    mt_real gained_ns =
        (mt_real)elapsed_ns * ((mt_real)leader->rate_q64 / MT_REAL(18446744073709551616.0));
    struct mt_span frac = {0, 0, at.frac};
    struct mt_instant there =
        mt_instant_plus(leader->local.at, mt_span_from_ns(elapsed_ns + mt_real_round(gained_ns)));
    return mt_instant_plus(there, frac);
}

/* In the timescale of the one that follows, if that can be known. */
static void convert(const struct mt_clock_page *leader, enum mt_timescale wanted,
                    struct mt_sample *sample)
{
    struct mt_span tai_utc = {.s = leader->tai_minus_utc_s};
    if (!leader->tai_utc_valid || sample->scale == wanted) {
        return;
    }
    if (sample->scale == MT_SCALE_TAI && wanted == MT_SCALE_UTC) {
        sample->value = mt_span_plus(sample->value, tai_utc);
        sample->scale = wanted;
    } else if (sample->scale == MT_SCALE_UTC && wanted == MT_SCALE_TAI) {
        sample->value = mt_span_minus(sample->value, tai_utc);
        sample->scale = wanted;
    }
}

static void make_sample(const struct mt_node_clock *leader, const struct mt_node_clock *clock,
                        struct mt_sample *ret_sample)
{
    struct mt_clock_reading theirs;
    struct mt_clock_reading ours;
    struct mt_clock_quality_report report;
    leader->hal->ops->read(leader->hal, &theirs);
    clock->hal->ops->read(clock->hal, &ours);
    mt_real growth;
    (void)mt_clock_duty_assess(leader, &theirs.local.at, &report, &growth);
    struct mt_instant then = moved(&theirs, ours.base);
    then.scale = ours.local.at.scale; /* compared as numbers, converted below */
    *ret_sample = (struct mt_sample){
        .kind = MT_SAMPLE_OFFSET,
        .local = ours.local,
        .value = mt_instant_minus(ours.local.at, then),
        .scale = theirs.local.at.scale,
        .source = clock->follow.source,
        .bound = MT_INTERVAL_TOO_LARGE,
        .reference_bound = MT_INTERVAL_TOO_LARGE,
    };
    if (report.reference != MT_BOUND_NONE && !mt_interval_is_too_large(report.bound)) {
        struct mt_interval windows = mt_interval_from_ns(theirs.window_ns + ours.window_ns);
        ret_sample->bound =
            mt_interval_plus(mt_interval_minus(report.bound, report.reference_bound), windows);
    }
    if (report.reference == MT_BOUND_TRACEABLE) {
        ret_sample->reference_bound = report.reference_bound;
    }
    convert(&leader->page, clock->discipline.scale, ret_sample);
}

static void take(struct mt_node *node, uint16_t index, const struct mt_sample *sample,
                 struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    enum mt_sample_verdict verdict = mt_discipline_sample(&clock->discipline, sample, now);
    if (verdict == MT_SAMPLE_REFUSED && !clock->told_wrong_scale) {
        clock->told_wrong_scale = true;
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_WRONG_SCALE,
                                                   .at = now,
                                                   .index = index,
                                                   .value.scale = sample->scale});
    }
    clock->needs_report = true;
}

bool mt_follow_has_leader(const struct mt_node *node, uint16_t clock)
{
    const struct mt_follow *self = &node->clocks[clock].follow;
    return self->is_used && has_time(node, clock);
}

void mt_follow_tick(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_follow *self = &clock->follow;
    struct mt_discipline *discipline = &clock->discipline;
    if (!self->is_used || now.ns < self->at.ns) {
        return;
    }
    self->at = mt_mono_plus(now, MT_FOLLOW_EVERY_NS);
    if (discipline->selected != MT_SOURCE_NONE) {
        self->was_led = discipline->selected == self->source;
    }
    bool has_own = discipline->selected != MT_SOURCE_NONE && discipline->selected != self->source;
    if (has_own && !clock->arbiter.is_used) { /* a transmitter goes before */
        return;
    }
    if (!has_time(node, index)) {
        if (discipline->selected == self->source && !clock->arbiter.is_used) {
            mt_discipline_select(discipline, MT_SOURCE_NONE, now);
            clock->needs_report = true;
        }
        return;
    }
    if (discipline->selected != self->source && !clock->arbiter.is_used) {
        mt_discipline_reset_source(discipline, self->source);
        mt_discipline_select(discipline, self->source, now);
        clock->told_wrong_scale = false;
    }
    struct mt_sample sample;
    make_sample(&node->clocks[self->leader], clock, &sample);
    take(node, index, &sample, now);
}
