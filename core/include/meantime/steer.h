/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The discipline of one steered clock: takes samples of all its sources, keeps the estimates,
 * decides about each correction (step by, run at), and says how far the clock may be wrong.
 * One owner for each clock: whoever applies the corrections that mt_discipline_next_correction()
 * hands out answers each with mt_discipline_applied(), with the time at which it took effect.
 * Sources are registered by index in storage that the caller owns; the protocols say which one
 * is selected (PTP: the parent of the receiving port).
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_STEER_H
#define MEANTIME_STEER_H

#include "meantime/clock_page.h"
#include "meantime/servo.h"

#define MT_CORRECTION_HISTORY 8 /**< corrections that a late sample can be translated across */
#define MT_SOURCE_NONE        0xFFFF

enum mt_correction_kind { MT_CORRECT_STEP, MT_CORRECT_RATE };

/** One correction: the reading jumps by `step` and is of `scale` afterwards, or the clock runs
 * at `rate` from now on. */
struct mt_correction {
    enum mt_correction_kind kind;
    struct mt_span step;
    enum mt_timescale scale;
    mt_real rate; /**< s/s against the clock's nominal (uncorrected) rate; 0: as it is */
};

/** What was applied.  `rate` may differ from what was asked (granularity, range). */
struct mt_applied {
    enum mt_correction_kind kind;
    struct mt_span step;
    mt_real rate;
    struct mt_instant at; /**< the clock's reading just after it took effect */
    uint32_t corrections; /**< the clock's count, this one included */
    bool is_refused;      /**< the platform could not: nothing changed (no privilege ...) */
};

struct mt_discipline;
struct mt_steer_change;
struct mt_servo_storage;

/** What takes the place of the discipline's own steering (steer_servos.h has some). */
struct mt_steer_servo {
    /** A source is followed anew, on a clock that is corrected by self->rate. */
    void (*begin)(struct mt_discipline *self);
    /** A sample of the selected source, as the clock is now and as it was measured. */
    void (*sample)(struct mt_discipline *self, const struct mt_sample *present,
                   const struct mt_sample *measured);
    /** A correction was applied and recorded. */
    void (*corrected)(struct mt_discipline *self, const struct mt_steer_change *change);
};

struct mt_steer_config {
    struct mt_span step_at_start; /**< a first offset larger than this is stepped away ... */
    bool never_step_at_start;
    struct mt_span step_later; /**< ... and one larger than this after the first lock */
    bool never_step_later;
    mt_real max_slew;  /**< s/s used to remove an offset, beyond the frequency */
    mt_real max_rate;  /**< s/s: range of the clock's adjustment */
    mt_real max_drift; /**< s/s: the bound grows at least this fast without samples */
    struct mt_interval max_asymmetry;   /**< 0: half the round trip */
    uint32_t granularity_ns;            /**< of the timestamps and of reading the clock */
    bool adopts_scale;                  /**< overlay and lab clocks take the source's timescale */
    bool estimates_only;                /**< never corrects (a clock that may not be touched) */
    const struct mt_steer_servo *servo; /**< null: the estimator's own steering */
    struct mt_servo_storage *servo_storage;
    struct mt_skewness *skewness; /**< one for each source, initialised, the caller's; or null */
};
/** step at start above 10 us, later above 100 ms; slew 500 ppm; range 500 ppm; drift 1 ppm. */
void mt_steer_config_init(struct mt_steer_config *self);

/** Why the discipline does what it does: for status and logs. */
enum mt_steer_phase {
    MT_STEER_IDLE = MT_CLOCK_FREE_RUN,       /**< no source selected */
    MT_STEER_ACQUIRING = MT_CLOCK_ACQUIRING, /**< a source, its estimate not settled */
    MT_STEER_LOCKED = MT_CLOCK_LOCKED,
    MT_STEER_HOLDOVER = MT_CLOCK_HOLDOVER, /**< was locked; no samples of any selected source */
};

/** What a source says of itself, and what is known of the way to it. */
struct mt_steer_origin {
    struct mt_interval bound;           /**< its own error; too large: unknown */
    struct mt_interval reference_bound; /**< and its grandmaster's */
    enum mt_timescale scale;
};

struct mt_discipline_source {
    bool is_used;
    uint32_t interval; /**< mean distance of its samples, in 1024 ns */
    uint32_t last;     /**< arrival of the last one, likewise, modulo 2^32 */
    uint32_t verdicts[MT_SAMPLE_VERDICT_COUNT];
    struct mt_steer_origin origin;
    struct mt_estimator estimator;
};

/** Small members come first because firmware reaches them with shorter instructions. */
struct mt_discipline {
    enum mt_steer_phase phase;
    enum mt_timescale scale;
    bool has_next;
    bool awaits_applied;
    bool has_locked_once;
    bool has_stepped;  /**< the first offset has been dealt with */
    bool sets_rate;    /**< `rate` is wanted, the clock does not run at it yet */
    bool is_saturated; /**< the clock's range does not suffice */
    bool has_anchor;   /**< the anchor still says how wrong the clock may be */
    uint8_t settled;   /**< samples in a row that meet the lock criterion */
    uint8_t astray;    /**< samples in a row with an innovation beyond 3 sigma: up to 2 for each */
    uint8_t history_at;
    uint8_t history_count;
    uint16_t source_count;
    uint16_t selected;
    uint32_t corrections;
    uint32_t steps;
    struct mt_discipline_source *sources;
    mt_real rate;                      /**< applied */
    mt_real sharpness;                 /**< sigma over noise that the next ones are compared with */
    mt_real settled_sigma;             /**< of the clock itself: not more than the estimate's */
    struct mt_mono last_sample;        /**< of the selected source */
    struct mt_mono silence;            /**< without a sample until then: holdover */
    struct mt_mono next_correction_at; /**< not before */
    struct mt_mono slew_end;           /**< the offset will be gone: back to plain frequency */
    struct mt_clock_model model;
    struct mt_correction next;
    struct mt_steer_config config;
    struct mt_steer_anchor { /**< what was known when last locked: holdover starts here */
        struct mt_track track;
        struct mt_steer_origin origin;
        mt_real unseen; /**< s by which it was older then */
    } anchor;
    struct mt_steer_change { /**< a correction as later samples need it */
        struct mt_instant at;
        union {
            struct mt_span step;
            mt_real ratio; /**< 1 + new rate = (1 + ratio) (1 + old rate) */
        } by;
        enum mt_correction_kind kind;
    } history[MT_CORRECTION_HISTORY]; /**< ring, newest at history_at - 1 */
};

