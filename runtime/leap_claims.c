/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who says what of TAI - UTC and of leap seconds.  Of the sources only those count that the clock
 * believes: what it follows, and with an arbiter all that take part in the time.  What a source has
 * taught is remembered when it has gone, for the machine may know less; where the value changes or
 * becomes known, sources that count UTC begin anew, for their samples were converted by the old one
 * or not at all.
 */
#include "runtime/leap_duty.h"

#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/node.h"

#define LEAPS     (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)
#define S_PER_DAY 86400

struct gathering {
    const struct mt_node *node;
    uint16_t clock;
    int64_t utc_s;
    unsigned count;
    struct mt_leap_claim claims[MT_LEAP_CLAIMS_MAX];
};

static void add(struct gathering *self, struct mt_leap_claim claim)
{
    if (self->count < MT_LEAP_CLAIMS_MAX) {
        self->claims[self->count++] = claim;
    }
}

static int32_t leap_of_flags(uint16_t flags)
{
    return (flags & MT_PTP_LEAP_61) != 0 ? 1 : (flags & MT_PTP_LEAP_59) != 0 ? -1 : 0;
}

/* ---- this machine ---------------------------------------------------------------------------- */

static void add_machine(struct gathering *self)
{
    const struct mt_node_clock *clock = &self->node->clocks[self->clock];
    enum mt_leap_by by = clock->leap.machine_by;
    bool is_certain = by == MT_LEAP_BY_LIST;
    if (clock->tai_utc_known || clock->leap_s != 0) {
        add(self, (struct mt_leap_claim){
                      .by = by != MT_LEAP_BY_NOBODY ? by : MT_LEAP_BY_OLD_LIST,
                      .has_offset = clock->tai_utc_known,
                      .tai_minus_utc_s = clock->tai_minus_utc_s,
                      .has_leap = is_certain || clock->leap_s != 0,
                      .leap_s = clock->leap_s,
                  });
    }
    if (clock->leap.kernel_s != 0 && by != MT_LEAP_BY_KERNEL) {
        add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_KERNEL,
                                         .has_offset = true,
                                         .tai_minus_utc_s = clock->leap.kernel_s});
    }
    if (clock->leap.remembered_s != 0) {
        add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_MEMORY,
                                         .has_offset = true,
                                         .tai_minus_utc_s = clock->leap.remembered_s});
    }
}

static void add_receiver(struct gathering *self)
{
    const struct mt_leap_duty *leap = &self->node->clocks[self->clock].leap;
    bool is_today =
        self->utc_s < leap->gnss.at_utc_s && self->utc_s >= leap->gnss.at_utc_s - S_PER_DAY;
    if (leap->gnss.is_known) {
        add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_GNSS,
                                         .index = leap->receiver,
                                         .has_offset = true,
                                         .tai_minus_utc_s = leap->gnss.tai_minus_utc_s,
                                         .has_leap = leap->gnss.knows_leap,
                                         .leap_s = is_today ? leap->gnss.change_s : 0});
    }
}

static void add_leader(struct gathering *self)
{
    const struct mt_node *node = self->node;
    if (mt_follow_has_leader(node, self->clock)) {
        uint16_t leader = node->clocks[self->clock].follow.leader;
        const struct mt_clock_page *page = &node->clocks[leader].page;
        add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_LEADER,
                                         .index = leader,
                                         .has_offset = page->tai_utc_valid != 0,
                                         .tai_minus_utc_s = page->tai_minus_utc_s,
                                         .has_leap = true,
                                         .leap_s = page->leap_s,
                                         .may_come_soon = true});
    }
}

/* ---- its sources ----------------------------------------------------------------------------- */

static void add_instance(struct gathering *self, const struct mt_node_instance *instance)
{
    const struct mt_time_properties *time = mt_instance_time_properties(&instance->ptp);
    bool is_valid = (time->flags & MT_PTP_UTC_OFFSET_VALID) != 0;
    if (mt_instance_receiving_port(&instance->ptp) == 0) {
        struct mt_time_properties own;
        mt_foreign_time_own_time(&instance->foreign_time, &instance->ptp, &own);
        int32_t leap_s = leap_of_flags(own.flags);
        if (leap_s != 0 && leap_s != self->node->clocks[self->clock].leap_s) {
            add(self,
                (struct mt_leap_claim){.by = MT_LEAP_BY_USER, .has_leap = true, .leap_s = leap_s});
        }
        return;
    }
    add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_PTP,
                                     .index = (uint16_t)(instance - self->node->instances),
                                     .has_offset = is_valid,
                                     .tai_minus_utc_s = time->utc_offset,
                                     .has_leap = is_valid || (time->flags & LEAPS) != 0,
                                     .leap_s = leap_of_flags(time->flags)});
}

