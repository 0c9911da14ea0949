/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An instance knows no other source of time than its ports; so it is told by the same commands as
 * by a user.  What a user says meanwhile is seen by that it is not what was told last, and becomes
 * the instance's own.
 *
 *                          clockClass      clockAccuracy     traceable, leap second
 *     never had its time   default         unknown           no
 *     has its time         own             of the bound      as far as the bound is against UTC
 *     lost it              6 -> 7, 13 -> 14, else default;   likewise
 *                          of the bound, which grows
 *     has that of an NTP   default         unknown           no
 *     server's own clock
 *
 * An accuracy that changes is news to the whole network, so it changes for the better only when
 * the bound is well inside of the better one.
 */
#include "runtime/foreign_time.h"

#include <string.h>

#include "runtime/node.h"

#define CLASS_PRIMARY       6 /* [1588-2019 Table 4] */
#define CLASS_APPLICATION   13
#define CLASS_DEFAULT       248
#define CLASS_RECEIVER_ONLY 255
#define ACCURACY_25_NS      0x20 /* [1588-2019 Table 5] */
#define ACCURACY_BEYOND     0x31
#define ACCURACY_UNKNOWN    0xFE
#define SOURCE_NTP          0x50 /* [1588-2019 Table 6] */
#define SOURCE_OTHER        0x90
#define SOURCE_OSCILLATOR   0xA0
#define LEAP_FLAGS          (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)
#define TRACEABLE_FLAGS     (MT_PTP_TIME_TRACEABLE | MT_PTP_FREQUENCY_TRACEABLE)

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

/* ---- what is announced of it ----------------------------------------------------------------- */

static uint8_t accuracy_of(int64_t bound_ns)
{
    static const int64_t limits_ns[] = {
        25,      100,     250,      1000,     2500,      10000,     25000,      100000,      250000,
        1000000, 2500000, 10000000, 25000000, 100000000, 250000000, 1000000000, 10000000000,
    };
    uint8_t step = 0;
    while (step < sizeof limits_ns / sizeof limits_ns[0] && bound_ns > limits_ns[step]) {
        step++;
    }
    return (uint8_t)(ACCURACY_25_NS + step);
}

/* The better one must be sure, the worse one is said at once. */
static uint8_t accuracy_after(uint8_t before, int64_t bound_ns)
{
    uint8_t now = accuracy_of(bound_ns);
    return now < before && before <= ACCURACY_BEYOND ? accuracy_of(bound_ns / 4 * 5) : now;
}

static uint8_t class_without_time(uint8_t own, bool had_time)
{
    if (had_time && (own == CLASS_PRIMARY || own == CLASS_APPLICATION)) {
        return (uint8_t)(own + 1);
    }
    return own == CLASS_RECEIVER_ONLY ? own : CLASS_DEFAULT;
}

/* What is not known to be right has no class of those that are, however well it is followed. */
static void describe_quality(const struct mt_foreign_time *self, const struct mt_clock_page *page,
                             bool is_anybodys, struct mt_clock_quality *quality)
{
    bool has_bound = page->bound_reference != MT_BOUND_NONE && !is_anybodys;
    *quality = self->own_quality;
    if (page->state != MT_CLOCK_LOCKED || is_anybodys) {
        quality->clock_class = class_without_time(self->own_quality.clock_class, has_bound);
    }
    quality->accuracy =
        has_bound ? accuracy_after(self->told_quality.accuracy, page->bound_ns) : ACCURACY_UNKNOWN;
}

/* The page's leap second may be what the instance itself announces, unless somebody is followed. */
static void describe_time(const struct mt_foreign_time *self, const struct mt_node_clock *clock,
                          uint8_t source, bool is_followed, struct mt_time_properties *time)
{
    const struct mt_clock_page *page = &clock->page;
    *time = self->own_time;
    if (clock->leap.change_s != 0 && time->utc_offset == clock->leap.before_s) {
        time->utc_offset = (int16_t)page->tai_minus_utc_s; /* before the machine knows */
    }
    if (page->bound_reference == MT_BOUND_TRACEABLE) {
        time->flags |= TRACEABLE_FLAGS;
    }
    if ((time->flags & LEAP_FLAGS) == 0 && is_followed && page->leap_s != 0) {
        time->flags |= page->leap_s > 0 ? MT_PTP_LEAP_61 : MT_PTP_LEAP_59;
    }
    if (time->time_source == SOURCE_OSCILLATOR && page->bound_reference != MT_BOUND_NONE) {
        time->time_source = source;
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

const struct mt_clock_quality *mt_foreign_time_own_quality(const struct mt_foreign_time *self,
                                                           const struct mt_instance *ptp)
{
    bool is_as_told = self->is_told && is_same_quality(&ptp->config.quality, &self->told_quality);
    return is_as_told ? &self->own_quality : &ptp->config.quality;
}

const struct mt_time_properties *mt_foreign_time_own_time(const struct mt_foreign_time *self,
                                                          const struct mt_instance *ptp)
{
    bool is_as_told = self->is_told && is_same_time(&ptp->config.time, &self->told_time);
    return is_as_told ? &self->own_time : &ptp->config.time;
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

static void tell_instance(struct mt_node_instance *instance, const struct mt_node_clock *clock,
                          uint8_t source, bool is_followed, bool is_anybodys, struct mt_mono now)
{
    struct mt_foreign_time *self = &instance->foreign_time;
    struct mt_clock_quality quality;
    struct mt_time_properties time;
    self->own_quality = *mt_foreign_time_own_quality(self, &instance->ptp);
    self->own_time = *mt_foreign_time_own_time(self, &instance->ptp);
    describe_quality(self, &clock->page, is_anybodys, &quality);
    describe_time(self, clock, source, is_followed, &time);
    self->told_quality = quality;
    self->told_time = time;
    tell(&instance->ptp, self, now);
}

static void give_back(struct mt_node_instance *instance, struct mt_mono now)
{
    struct mt_foreign_time *self = &instance->foreign_time;
    if (self->is_told) {
        self->told_quality = *mt_foreign_time_own_quality(self, &instance->ptp);
        self->told_time = *mt_foreign_time_own_time(self, &instance->ptp);
        tell(&instance->ptp, self, now);
        self->is_told = false;
    }
}

void mt_foreign_time_tell(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    const struct mt_node_clock *clock = &node->clocks[index];
    uint16_t followed = clock->discipline.selected;
    bool is_refclock = has_refclock(node, index, followed);
    bool is_ntp = has_ntp(node, index, followed);
    bool is_foreign = is_refclock || is_ntp;
    bool is_anybodys = is_ntp && clock->page.bound_reference == MT_BOUND_SOURCE;
    for (uint16_t i = 0; i < node->instance_count; i++) {
        struct mt_node_instance *instance = &node->instances[i];
        if (instance->clock == index && is_foreign) {
            tell_instance(instance, clock, is_refclock ? SOURCE_OTHER : SOURCE_NTP,
                          followed != MT_SOURCE_NONE, is_anybodys, now);
        } else if (instance->clock == index) {
            give_back(instance, now);
        }
    }
}