/** `sources`: storage for `source_count` sources, owned by the caller for the object's life.
 * `scale`, `corrections`: the clock's at start.  `start_rate`: the frequency correction from the
 * drift store, 0 if there is none; `start_rate_is_known` says whether it was measured.  If it was,
 * it is the first correction, as soon as a source is selected; if not, the clock must be running
 * at `start_rate` already (0: its nominal rate). */
void mt_discipline_init(struct mt_discipline *self, const struct mt_steer_config *config,
                        struct mt_discipline_source *sources, uint16_t source_count,
                        enum mt_timescale scale, uint32_t corrections, mt_real start_rate,
                        bool start_rate_is_known);

/** Begins a new source at `source` (a new parent): offset and delay are forgotten, frequency is
 * kept. */
void mt_discipline_reset_source(struct mt_discipline *self, uint16_t source);
/** The selected source shows another time from now on, of which nothing says how far it is from
 * the one before: nothing is said of the clock's error but against the source itself, if that is
 * still known, until its next sample.  is_traceable: both are to TAI; then what is known against
 * TAI stands. */
void mt_discipline_new_reference(struct mt_discipline *self, bool is_traceable);
/** Says which source the clock follows; MT_SOURCE_NONE: none. */
void mt_discipline_select(struct mt_discipline *self, uint16_t source, struct mt_mono now);

/** Feeds a sample of any registered source.  A sample with an older correction count is
 * translated; one older than the history is MT_SAMPLE_OLD. */
enum mt_sample_verdict mt_discipline_sample(struct mt_discipline *self,
                                            const struct mt_sample *sample, struct mt_mono now);

/** The next samples of a source will come at this interval, which is not that of those before: to
 * be told with each change, and after each sample. */
void mt_discipline_expect(struct mt_discipline *self, uint16_t source, int64_t interval_ns,
                          struct mt_mono now);

/** Passage of time: notices that samples have stopped. */
void mt_discipline_tick(struct mt_discipline *self, struct mt_mono now);
struct mt_mono mt_discipline_deadline(const struct mt_discipline *self);

/** Takes the correction to apply now, if there is one.  At most one is outstanding. */
bool mt_discipline_next_correction(struct mt_discipline *self,
                                   struct mt_correction *ret_correction);
/** Answers it.  Also tells of corrections that someone else made to the clock. */
void mt_discipline_applied(struct mt_discipline *self, const struct mt_applied *applied);

/** What may be said of the steered clock, which is what is served, when it reads `at`. */
struct mt_clock_quality_report {
    enum mt_clock_state state;
    enum mt_bound_reference reference;
    struct mt_interval bound; /**< |clock - reference| is below this; too large: unknown */
    mt_real bound_growth;     /**< s/s without further samples */
    struct mt_bound_parts parts;
    struct mt_estimate estimate; /**< of the selected source, or the prediction in holdover */
    bool has_estimate;           /**< it is of the selected source */
    bool is_locked;              /**< and the steered clock is where the estimate is */
    bool is_saturated;
    /** The part of the bound that is the grandmaster's own error against TAI or UTC; 0 unless the
     * reference is MT_BOUND_TRACEABLE. */
    struct mt_interval reference_bound;
};
void mt_discipline_report(const struct mt_discipline *self, struct mt_instant at,
                          struct mt_clock_quality_report *ret_report);

/** What to publish: the reading less `lead`, which is the estimate, or its prediction in holdover.
 * While there is neither, it is the steered clock. */
struct mt_published {
    struct mt_span lead;  /**< what the clock reads more at the report's time ... */
    mt_real gain;         /**< ... and gains on it, s/s of the published time */
    mt_real off_estimate; /**< s: what it is off the estimate, as a part of the bound */
    mt_real bound_growth; /**< s/s without further samples */
    mt_real follow;       /**< s in which to follow a change of the estimate, at least */
    mt_real max_slew;     /**< s/s: and no faster, */
    mt_real most;         /**< s: but for a larger change, which is made at once */
    bool is_estimate;     /**< or its prediction, and not the clock itself */
};
/** `report`: just made by mt_discipline_report(). */
void mt_discipline_published(const struct mt_discipline *self,
                             const struct mt_clock_quality_report *report,
                             struct mt_published *ret_published);
/** While nothing is known, what was published goes on: makes `published`, just made for a clock
 * that reads `now`, a continuation of `before`, which was made when it read `then`.  Changes
 * nothing if `published` is an estimate, `before` was none, or a correction since is not known. */
void mt_discipline_go_on(const struct mt_discipline *self, const struct mt_published *before,
                         const struct mt_stamp *then, const struct mt_stamp *now,
                         struct mt_published *published);

/** The rate to store for the next start: false while nothing was learned. */
bool mt_discipline_drift(const struct mt_discipline *self, mt_real *ret_rate);

#endif
