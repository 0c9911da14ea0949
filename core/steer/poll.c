/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each answer costs the same, and is worth what it takes away of the error that has grown since the
 * one before.  As long as that is little beside what noise leaves anyway, asking more often would
 * only average noise, and that slowly: with the interval to the power of 3/8.  So the interval is
 * the longest one in which the error grows by less than half of what is left of the noise.  All
 * samples have taught frequency and wander by then, so nothing depends on how many there were: a
 * quiet clock behind a noisy path is asked seldom at once, and one that begins to wander often.
 *
 * With noise r of an answer and wander w that is about 0.4 (r/w)^(2/3) seconds.
 */
#include "meantime/steer_poll.h"

#include "meantime/time.h"

#define LONGER_SHARE  MT_REAL(0.5) /* of the error that there is, in twice the interval */
#define SHORTER_SHARE MT_REAL(0.6) /* in the present one: a step either way is not taken back */

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
