/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 *                     follows        holdover, within    beyond           no time
 *                                    specification
 *     GNSS ...        primary        holdover            degraded         free run
 *     PTP, then lost  -              relay holdover      relay degraded   free run
 *     NTP             free run       free run            free run         free run
 *     class was set   that           holdover if it was  degraded         free run
 *                                    primary or 13
 *
 * What a user has set is the top of the ladder, not the whole of it: the class for a clock that has
 * its time.  IEEE 1588 has a second ladder for application-specific time, 13, 14 and 58 or 193,
 * which runs beside 6, 7 and 52 or 187; so the classes below 13 follow from those below 6.
 *
 * Time is traceable as long as it is within specification, though the bound is against TAI beyond
 * it, too: others take the flag for a promise.  In holdover the frequency is nobody's but ours.
 *
 * Accuracy and variance are news to the whole network, so they change for the better only when they
 * are clearly better, and the variance also for the worse.
 */
#include "runtime/quality.h"

#define CLASS_PRIMARY              6 /* [1588-2019 table 4] */
#define CLASS_HOLDOVER             7
#define CLASS_APPLICATION          13
#define CLASS_APPLICATION_HOLDOVER 14
#define CLASS_DEGRADED_A           52
#define CLASS_APPLICATION_A        58
#define CLASS_DEGRADED_B           187
#define CLASS_APPLICATION_B        193
#define CLASS_DEFAULT              248
#define CLASS_RECEIVER_ONLY        255
#define ACCURACY_25_NS             0x20 /* [1588-2019 table 5] */
#define ACCURACY_100_NS            0x21
#define ACCURACY_BEYOND            0x31
#define ACCURACY_UNKNOWN           0xFE
#define VARIANCE_UNKNOWN           0xFFFF
#define VARIANCE_PRIMARY           0x4E5D /* [G.8275.1 table 2] of a PRTC ... */
#define VARIANCE_ENHANCED          0x4B32 /* ... and of an ePRTC */
#define VARIANCE_HYSTERESIS        128    /* [1588-2019 7.6.3.3] */
#define STRATUM_TRACEABLE          3      /* the grandmaster is at least 2 */
#define STRATUM_UNKNOWN            11     /* a clock that follows nobody is 10 */

void mt_quality_ladder_init(struct mt_quality_ladder *self)
{
    *self = (struct mt_quality_ladder){
        .class_is_auto = true,
        .variance_is_auto = true,
        .primary_class = CLASS_PRIMARY,
        .holdover_class = CLASS_HOLDOVER,
        .degraded_class = CLASS_DEGRADED_B,
        .free_run_class = CLASS_DEFAULT,
        .relay_holdover_class = CLASS_DEFAULT,
        .relay_degraded_class = CLASS_DEFAULT,
    };
}

/* ---- clockClass ------------------------------------------------------------------------------ */

/* What stands beside a class on the ladder of application-specific time. */
static uint8_t beside(uint8_t clock_class)
{
    switch (clock_class) {
    case CLASS_HOLDOVER:
        return CLASS_APPLICATION_HOLDOVER;
    case CLASS_DEGRADED_A:
        return CLASS_APPLICATION_A;
    case CLASS_DEGRADED_B:
        return CLASS_APPLICATION_B;
    }
    return clock_class;
}

static uint8_t below(const struct mt_quality_ladder *ladder, uint8_t top, uint8_t rung)
{
    if (top == CLASS_APPLICATION) {
        return beside(rung);
    }
    return top == ladder->primary_class || top == CLASS_PRIMARY ? rung : ladder->free_run_class;
}

static uint8_t own_class(const struct mt_quality_ladder *ladder,
                         const struct mt_quality_facts *facts, uint8_t top)
{
    switch (facts->rung) {
    case MT_QUALITY_FREE:
        break;
    case MT_QUALITY_LOCKED:
        return top;
    case MT_QUALITY_HOLDOVER:
        return below(ladder, top, ladder->holdover_class);
    case MT_QUALITY_BEYOND:
        return below(ladder, top, ladder->degraded_class);
    }
    return ladder->free_run_class;
}

static uint8_t relay_class(const struct mt_quality_ladder *ladder,
                           const struct mt_quality_facts *facts)
{
    if (!facts->is_primary) {
        return ladder->free_run_class;
    }
    switch (facts->rung) {
    case MT_QUALITY_FREE:
    case MT_QUALITY_LOCKED: /* then it is the grandmaster's that counts */
        break;
    case MT_QUALITY_HOLDOVER:
        return ladder->relay_holdover_class;
    case MT_QUALITY_BEYOND:
        return ladder->relay_degraded_class;
    }
    return ladder->free_run_class;
}

