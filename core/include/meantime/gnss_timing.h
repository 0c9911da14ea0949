/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which second a pulse begins, and whether that is believed.
 *
 * A pulse says where a second begins, a sentence some time later which one it was; u-blox's TIM-TP
 * says it before.  The label joins them, and says nothing where it would have to guess.  The guard
 * compares the result with the running clock: a receiver whose time jumps (spoofed, repeated,
 * broken, or with another number of leap seconds) is not followed until it agrees again for long.
 *
 * Times are readings of the local clock, which need not be right, and may be in any scale; only
 * when `knows_second` is set they are compared with the seconds that are told.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_GNSS_TIMING_H
#define MEANTIME_GNSS_TIMING_H

#include "meantime/gnss.h"

enum mt_gnss_pulse_verdict {
#define MT_GNSS_PULSE_VERDICT(name, word, words) MT_GNSS_PULSE_##name,
#include "meantime/gnss_pulse_verdict.def"
#undef MT_GNSS_PULSE_VERDICT
    MT_GNSS_PULSE_VERDICT_COUNT
};

const char *mt_gnss_pulse_verdict_name(enum mt_gnss_pulse_verdict verdict);
const char *mt_gnss_pulse_verdict_words(enum mt_gnss_pulse_verdict verdict);

/* ---- label ---------------------------------------------------------------------------------- */

#define MT_GNSS_STREAK       3 /**< seconds in a row before the first one is used */
#define MT_GNSS_DELAY_LEARNT 8 /**< sentences after which their delay counts as known */

struct mt_gnss_label_config {
    bool has_delay; /**< of sentences behind the second of which they tell: configured */
    int64_t delay_ns;
};

/** A second that was told, and what the local clock read when it began. */
struct mt_gnss_second {
    struct mt_stamp local;
    struct mt_instant second; /**< whole, in the scale in which it was told */
    bool has_quantisation;
    int32_t quantisation_ps; /**< it began so much after `local` */
};

/** All members private but delay_ns, jitter_ns and delay_count. */
struct mt_gnss_label {
    struct mt_gnss_label_config config;
    struct {
        struct mt_stamp at;
        bool is_told; /**< its second */
        bool has_quantisation;
        int32_t quantisation_ps;
    } pulse; /**< the last one */
    bool has_pulse;
    bool has_announced;
    struct mt_gnss_report announced;
    struct mt_gnss_second last; /**< of which the second was told */
    bool has_last;
    uint8_t streak;
    uint8_t strays;    /**< in a row */
    int64_t delay_ns;  /**< of sentences, as learned */
    int64_t jitter_ns; /**< and how much it varies */
    uint16_t delay_count;
    uint8_t ambiguous; /**< sentences in a row */
};

void mt_gnss_label_init(struct mt_gnss_label *self, const struct mt_gnss_label_config *config);
/** The local clock was stepped: readings before it mean nothing any more. */
void mt_gnss_label_forget(struct mt_gnss_label *self);
/** What `report` announces of the next pulse. */
void mt_gnss_label_announce(struct mt_gnss_label *self, const struct mt_gnss_report *report);
/** A pulse came.  USED: its second had been announced, and is in `ret_second`.  UNTOLD: a sentence
 * will tell.  `ret_lost`: the pulse before it never got a second. */
enum mt_gnss_pulse_verdict mt_gnss_label_pulse(struct mt_gnss_label *self,
                                               const struct mt_stamp *at, bool *ret_is_lost,
                                               struct mt_gnss_second *ret_second);
/** A sentence came that tells of `second`, of which it is the first.  USED: `ret_second` is that
 * of the last pulse.  UNTOLD: there is no pulse that has none yet. */
enum mt_gnss_pulse_verdict mt_gnss_label_sentence(struct mt_gnss_label *self,
                                                  const struct mt_instant *second,
                                                  const struct mt_stamp *arrival, bool knows_second,
                                                  struct mt_gnss_second *ret_second);

/* ---- guard ---------------------------------------------------------------------------------- */

/** What is done when the receiver's time is far from where the clock is known to be. */
enum mt_gnss_jump_policy {
    MT_GNSS_JUMP_HOLD,   /**< not followed until it agrees again, for `wait_ns` */
    MT_GNSS_JUMP_WAIT,   /**< followed, too, once it has gone on from there for `wait_ns` */
    MT_GNSS_JUMP_FOLLOW, /**< told, and followed */
};

struct mt_gnss_guard_config {
    enum mt_gnss_jump_policy policy;
    int64_t limit_ns; /**< beyond what the clock and the receiver may be wrong by */
    int64_t wait_ns;
};

/** All members private but has_jumped and jump. */
struct mt_gnss_guard {
    struct mt_gnss_guard_config config;
    bool has_jumped;     /**< it is not believed now */
    struct mt_span jump; /**< clock - receiver, when it was told */
    struct mt_interval jump_error;
    uint8_t suspects;
    bool has_agreed; /**< since it jumped, from `since` on */
    struct mt_mono since;
};

enum mt_gnss_guard_verdict {
    MT_GNSS_GUARD_AGREES,
    MT_GNSS_GUARD_DOUBTS,   /**< not to be used */
    MT_GNSS_GUARD_JUMPED,   /**< not to be used, and to be told: from now on it is not believed */
    MT_GNSS_GUARD_FOLLOWS,  /**< to be used, and to be told: it jumped */
    MT_GNSS_GUARD_RETURNED, /**< to be used, and to be told: it is believed again */
};

void mt_gnss_guard_init(struct mt_gnss_guard *self, const struct mt_gnss_guard_config *config);
/** `ahead`: clock - receiver, measured with `error` at most.  `bound`: what the clock may be wrong
 * by; too large: not known. */
enum mt_gnss_guard_verdict mt_gnss_guard_judge(struct mt_gnss_guard *self, struct mt_span ahead,
                                               struct mt_interval error, struct mt_interval bound,
                                               struct mt_mono now);

#endif
