/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a clock's oscillator does over minutes and hours, learned while the clock is followed:
 * how far its frequency walks, how it ages, how it answers to temperature.  In holdover it says
 * what the frequency has become since, and how wrong the clock may be by then: a prediction
 * interval, in place of the configured `max_drift`. Called by whoever owns the discipline, every
 * few seconds; optional: a discipline does without. No allocation, no globals; equal inputs give
 * equal bits. Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_STEER_OSCILLATOR_H
#define MEANTIME_STEER_OSCILLATOR_H

#include "meantime/steer.h"

#define MT_OSCILLATOR_OCTAVES 12 /**< of horizons: 64 s to 36 h, if a block takes 64 s */

/** What is kept over a restart; all are numbers. */
struct mt_steer_oscillator_memory {
    mt_real ageing; /**< s/s per s */
    mt_real ageing_sigma;
    mt_real coefficient; /**< s/s per K */
    mt_real coefficient_sigma;
    mt_real kelvin; /**< 0 of the coefficient */
    mt_real kelvin_low;
    mt_real kelvin_high; /**< it was learned between these */
    mt_real wander;      /**< (s/s)^2 per s */
    mt_real observed_s;  /**< for so long was it learned */
    bool uses_temperature;
    mt_real frequency; /**< what it gained when it was observed last, s/s, at `kelvin` ... */
    mt_real frequency_sigma;
    mt_real age_s; /**< ... which is so long ago */
};

/** What has become of that. */
enum mt_steer_memory_state {
    MT_STEER_MEMORY_NONE,      /**< there was none */
    MT_STEER_MEMORY_UNCHECKED, /**< the oscillator has not been observed since */
    MT_STEER_MEMORY_BELIEVED,  /**< it does what that lets one expect */
    MT_STEER_MEMORY_REFUTED,   /**< it does not, or nothing could be expected any more */
    MT_STEER_MEMORY_REPLACED,  /**< by what was seen since */
};
#define MT_STEER_MEMORY_STATES 5

struct mt_steer_oscillator {
    struct mt_steer_oscillator_memory known; /**< but for the last three */
    bool has_frequency;
    bool has_kelvin; /**< there has been a temperature */
    enum mt_steer_memory_state memory;
    mt_real seen_s;    /**< observed since the start */
    mt_real replace_s; /**< what was seen since goes before what was remembered from then on */
    mt_real away_s;    /**< between the last observation and the start */
    mt_real frequency; /**< what it gains, s/s, at known.kelvin */
    mt_real p[2][2];   /**< covariance of frequency and ageing */
    mt_real variance;  /**< of a block's mean, as it was measured */
    struct mt_mono at; /**< for which they hold */
    struct mt_steer_oscillator_block { /**< being gathered */
        uint32_t count;
        uint32_t kelvin_count;
        struct mt_mono begun;
        mt_real frequency; /**< sums */
        mt_real variance;
        mt_real kelvin;
    } block;
    uint64_t blocks; /**< in a row */
    uint32_t blind;  /**< blocks in a row whose temperature was not known, where others' was */
    struct mt_steer_oscillator_octave {
        bool is_begun;
        mt_real since_s;
        mt_real frequency;
        mt_real kelvin;
        mt_real count;    /**< of changes seen, as far as they are remembered */
        mt_real squares;  /**< sum of changes squared per s */
        mt_real products; /**< and of changes times those of temperature */
        mt_real kelvins;  /**< and of those squared */
        mt_real noise;    /**< what measuring has added to the first */
    } octaves[MT_OSCILLATOR_OCTAVES];
};

void mt_steer_oscillator_init(struct mt_steer_oscillator *self);
/** Begins with what was known before a restart, if it is sound.  That is a claim until the
 * frequency is found where it should be by now, and may be refuted later, too: see `memory`. */
void mt_steer_oscillator_remember(struct mt_steer_oscillator *self,
                                  const struct mt_steer_oscillator_memory *memory,
                                  struct mt_mono now);
/** What is worth keeping; false: not enough is known. */
bool mt_steer_oscillator_recall(const struct mt_steer_oscillator *self,
                                struct mt_steer_oscillator_memory *ret_memory, struct mt_mono now);
/** It is what mt_steer_oscillator_recall() may give. */
bool mt_steer_oscillator_is_sound(const struct mt_steer_oscillator_memory *memory);

/** While the clock is locked, at even intervals of some seconds: what its oscillator gains, with
 * its standard deviation and the time that the estimate takes to change its mind, s; and its
 * temperature in any unit of which one is a kelvin (NAN: not known). */
void mt_steer_oscillator_observe(struct mt_steer_oscillator *self, mt_real frequency, mt_real sigma,
                                 mt_real inertia_s, mt_real kelvin, struct mt_mono now);
/** It was not observed for a while. */
void mt_steer_oscillator_interrupt(struct mt_steer_oscillator *self);
/** Enough was learned for a prediction. */
bool mt_steer_oscillator_is_known(const struct mt_steer_oscillator *self);

/** A holdover, for which its owner keeps account of temperature. */
struct mt_steer_oscillator_past {
    mt_real age_s;    /**< since the clock was measured last */
    mt_real kelvin;   /**< now, less what it was then; 0: not known */
    mt_real kelvin_s; /**< integral of that */
    mt_real beyond;   /**< integral of what of it lay outside of what was learned, > 0 */
};

/** What the frequency has changed by since the clock was measured last, s/s. */
mt_real mt_steer_oscillator_change(const struct mt_steer_oscillator *self,
                                   const struct mt_steer_oscillator_past *past);
/** Makes of a report in holdover one whose bound is this prediction's, `report->bound_growth`
 * included; *ret_growth is that of the estimate alone, s/s. */
void mt_steer_oscillator_report(const struct mt_steer_oscillator *self,
                                const struct mt_discipline *discipline,
                                const struct mt_steer_oscillator_past *past,
                                struct mt_clock_quality_report *report, mt_real *ret_growth);

/** Nobody is followed, but it is known that the clock gains `change` s/s more from its reading `at`
 * on.  Does nothing unless the discipline holds over. */
void mt_discipline_shift_frequency(struct mt_discipline *self, mt_real change,
                                   const struct mt_instant *at);

#endif