/* Nobody knows how wrong it is: no class of those that are right. */
static uint8_t class_of(const struct mt_quality_ladder *ladder,
                        const struct mt_quality_facts *facts, uint8_t own)
{
    if (own == CLASS_RECEIVER_ONLY) {
        return own;
    }
    if (!facts->has_bound) {
        return ladder->free_run_class;
    }
    if (facts->source == MT_QUALITY_FROM_PTP) {
        return ladder->class_is_auto ? relay_class(ladder, facts) : own;
    }
    uint8_t primary =
        facts->is_primary && facts->is_traceable ? ladder->primary_class : ladder->free_run_class;
    return own_class(ladder, facts, ladder->class_is_auto ? primary : own);
}

bool mt_quality_is_primary_class(const struct mt_quality_ladder *ladder, uint8_t clock_class)
{
    /* the quality levels of G.8265.1 say how good an oscillator is, not what it followed */
    bool is_telling = ladder->primary_class == CLASS_PRIMARY;
    return clock_class == CLASS_PRIMARY || clock_class == CLASS_HOLDOVER ||
           clock_class == ladder->primary_class ||
           (is_telling && clock_class == ladder->holdover_class) ||
           (clock_class == ladder->relay_holdover_class && clock_class != ladder->free_run_class);
}

uint8_t mt_quality_stratum(bool is_primary, bool is_traceable)
{
    return is_primary ? 1 : is_traceable ? STRATUM_TRACEABLE : STRATUM_UNKNOWN;
}

/* ---- clockAccuracy --------------------------------------------------------------------------- */

uint8_t mt_quality_accuracy(int64_t bound_ns)
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
    uint8_t now = mt_quality_accuracy(bound_ns);
    return now < before && before <= ACCURACY_BEYOND ? mt_quality_accuracy(bound_ns / 4 * 5) : now;
}

/* ---- offsetScaledLogVariance ----------------------------------------------------------------- */

/* PTP variance = tau^2 / 3 times Allan variance: sigma^2 of white phase noise, wander tau^3 / 9 of
 * a random walk of the frequency. */
mt_real mt_quality_variance(mt_real sigma, mt_real wander, mt_real tau)
{
    return sigma * sigma + wander * tau * tau * tau / 9;
}

uint16_t mt_quality_scaled_log_variance(mt_real variance)
{
    const mt_real ln_2 = MT_REAL(0.69314718055994530942);
    if (!(variance > 0)) {
        return VARIANCE_UNKNOWN;
    }
    mt_real scaled = mt_real_log(variance) / ln_2 * 256 + 32768;
    return (uint16_t)mt_real_round(mt_real_clamp(scaled, 0, VARIANCE_UNKNOWN - 1));
}

static uint16_t variance_after(uint16_t before, mt_real variance)
{
    uint16_t now = mt_quality_scaled_log_variance(variance);
    int change = now - before;
    bool is_near = change < VARIANCE_HYSTERESIS && change > -VARIANCE_HYSTERESIS;
    return is_near && before != VARIANCE_UNKNOWN && now != VARIANCE_UNKNOWN ? before : now;
}

/* G.8275 knows two of them, both of clocks locked to a primary reference; what is less accurate
 * than such a reference has to be has none. */
static uint16_t variance_of_class(const struct mt_quality_ladder *ladder,
                                  const struct mt_clock_quality *quality)
{
    if (quality->clock_class != ladder->primary_class || quality->accuracy > ACCURACY_100_NS) {
        return VARIANCE_UNKNOWN;
    }
    return quality->accuracy == ACCURACY_25_NS ? VARIANCE_ENHANCED : VARIANCE_PRIMARY;
}

/* ---- all of it ------------------------------------------------------------------------------- */

void mt_quality_make(const struct mt_quality_ladder *ladder, const struct mt_quality_facts *facts,
                     const struct mt_clock_quality *own, const struct mt_clock_quality *before,
                     struct mt_quality *ret_quality)
{
    bool holds_over = facts->rung == MT_QUALITY_HOLDOVER || facts->rung == MT_QUALITY_BEYOND;
    bool is_silent = !facts->has_bound || facts->rung == MT_QUALITY_FREE ||
                     (facts->source == MT_QUALITY_FROM_PTP && !facts->is_traceable) ||
                     (holds_over && ladder->is_silent_in_holdover);
    bool is_right = facts->has_bound && facts->is_traceable;
    ret_quality->quality = (struct mt_clock_quality){
        .clock_class = class_of(ladder, facts, own->clock_class),
        .accuracy =
            is_silent ? ACCURACY_UNKNOWN : accuracy_after(before->accuracy, facts->bound_ns),
        .variance = own->variance,
    };
    if (ladder->variance_is_auto && ladder->has_variance_by_class) {
        ret_quality->quality.variance = variance_of_class(ladder, &ret_quality->quality);
    } else if (ladder->variance_is_auto) {
        ret_quality->quality.variance =
            is_silent ? VARIANCE_UNKNOWN : variance_after(before->variance, facts->variance);
    }
    ret_quality->is_time_traceable =
        is_right && (facts->rung == MT_QUALITY_LOCKED || facts->rung == MT_QUALITY_HOLDOVER);
    ret_quality->is_frequency_traceable = is_right && facts->rung == MT_QUALITY_LOCKED;
}
