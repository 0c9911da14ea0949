/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Piecewise linear time.  Values are 128-bit counts of 2^-32 ns; a product of an elapsed time and
 * a rate is taken in two halves, whole nanoseconds and the fraction, because the whole product
 * would need 160 bits when a clock has been set from 1970 to today.  A new segment starts at the
 * value of the old one, so nothing is lost by turning often: eight corrections a second for a
 * year round by less than 0.1 ns in total.
 */
#include "platform/linux/linux_mapping.h"

#define NS_Q32 ((mt_q32)1 << 32)
#define S_Q32  (MT_NS_PER_S * NS_Q32)
#define MOST_S (INT64_C(1) << 60)

static const mt_real two_to_64 = 18446744073709551616.0;

static struct mt_segment *place(struct mt_mapping *self, uint32_t count)
{
    return &self->segments[count % MT_MAPPING_SEGMENTS];
}

void mt_mapping_init(struct mt_mapping *self, mt_q32 x, mt_q32 y, int64_t rate_q64,
                     enum mt_timescale scale)
{
    self->newest = 0;
    *place(self, 0) = (struct mt_segment){x, y, rate_q64, 0, scale};
}

void mt_mapping_turn(struct mt_mapping *self, mt_q32 x, mt_q32 step, int64_t rate_q64,
                     enum mt_timescale scale)
{
    mt_q32 most = MOST_S * S_Q32;
    mt_q32 y = mt_segment_value(mt_mapping_newest(self), x) + step;

    y = y > most ? most : y < -most ? -most : y;
    self->newest++;
    *place(self, self->newest) = (struct mt_segment){x, y, rate_q64, self->newest, scale};
}

const struct mt_segment *mt_mapping_newest(const struct mt_mapping *self)
{
    return &self->segments[self->newest % MT_MAPPING_SEGMENTS];
}

const struct mt_segment *mt_mapping_at(const struct mt_mapping *self, mt_q32 x)
{
    uint32_t back = 0;
    uint32_t oldest = MT_MAPPING_SEGMENTS - 1;
    const struct mt_segment *segment = mt_mapping_newest(self);

    while (segment->x > x && back < oldest && segment->count > 0) {
        back++;
        segment = &self->segments[(self->newest - back) % MT_MAPPING_SEGMENTS];
    }
    return segment;
}

mt_q32 mt_segment_value(const struct mt_segment *self, mt_q32 x)
{
    mt_q32 elapsed = x - self->x;
    mt_q32 whole_q64 = (elapsed >> 32) * self->rate_q64;
    mt_q32 part_q64 = (elapsed & (NS_Q32 - 1)) * self->rate_q64 >> 32;

    return self->y + elapsed + ((whole_q64 + part_q64) >> 32);
}

mt_q32 mt_q32_from_ns(int64_t ns)
{
    return ns * NS_Q32;
}

mt_q32 mt_q32_from_base(struct mt_base_time base)
{
    return base.ns * NS_Q32 + ((mt_q32)base.frac << 16);
}

mt_q32 mt_q32_from_span(struct mt_span span)
{
    int64_t s = span.s > MOST_S ? MOST_S : span.s < -MOST_S ? -MOST_S : span.s;

    return s * S_Q32 + span.ns * NS_Q32 + ((mt_q32)span.frac << 16);
}

struct mt_instant mt_q32_to_instant(mt_q32 value, enum mt_timescale scale)
{
    mt_q32 s = value / S_Q32;
    mt_q32 rest = value % S_Q32;

    if (rest < 0) {
        rest += S_Q32;
        s--;
    }
    return (struct mt_instant){(int64_t)s, (uint32_t)(rest >> 32), (uint16_t)(rest >> 16), scale};
}

int64_t mt_rate_to_q64(mt_real rate, mt_real limit)
{
    if (!(rate > -limit)) { /* and not-a-number */
        rate = rate <= -limit ? -limit : 0;
    }
    return (int64_t)((rate > limit ? limit : rate) * two_to_64);
}

mt_real mt_rate_from_q64(int64_t rate_q64)
{
    return (mt_real)rate_q64 / two_to_64;
}

int64_t mt_rate_compose_q64(int64_t a_q64, int64_t b_q64)
{
    mt_q32 product = (mt_q32)a_q64 * b_q64;

    return a_q64 + b_q64 + (int64_t)(product >> 64);
}
