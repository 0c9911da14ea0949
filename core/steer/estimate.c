/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What may be read off an estimate, for plan, report and published time alike.
 */
#include "steer/steer_private.h"

mt_real mt_steer_noise(const struct mt_estimate *estimate)
{
    return estimate->noise[MT_SAMPLE_FORWARD] + estimate->noise[MT_SAMPLE_OFFSET];
}

/* with one-sided noise only the samples near the floor count, and each of them counts for much */
mt_real mt_steer_inertia(const struct mt_estimate *estimate, mt_real sigma)
{
    mt_real ratio = mt_steer_noise(estimate) / sigma;

    return estimate->tail[MT_SAMPLE_FORWARD] > 0 ? ratio : ratio * ratio;
}

bool mt_steer_is_off(const struct mt_estimate *estimate, mt_real limit)
{
    return mt_real_abs(mt_span_to_real(estimate->offset)) > limit;
}
