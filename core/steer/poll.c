/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each answer costs the same, and is worth what it takes away of the error.  Asked more often than
 * the error grows, that is little: with normal noise an error goes with the interval to the power
 * of 3/8, with one-sided noise of 0.6.  So there is no best interval, but a longest sensible one.
 * What an estimate rests on is the answers within its memory, and the error grows in one interval
 * by about its own size over their number.  With two of them every lost answer is felt, nobody can
 * tell noise from wander, nor that noise is one-sided, which is where most is to be had on long
 * ways.  So the interval is the longest one in which the error grows by a sixteenth.  All samples
 * have taught frequency and wander by then, so nothing depends on how many there were: a quiet
 * clock behind a noisy path is asked seldom at once, and one that begins to wander often.
 *
 * With normal noise r of an answer and wander w that is about (r/w)^(2/3) / 40 seconds.
 */
#include "meantime/steer_poll.h"

#include "meantime/time.h"

#define LONGER_SHARE  MT_REAL(0.0625) /* of the error that there is, in twice the interval */
#define SHORTER_SHARE MT_REAL(0.075)  /* in the present one: a step either way is not taken back */

mt_real mt_poll_growth(const struct mt_poll_facts *facts, mt_real interval)
{
    mt_real by_frequency = facts->frequency_sigma * interval;
    mt_real by_wander = facts->wander * interval * interval * interval / 3;

    return mt_real_sqrt(by_frequency * by_frequency + by_wander);
}

static mt_real seconds_of(int8_t log2s)
{
    return (mt_real)mt_log2s_to_ns(log2s) * MT_REAL(1e-9);
}

int8_t mt_poll_choose(const struct mt_poll_facts *facts, int8_t present, int8_t least, int8_t most)
{
    mt_real sigma = facts->offset_sigma;

    if (!facts->is_settled || present < least) {
        return least;
    }
    if (present > most) {
        return most;
    }
    if (present > least && mt_poll_growth(facts, seconds_of(present)) > SHORTER_SHARE * sigma) {
        return (int8_t)(present - 1);
    }
    if (present < most && mt_poll_growth(facts, 2 * seconds_of(present)) < LONGER_SHARE * sigma) {
        return (int8_t)(present + 1);
    }
    return present;
}
