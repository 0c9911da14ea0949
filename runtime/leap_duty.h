/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI - UTC of a clock that follows sources which count UTC, from before a leap second until the
 * machine has heard of it.
 * Thread rule: the node's.
 */
#ifndef MEANTIME_RUNTIME_LEAP_DUTY_H
#define MEANTIME_RUNTIME_LEAP_DUTY_H

#include "meantime/clock_page.h"
#include "meantime/sample.h"
#include "meantime/steer_leap.h"

#define MT_LEAP_QUARREL_NS INT64_C(10000000000) /**< so long it must last before it is told */

struct mt_node;
struct mt_node_clock;

/** What a GNSS receiver knows. */
struct mt_leap_news {
    bool is_known;
    int32_t tai_minus_utc_s; /**< now */
    bool knows_leap;         /**< that there is one, or none */
    int32_t change_s;        /**< -1, 0 (none) or +1 ... */
    int64_t at_utc_s;        /**< ... when the UTC day begins that follows it */
};

/** Zeros to begin with. */
struct mt_leap_duty {
    int32_t change_s; /**< of the leap second that is announced, or has just been; 0: none */
    int32_t before_s; /**< TAI - UTC until then */
    int64_t at_s;     /**< TAI: when it changes */

    enum mt_leap_by machine_by; /**< whence this machine knows what it knows */
    int32_t slack_s;            /**< as mt_leap_choose() has it */
    int32_t kernel_s;           /**< TAI - UTC of the kernel, told by others; 0: nobody has */
    struct mt_leap_news gnss;
    uint16_t receiver;            /**< whose news that is */
    int32_t remembered_s;         /**< TAI - UTC that a source has taught; 0: none has */
    struct mt_leap_choice choice; /**< of what all say */
    bool has_changed;             /**< TAI - UTC, and that is still to be told */
    int32_t before_change_s;
    enum mt_leap_quarrel told; /**< the quarrel that was told ... */
    enum mt_leap_quarrel seen; /**< ... and the one that lasts ... */
    struct mt_mono seen_at;    /**< ... since then */
};

/** What the machine knows counts from now on; as struct mt_compose_facts has it. */
void mt_leap_duty_know(struct mt_leap_duty *self, enum mt_leap_by by, int32_t slack_s,
                       int32_t kernel_s);
/** A receiver of this clock knows something, or nothing any more. */
void mt_leap_duty_gnss(struct mt_node *node, uint16_t clock, uint16_t receiver,
                       const struct mt_leap_news *news);
/** Puts together what all say, before a page is made. */
void mt_leap_duty_choose(struct mt_node *node, uint16_t clock);
/** Tells who contradicts whom, once it lasts; what would set a clock wrong by much at once. */
void mt_leap_duty_tell(struct mt_node *node, uint16_t clock, struct mt_mono now);

/** The page has been renewed: it may announce one. */
void mt_leap_duty_watch(struct mt_leap_duty *self, const struct mt_clock_page *page);
/** TAI - UTC at a TAI time, as chosen, where it is known. */
int32_t mt_leap_duty_offset(const struct mt_node_clock *clock, const struct mt_instant *at);
/** What samples of UTC become: TAI where TAI - UTC is known, unless the clock shows UTC. */
enum mt_timescale mt_leap_duty_scale(const struct mt_node_clock *clock);
/** A sample of UTC or TAI in the timescale of the clock, as far as that can be known. */
void mt_leap_duty_convert(const struct mt_node_clock *clock, struct mt_sample *sample);
/** True if nobody can say in which of two seconds a sample of UTC was taken. */
bool mt_leap_duty_is_doubtful(const struct mt_node_clock *clock, const struct mt_instant *at);
/** True if it is over and sources that still announce one mean the same. */
bool mt_leap_duty_is_over(const struct mt_leap_duty *self, const struct mt_instant *at);

#endif