static void add_server(struct gathering *self, uint16_t index)
{
    uint8_t leap = self->node->ntp[index].client.server.leap;
    add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_NTP,
                                     .index = index,
                                     .has_leap = leap != MT_NTP_LEAP_UNKNOWN,
                                     .leap_s = leap == MT_NTP_LEAP_61   ? 1
                                               : leap == MT_NTP_LEAP_59 ? -1
                                                                        : 0,
                                     .may_come_soon = true});
}

static void add_chosen(struct gathering *self)
{
    const struct mt_arbiter *arbiter = &self->node->clocks[self->clock].arbiter;
    const struct mt_node_instance *steering = mt_clock_duty_instance(self->node, self->clock);
    for (uint16_t i = 0; i < arbiter->count; i++) {
        const struct mt_arbiter_member *member = &arbiter->members[i];
        if (!mt_arbiter_is_chosen(arbiter->opinions[i].verdict)) {
            continue;
        }
        if (member->kind == MT_ARBITER_NTP) {
            add_server(self, member->index);
        } else if (member->kind == MT_ARBITER_PTP &&
                   &self->node->instances[member->index] != steering) {
            add_instance(self, &self->node->instances[member->index]);
        }
    }
}

static void add_sources(struct gathering *self)
{
    const struct mt_node *node = self->node;
    const struct mt_node_instance *instance = mt_clock_duty_instance(node, self->clock);
    const struct mt_node_ntp *followed = mt_ntp_duty_followed(node, self->clock);
    int32_t leap_s = mt_refclock_duty_leap(node, self->clock);
    if (instance != NULL) {
        add_instance(self, instance);
    }
    if (node->clocks[self->clock].arbiter.is_used) {
        add_chosen(self);
    } else if (followed != NULL) {
        add_server(self, (uint16_t)(followed - node->ntp));
    }
    if (leap_s != 0) {
        add(self, (struct mt_leap_claim){.by = MT_LEAP_BY_REFCLOCK,
                                         .has_leap = true,
                                         .leap_s = leap_s,
                                         .may_come_soon = true});
    }
}

/* ---- the choice ------------------------------------------------------------------------------ */

static int64_t utc_of(const struct mt_node_clock *clock, const struct mt_instant *at)
{
    return at->scale == MT_SCALE_TAI   ? at->s - mt_leap_duty_offset(clock, at)
           : at->scale == MT_SCALE_UTC ? at->s
                                       : MT_LEAP_NO_TIME;
}

static void forget(struct mt_discipline *discipline, uint16_t source)
{
    if (discipline->sources[source].is_used) {
        mt_discipline_reset_source(discipline, source);
    }
}

static void begin_anew(struct mt_node *node, uint16_t index)
{
    struct mt_discipline *discipline = &node->clocks[index].discipline;
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        if (!node->ntp[i].is_free && node->ntp[i].clock == index) {
            forget(discipline, node->ntp[i].source);
        }
    }
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        if (node->refclocks[i].clock == index && node->refclocks[i].config.scale == MT_SCALE_UTC) {
            forget(discipline, node->refclocks[i].source);
        }
    }
}

/* What the page says is half a second old at most, which does for the day. */
static struct mt_instant present(const struct mt_node_clock *clock)
{
    bool is_made = clock->page.magic == MT_CLOCK_PAGE_MAGIC;
    return (struct mt_instant){.s = clock->page.anchor_s,
                               .ns = clock->page.anchor_ns,
                               .scale = is_made ? (enum mt_timescale)clock->page.scale
                                                : clock->hal->scale};
}

static enum mt_leap_by kind_of(const struct mt_arbiter_member *member)
{
    return member->kind == MT_ARBITER_PTP     ? MT_LEAP_BY_PTP
           : member->kind == MT_ARBITER_NTP   ? MT_LEAP_BY_NTP
           : member->kind == MT_ARBITER_CLOCK ? MT_LEAP_BY_LEADER
                                              : MT_LEAP_BY_REFCLOCK;
}

/* Two sources of one clock that are just TAI - UTC apart: one counts UTC and calls it TAI, or the
 * other way round.  The one that is not believed is named. */
