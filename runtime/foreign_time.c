/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An instance knows no other source of time than its ports; so it is told by the same commands as
 * by a user.  What a user says meanwhile is seen by that it is not what was told last, and becomes
 * the instance's own.  What is told is quality.c's to say.
 *
 * An instance that has lost its own transmitter is told, too: it is its own grandmaster then, and
 * what it announces is what is left of the time that it had.
 */
#include "runtime/foreign_time.h"

#include "runtime/events.h"
#include "runtime/node.h"

#define SOURCE_GNSS       0x20 /* [1588-2019 Table 6] */
#define SOURCE_NTP        0x50
#define SOURCE_OTHER      0x90
#define SOURCE_OSCILLATOR 0xA0
#define ACCURACY_UNKNOWN  0xFE
#define VARIANCE_UNKNOWN  0xFFFF
#define LEAP_FLAGS        (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)

/* ---- what the clock follows ------------------------------------------------------------------ */

static bool has_refclock(const struct mt_node *node, uint16_t clock, uint16_t source)
{
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        const struct mt_node_refclock *refclock = &node->refclocks[i];
        if (refclock->clock == clock && (source == MT_SOURCE_NONE || refclock->source == source)) {
            return true;
        }
    }
    return false;
}

static bool has_ntp(const struct mt_node *node, uint16_t clock, uint16_t source)
{
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        if (!node->ntp[i].is_free && node->ntp[i].clock == clock &&
            (source == MT_SOURCE_NONE || node->ntp[i].source == source)) {
            return true;
        }
    }
    return false;
}

/* It has none, or has one from which the time comes that we serve. */
static bool is_led(const struct mt_node_clock *clock)
{
    return clock->follow.is_used && clock->follow.source == clock->discipline.selected &&
           clock->holdover.source != MT_QUALITY_FROM_NOBODY &&
           clock->holdover.source != MT_QUALITY_FROM_PTP;
}

/* It followed a grandmaster, by this instance, and has lost it. */
static bool holds_over(const struct mt_node_instance *instance, const struct mt_node_clock *clock)
{
    const struct mt_holdover *holdover = &clock->holdover;
    return holdover->source == MT_QUALITY_FROM_PTP &&
           (holdover->rung == MT_QUALITY_HOLDOVER || holdover->rung == MT_QUALITY_BEYOND) &&
           mt_instance_receiving_port(&instance->ptp) == 0 &&
           mt_clock_identity_equal(mt_instance_last_followed(&instance->ptp),
                                   &holdover->grandmaster);
}

/* ---- what is announced of it ----------------------------------------------------------------- */

static uint8_t time_source_of(enum mt_quality_source source)
{
    switch (source) {
    case MT_QUALITY_FROM_NOBODY:
    case MT_QUALITY_FROM_PTP: /* in holdover */
        break;
    case MT_QUALITY_FROM_NTP:
        return SOURCE_NTP;
    case MT_QUALITY_FROM_REFCLOCK:
        return SOURCE_OTHER;
    case MT_QUALITY_FROM_GNSS:
        return SOURCE_GNSS;
    }
    return SOURCE_OSCILLATOR;
}

