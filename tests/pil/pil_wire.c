/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Both ends use these functions, so that each layout is said once.
 */
#include "pil_wire.h"

void pil_put(struct pil_cursor *to, uint64_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++) {
        *to->at++ = (uint8_t)(value >> 8 * i);
    }
}

uint64_t pil_get(struct pil_cursor *from, unsigned octets)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < octets; i++) {
        value |= (uint64_t)*from->at++ << 8 * i;
    }
    return value;
}

int64_t pil_get_signed(struct pil_cursor *from, unsigned octets)
{
    const uint64_t value = pil_get(from, octets);
    const uint64_t sign = UINT64_C(1) << (8 * octets - 1);
    return (int64_t)((value ^ sign) - sign);
}

void pil_put_real(struct pil_cursor *to, mt_real value)
{
    union {
        double real;
        uint64_t bits;
    } both = {.real = (double)value};
    pil_put(to, both.bits, 8);
}

mt_real pil_get_real(struct pil_cursor *from)
{
    union {
        uint64_t bits;
        double real;
    } both = {.bits = pil_get(from, 8)};
    return (mt_real)both.real;
}

static void put_instant(struct pil_cursor *to, const struct mt_instant *at)
{
    pil_put(to, (uint64_t)at->s, 8);
    pil_put(to, at->ns, 4);
    pil_put(to, at->frac, 2);
    pil_put(to, at->scale, 1);
}

static struct mt_instant get_instant(struct pil_cursor *from)
{
    struct mt_instant at;
    at.s = (int64_t)pil_get(from, 8);
    at.ns = (uint32_t)pil_get(from, 4);
    at.frac = (uint16_t)pil_get(from, 2);
    at.scale = (enum mt_timescale)pil_get(from, 1);
    return at;
}

static void put_span(struct pil_cursor *to, const struct mt_span *span)
{
    pil_put(to, (uint64_t)span->s, 8);
    pil_put(to, span->ns, 4);
    pil_put(to, span->frac, 2);
}

static struct mt_span get_span(struct pil_cursor *from)
{
    struct mt_span span;
    span.s = (int64_t)pil_get(from, 8);
    span.ns = (uint32_t)pil_get(from, 4);
    span.frac = (uint16_t)pil_get(from, 2);
    return span;
}

void pil_put_base(struct pil_cursor *to, struct mt_base_time base)
{
    pil_put(to, (uint64_t)base.ns, 8);
    pil_put(to, base.frac, 2);
    pil_put(to, base.counter, 2);
}

struct mt_base_time pil_get_base(struct pil_cursor *from)
{
    struct mt_base_time base;
    base.ns = (int64_t)pil_get(from, 8);
    base.frac = (uint16_t)pil_get(from, 2);
    base.counter = (uint16_t)pil_get(from, 2);
    return base;
}

void pil_put_stamp(struct pil_cursor *to, const struct mt_stamp *stamp)
{
    put_instant(to, &stamp->at);
    pil_put(to, stamp->corrections, 4);
}

void pil_get_stamp(struct pil_cursor *from, struct mt_stamp *ret_stamp)
{
    ret_stamp->at = get_instant(from);
    ret_stamp->corrections = (uint32_t)pil_get(from, 4);
}

void pil_put_correction(struct pil_cursor *to, const struct mt_correction *correction)
{
    const struct mt_span none = {0, 0, 0};
    pil_put(to, correction->kind, 1);
    pil_put(to, correction->scale, 1);
    put_span(to, correction->kind == MT_CORRECT_STEP ? &correction->step : &none);
    pil_put_real(to, correction->kind == MT_CORRECT_STEP ? 0 : correction->rate);
}

void pil_get_correction(struct pil_cursor *from, struct mt_correction *ret_correction)
{
    ret_correction->kind = (enum mt_correction_kind)pil_get(from, 1);
    ret_correction->scale = (enum mt_timescale)pil_get(from, 1);
    ret_correction->step = get_span(from);
    ret_correction->rate = pil_get_real(from);
}

void pil_put_applied(struct pil_cursor *to, const struct mt_applied *applied)
{
    pil_put(to, applied->kind, 1);
    pil_put(to, applied->is_refused, 1);
    put_span(to, &applied->step);
    pil_put_real(to, applied->rate);
    put_instant(to, &applied->at);
    pil_put(to, applied->corrections, 4);
    pil_put(to, 0, 1);
}

void pil_get_applied(struct pil_cursor *from, struct mt_applied *ret_applied)
{
    ret_applied->kind = (enum mt_correction_kind)pil_get(from, 1);
    ret_applied->is_refused = pil_get(from, 1) != 0;
    ret_applied->step = get_span(from);
    ret_applied->rate = pil_get_real(from);
    ret_applied->at = get_instant(from);
    ret_applied->corrections = (uint32_t)pil_get(from, 4);
    (void)pil_get(from, 1);
}

void pil_put_input(struct pil_cursor *to, const struct mt_input *input)
{
    pil_put(to, input->kind, 1);
    pil_put(to, input->link, 2);
    pil_put(to, (uint64_t)input->now.ns, 8);
    pil_put(to, input->length, 2);
    pil_put(to, input->token, 4);
    pil_put(to, input->has_stamp, 1);
    pil_put(to, input->is_up, 1);
    pil_put_base(to, input->stamp);
    pil_put(to, input->from.network, 1);
    for (unsigned i = 0; i < 13; i++) { /* no IPv6 address is in the loop's way */
        pil_put(to, input->from.octets[i], 1);
    }
    pil_put(to, input->from.udp_port, 2);
}

void pil_get_input(struct pil_cursor *from, struct mt_input *ret_input)
{
    *ret_input = (struct mt_input){.kind = (enum mt_input_kind)pil_get(from, 1)};
    ret_input->link = (uint16_t)pil_get(from, 2);
    ret_input->now.ns = (int64_t)pil_get(from, 8);
    ret_input->length = (size_t)pil_get(from, 2);
    ret_input->token = (uint32_t)pil_get(from, 4);
    ret_input->has_stamp = pil_get(from, 1) != 0;
    ret_input->is_up = pil_get(from, 1) != 0;
    ret_input->stamp = pil_get_base(from);
    ret_input->from.network = (uint8_t)pil_get(from, 1);
    for (unsigned i = 0; i < 13; i++) {
        ret_input->from.octets[i] = (uint8_t)pil_get(from, 1);
    }
    ret_input->from.udp_port = (uint16_t)pil_get(from, 2);
}

void pil_put_clock(struct pil_cursor *to, const struct mt_hal_clock *clock)
{
    pil_put(to, clock->granularity_ns, 4);
    pil_put_real(to, clock->max_rate);
    pil_put(to, clock->adopts_scale, 1);
    pil_put(to, clock->is_adjustable, 1);
    pil_put(to, clock->scale, 1);
}

void pil_get_clock(struct pil_cursor *from, struct mt_hal_clock *clock)
{
    clock->granularity_ns = (uint32_t)pil_get(from, 4);
    clock->max_rate = pil_get_real(from);
    clock->adopts_scale = pil_get(from, 1) != 0;
    clock->is_adjustable = pil_get(from, 1) != 0;
    clock->scale = (enum mt_timescale)pil_get(from, 1);
}