static void compare_times(const struct mt_arbiter *arbiter, struct mt_leap_choice *choice)
{
    for (uint16_t i = 0; i < arbiter->count; i++) {
        for (uint16_t j = 0; j < arbiter->count && arbiter->sources[i].is_measured; j++) {
            bool is_other = i != j && arbiter->sources[j].is_measured &&
                            !mt_arbiter_is_chosen(arbiter->opinions[i].verdict);
            if (is_other &&
                mt_leap_looks_confused(arbiter->sources[i].offset - arbiter->sources[j].offset,
                                       choice->tai_minus_utc_s)) {
                choice->quarrel = MT_LEAP_TIMES_APART;
                choice->with = (struct mt_leap_claim){.by = kind_of(&arbiter->members[i]),
                                                      .index = arbiter->members[i].index};
            }
        }
    }
}

void mt_leap_duty_choose(struct mt_node *node, uint16_t index)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_leap_duty *self = &clock->leap;
    const struct mt_instant at = present(clock);
    int32_t before_s = mt_leap_duty_offset(clock, &at);
    enum mt_timescale was_scale = mt_leap_duty_scale(clock);
    bool was_known = self->choice.is_known;
    bool has_slack = self->slack_s > 0 || self->machine_by == MT_LEAP_BY_LIST;
    struct gathering gathering = {.node = node, .clock = index, .utc_s = utc_of(clock, &at)};
    add_machine(&gathering);
    add_receiver(&gathering);
    add_leader(&gathering);
    add_sources(&gathering);
    mt_leap_choose(gathering.claims, gathering.count, has_slack ? self->slack_s : MT_LEAP_SLACK_S,
                   gathering.utc_s, &self->choice);
    if (clock->arbiter.is_used && self->choice.quarrel == MT_LEAP_AGREED) {
        compare_times(&clock->arbiter, &self->choice);
    }
    if (self->choice.is_known && self->choice.by >= MT_LEAP_BY_GNSS &&
        self->choice.by <= MT_LEAP_BY_PTP) {
        self->remembered_s = self->choice.tai_minus_utc_s;
    }
    if (was_known && self->choice.is_known && at.scale == MT_SCALE_TAI &&
        mt_leap_duty_offset(clock, &at) != before_s) {
        self->before_change_s = before_s;
        self->has_changed = true;
        begin_anew(node, index);
    }
    if (mt_leap_duty_scale(clock) != was_scale) {
        begin_anew(node, index);
    }
}

void mt_leap_duty_gnss(struct mt_node *node, uint16_t clock, uint16_t receiver,
                       const struct mt_leap_news *news)
{
    struct mt_leap_duty *self = &node->clocks[clock].leap;
    bool is_others = self->gnss.is_known && self->receiver != receiver;
    if (!is_others || news->is_known) { /* silence of one takes nothing from another */
        self->gnss = *news;
        self->receiver = receiver;
    }
}

void mt_leap_duty_know(struct mt_leap_duty *self, enum mt_leap_by by, int32_t slack_s,
                       int32_t kernel_s)
{
    self->machine_by = by;
    self->slack_s = slack_s;
    self->kernel_s = kernel_s;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void tell(struct mt_node *node, uint16_t index, int32_t before_s, struct mt_mono now)
{
    const struct mt_leap_choice *choice = &node->clocks[index].leap.choice;
    mt_node_tell(node, &(struct mt_node_event){
                           .kind = MT_NODE_UTC,
                           .at = now,
                           .index = index,
                           .value.utc = {.quarrel = choice->quarrel,
                                         .with = choice->with,
                                         .tai_minus_utc_s = choice->tai_minus_utc_s,
                                         .before_s = before_s,
                                         .by = choice->by},
                       });
}

/* Around a leap second, and before the clock is set, contradictions mean nothing. */
static bool is_due(const struct mt_node_clock *clock, struct mt_mono now)
{
    const struct mt_leap_duty *self = &clock->leap;
    bool is_grave = self->seen == MT_LEAP_IS_UTC || self->seen == MT_LEAP_IS_GPS ||
                    self->seen == MT_LEAP_IMPLAUSIBLE || self->seen == MT_LEAP_TIMES_APART;
    bool is_set = clock->page.state == MT_CLOCK_LOCKED || clock->page.state == MT_CLOCK_HOLDOVER;
    return is_grave || (is_set && now.ns - self->seen_at.ns >= MT_LEAP_QUARREL_NS);
}

void mt_leap_duty_tell(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_leap_duty *self = &clock->leap;
    if (self->has_changed) {
        self->has_changed = false;
        tell(node, index, self->before_change_s, now);
    }
    if (self->choice.quarrel != self->seen) {
        self->seen = self->choice.quarrel;
        self->seen_at = now;
    }
    if (self->seen != self->told && is_due(clock, now)) {
        self->told = self->seen;
        tell(node, index, self->choice.tai_minus_utc_s, now);
    }
}