/* The page's leap second may be what the instance itself announces, unless somebody is followed. */
static void describe_time(const struct mt_foreign_time *self, const struct mt_node_clock *clock,
                          const struct mt_quality *quality, struct mt_time_properties *time)
{
    const struct mt_clock_page *page = &clock->page;
    bool is_followed = clock->discipline.selected != MT_SOURCE_NONE;
    enum mt_quality_rung rung = clock->holdover.rung;
    *time = self->own_time;
    bool is_as_before = clock->leap.change_s != 0 && time->utc_offset == clock->leap.before_s;
    bool is_machines = !clock->tai_utc_known || time->utc_offset == clock->tai_minus_utc_s;
    if (page->tai_utc_valid != 0 && (is_as_before || is_machines)) { /* others know more */
        time->utc_offset = (int16_t)page->tai_minus_utc_s;
        time->flags |= MT_PTP_UTC_OFFSET_VALID;
    }
    if (quality->is_time_traceable) {
        time->flags |= MT_PTP_TIME_TRACEABLE;
    } else if (rung == MT_QUALITY_BEYOND) {
        time->flags &= (uint16_t)~MT_PTP_TIME_TRACEABLE;
    }
    if (quality->is_frequency_traceable) {
        time->flags |= MT_PTP_FREQUENCY_TRACEABLE;
    }
    if ((time->flags & LEAP_FLAGS) == 0 && is_followed && page->leap_s != 0) {
        time->flags |= page->leap_s > 0 ? MT_PTP_LEAP_61 : MT_PTP_LEAP_59;
    }
    if (time->time_source == SOURCE_OSCILLATOR && page->bound_reference != MT_BOUND_NONE) {
        time->time_source = time_source_of(clock->holdover.source);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool is_same_quality(const struct mt_clock_quality *a, const struct mt_clock_quality *b)
{
    return a->clock_class == b->clock_class && a->accuracy == b->accuracy &&
           a->variance == b->variance;
}

static bool is_same_time(const struct mt_time_properties *a, const struct mt_time_properties *b)
{
    return a->flags == b->flags && a->utc_offset == b->utc_offset &&
           a->time_source == b->time_source;
}

/* What is not as it was told, somebody has set: that alone is theirs. */
void mt_foreign_time_own_quality(const struct mt_foreign_time *self, const struct mt_instance *ptp,
                                 struct mt_clock_quality *ret_quality)
{
    const struct mt_clock_quality *now = &ptp->config.quality;
    *ret_quality = *now;
    if (self->is_told) {
        const struct mt_clock_quality *told = &self->told_quality;
        const struct mt_clock_quality *own = &self->own_quality;
        ret_quality->clock_class =
            now->clock_class == told->clock_class ? own->clock_class : now->clock_class;
        ret_quality->accuracy = now->accuracy == told->accuracy ? own->accuracy : now->accuracy;
        ret_quality->variance = now->variance == told->variance ? own->variance : now->variance;
    }
}

/* ... and what they have set is not ours to choose any more. */
static void take_own_quality(struct mt_foreign_time *self, const struct mt_instance *ptp)
{
    const struct mt_clock_quality *now = &ptp->config.quality;
    if (self->is_told) {
        self->ladder.class_is_auto &= now->clock_class == self->told_quality.clock_class;
        self->ladder.variance_is_auto &= now->variance == self->told_quality.variance;
    }
    struct mt_clock_quality own;
    mt_foreign_time_own_quality(self, ptp, &own);
    self->own_quality = own;
}

/* Flag by flag; who has set an offset has said that it is valid, or is not. */
void mt_foreign_time_own_time(const struct mt_foreign_time *self, const struct mt_instance *ptp,
                              struct mt_time_properties *ret_time)
{
    const struct mt_time_properties *now = &ptp->config.time;
    *ret_time = *now;
    if (self->is_told) {
        const struct mt_time_properties *told = &self->told_time;
        const struct mt_time_properties *own = &self->own_time;
        bool has_offset = now->utc_offset != told->utc_offset;
        unsigned set = (now->flags ^ told->flags) | (has_offset ? MT_PTP_UTC_OFFSET_VALID : 0u);
        ret_time->flags = (uint16_t)((own->flags & ~set) | (now->flags & set));
        ret_time->utc_offset = has_offset ? now->utc_offset : own->utc_offset;
        ret_time->time_source =
            now->time_source == told->time_source ? own->time_source : now->time_source;
    }
}

static void take_own_time(struct mt_foreign_time *self, const struct mt_instance *ptp)
{
    struct mt_time_properties own;
    mt_foreign_time_own_time(self, ptp, &own);
    self->own_time = own;
}

static void tell(struct mt_instance *ptp, struct mt_foreign_time *self, struct mt_mono now)
{
    const struct mt_command quality = {.kind = MT_COMMAND_QUALITY,
                                       .value.quality = self->told_quality};
    const struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES,
                                    .value.time = self->told_time};
    if (!is_same_quality(&ptp->config.quality, &self->told_quality)) {
        (void)mt_instance_command(ptp, &quality, now);
    }
    if (!is_same_time(&ptp->config.time, &self->told_time)) {
        (void)mt_instance_command(ptp, &time, now);
    }
    self->is_told = true;
}

static void tell_instance(struct mt_node *node, uint16_t index, const struct mt_node_clock *clock,
                          struct mt_mono now)
{
    struct mt_instance *ptp = &node->instances[index].ptp;
    struct mt_foreign_time *self = &node->instances[index].foreign_time;
    const struct mt_clock_quality before = ptp->config.quality;
    struct mt_clock_quality told = {before.clock_class, ACCURACY_UNKNOWN, VARIANCE_UNKNOWN};
    struct mt_quality_facts facts;
    struct mt_quality quality;
    struct mt_time_properties time;
    if (self->is_told) {
        told = self->told_quality;
    }
    take_own_quality(self, ptp);
    take_own_time(self, ptp);
    mt_holdover_facts(clock, &facts);
    mt_quality_make(&self->ladder, &facts, &self->own_quality, &told, &quality);
    describe_time(self, clock, &quality, &time);
    self->told_quality = quality.quality;
    self->told_time = time;
    tell(ptp, self, now);
    if (before.clock_class != quality.quality.clock_class) {
        mt_node_tell(node, &(struct mt_node_event){
                               .kind = MT_NODE_QUALITY,
                               .at = now,
                               .index = index,
                               .value.quality = {before.clock_class, quality.quality.clock_class}});
    }
}

static void give_back(struct mt_node_instance *instance, struct mt_mono now)
{
    struct mt_foreign_time *self = &instance->foreign_time;
    if (self->is_told) {
        take_own_quality(self, &instance->ptp);
        self->told_quality = self->own_quality;
        mt_foreign_time_own_time(self, &instance->ptp, &self->told_time);
        tell(&instance->ptp, self, now);
        self->is_told = false;
    }
}

void mt_foreign_time_tell(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    const struct mt_node_clock *clock = &node->clocks[index];
    uint16_t followed = clock->discipline.selected;
    bool is_foreign =
        has_refclock(node, index, followed) || has_ntp(node, index, followed) || is_led(clock);
    for (uint16_t i = 0; i < node->instance_count; i++) {
        struct mt_node_instance *instance = &node->instances[i];
        if (instance->clock != index) {
            continue;
        }
        if (is_foreign || holds_over(instance, clock)) {
            tell_instance(node, i, clock, now);
        } else {
            give_back(instance, now);
        }
    }
}

void mt_foreign_time_configure(struct mt_node *node, uint16_t index,
                               const struct mt_quality_ladder *ladder,
                               const struct mt_clock_quality *quality,
                               const struct mt_time_properties *time, struct mt_mono now)
{
    struct mt_node_instance *instance = &node->instances[index];
    struct mt_foreign_time *self = &instance->foreign_time;
    bool was_told = self->is_told;
    if (!was_told) {
        self->told_quality = *quality;
        self->told_time = *time;
    }
    tell(&instance->ptp, self, now);
    self->is_told = was_told;
    self->ladder = *ladder;
    self->own_quality = *quality;
    self->own_time = *time;
    mt_foreign_time_tell(node, instance->clock, now);
}

void mt_foreign_time_make_auto(struct mt_node *node, uint16_t index, bool clock_class,
                               bool variance, struct mt_mono now)
{
    if (index >= node->instance_count) { /* a log may say anything */
        return;
    }
    struct mt_node_instance *instance = &node->instances[index];
    struct mt_foreign_time *self = &instance->foreign_time;
    const struct mt_instance *ptp = &instance->ptp;
    struct mt_time_properties time;
    mt_foreign_time_own_time(self, ptp, &time);
    take_own_quality(self, ptp);
    struct mt_quality_ladder ladder = self->ladder;
    struct mt_clock_quality quality = self->own_quality;
    if (clock_class) {
        ladder.class_is_auto = true;
        quality.clock_class = ptp->config.is_receiver_only ? 255 /* [1588-2019 7.6.2.5] */
                                                           : ladder.free_run_class;
    }
    if (variance) {
        ladder.variance_is_auto = true;
        quality.variance = 0xFFFF;
    }
    mt_foreign_time_configure(node, index, &ladder, &quality, &time, now);
}
