/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * "Fine update": a 32-bit accumulator gains the addend in each cycle of HCLK, and each time that
 * it overflows the clock moves on by a granule.  So the clock runs at HCLK x addend / 2^32 granules
 * a second, and one more in the addend is 0.5 ppb.  What is finer is done as a picture is printed
 * in black and white: the register holds the addend below or above the wanted one, whichever brings
 * the clock back to where it should be; the debt between the two is counted exactly, so the mean
 * rate is exact however irregularly tick() is called.
 *
 * The granule is 10 ns, less than half of the accumulator's rate, which leaves 0.5 ppb as said and
 * room on both sides.  The sub-second register counts ns and rolls over at 1e9 ("digital").
 *
 * The bits that load a register into the clock clear themselves when they have been seen.  All
 * waits are counted: without a clock from the PHY they would never end.
 */
#include "platform/stm32f7/stm32f7_ptp.h"

#include "platform/stm32f7/stm32f7_io.h"
#include "platform/stm32f7/stm32f7_registers.h"

#define TRIES      1000 /* a handful of cycles are enough */
#define CONTROL    (ETH_PTPTSCR_TSE | ETH_PTPTSCR_TSFCU | ETH_PTPTSCR_TSSSR | ETH_PTPTSCR_TSSARFE)
#define SUBSECONDS UINT32_C(0x7FFFFFFF)
#define LOST       UINT32_C(0xFFFFFFFF)
#define DEBT_US    UINT64_C(10000000) /* of a longer silence only that much is made good */

/* 2^32 granules x (1 s / granule) / HCLK, in 2^-32: 2^64 x 100000 kHz / 216000 kHz */
#define GRANULES_KHZ (UINT64_C(1000000) / MT_STM32F7_GRANULE_NS)
#define HALF_RANGE   (UINT64_C(1) << 63)
#define NOMINAL_Q32                                                                                \
    (HALF_RANGE / MT_STM32F7_HCLK_KHZ * 2 * GRANULES_KHZ +                                         \
     HALF_RANGE % MT_STM32F7_HCLK_KHZ * 2 * GRANULES_KHZ / MT_STM32F7_HCLK_KHZ)
#define NOMINAL ((int64_t)((NOMINAL_Q32 + (UINT64_C(1) << 31)) >> 32))

/* Has what the bit asks for be done. */
static bool load(uint32_t bit)
{
    uint32_t tries = TRIES;
    mt_stm32f7_write(ETH_PTPTSCR, CONTROL | bit);
    while ((mt_stm32f7_read(ETH_PTPTSCR) & bit) != 0) {
        if (--tries == 0) {
            return false;
        }
    }
    return true;
}

static bool load_addend(struct mt_stm32f7_ptp *self, uint32_t addend)
{
    self->addend = addend;
    mt_stm32f7_write(ETH_PTPTSAR, addend);
    return load(ETH_PTPTSCR_TTSARU);
}

bool mt_stm32f7_ptp_init(struct mt_stm32f7_ptp *self, uint64_t now_us)
{
    *self = (struct mt_stm32f7_ptp){.wanted_q32 = NOMINAL_Q32, .owed_since_us = now_us};
    mt_stm32f7_write(ETH_PTPTSCR, ETH_PTPTSCR_TSE);
    mt_stm32f7_write(ETH_PTPSSIR, MT_STM32F7_GRANULE_NS);
    if (!load_addend(self, (uint32_t)(NOMINAL_Q32 >> 32))) {
        return false;
    }
    mt_stm32f7_write(ETH_PTPTSHUR, 0);
    mt_stm32f7_write(ETH_PTPTSLUR, 0);
    return load(ETH_PTPTSCR_TSSTI);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* The two words are not read at once: if the seconds moved on between, the sub-second part may
 * belong to either, and another second is far away. */
static struct mt_stm32f7_raw_time read_raw(void)
{
    struct mt_stm32f7_raw_time raw;
    const uint32_t before_s = mt_stm32f7_read(ETH_PTPTSHR);
    raw.ns = mt_stm32f7_read(ETH_PTPTSLR) & SUBSECONDS;
    raw.s = mt_stm32f7_read(ETH_PTPTSHR);
    if (raw.s != before_s) {
        raw.ns = mt_stm32f7_read(ETH_PTPTSLR) & SUBSECONDS;
    }
    return raw;
}

struct mt_instant mt_stm32f7_ptp_extend(const struct mt_stm32f7_ptp *self,
                                        struct mt_stm32f7_raw_time raw)
{
    const int32_t since_s = (int32_t)(raw.s - (uint32_t)self->s);
    return (struct mt_instant){.s = self->s + since_s, .ns = raw.ns & SUBSECONDS};
}

struct mt_instant mt_stm32f7_ptp_read(struct mt_stm32f7_ptp *self)
{
    const struct mt_instant now = mt_stm32f7_ptp_extend(self, read_raw());
    self->s = now.s;
    return now;
}

bool mt_stm32f7_ptp_is_time(struct mt_stm32f7_raw_time raw)
{
    return (raw.s != LOST || raw.ns != LOST) && (raw.ns & SUBSECONDS) < MT_NS_PER_S;
}

/* ---- stepping ------------------------------------------------------------------------------ */

bool mt_stm32f7_ptp_step(struct mt_stm32f7_ptp *self, struct mt_span step, struct mt_span *ret_step)
{
    struct mt_span whole = mt_span_plus(step, (struct mt_span){0, 0, 0x8000});
    whole.frac = 0;
    const bool is_back = whole.s < 0;
    const struct mt_span size = mt_span_abs(whole);
    mt_stm32f7_write(ETH_PTPTSHUR, (uint32_t)(uint64_t)size.s);
    mt_stm32f7_write(ETH_PTPTSLUR, size.ns | (is_back ? ETH_PTPTSLUR_TSUPNS : 0));
    if (!load(ETH_PTPTSCR_TSSTU)) {
        return false;
    }
    /* one second more or less makes no difference to the next reading */
    self->s += whole.s;
    *ret_step = whole;
    return true;
}

/* ---- running ------------------------------------------------------------------------------- */

static void count_debt(struct mt_stm32f7_ptp *self, uint64_t now_us)
{
    const uint64_t passed_us = now_us - self->owed_since_us;
    const int64_t counted_us = (int64_t)(passed_us < DEBT_US ? passed_us : DEBT_US);
    const int64_t missing_q32 = (int64_t)(self->wanted_q32 - ((uint64_t)self->addend << 32));
    self->debt_q32 += missing_q32 * counted_us;
    self->owed_since_us = now_us;
}

static bool choose_addend(struct mt_stm32f7_ptp *self)
{
    const uint32_t below = (uint32_t)(self->wanted_q32 >> 32);
    const uint32_t addend = self->debt_q32 > 0 ? below + 1 : below;
    return addend == self->addend || load_addend(self, addend);
}

bool mt_stm32f7_ptp_set_rate(struct mt_stm32f7_ptp *self, int64_t rate_q40, uint64_t now_us)
{
    const int64_t most = MT_STM32F7_RATE_MAX_Q40;
    const int64_t limited = rate_q40 > most ? most : rate_q40 < -most ? -most : rate_q40;
    count_debt(self, now_us);
    self->rate_q40 = limited;
    self->wanted_q32 = NOMINAL_Q32 + (uint64_t)(NOMINAL * limited / (1 << (40 - 32)));
    return choose_addend(self);
}

bool mt_stm32f7_ptp_tick(struct mt_stm32f7_ptp *self, uint64_t now_us)
{
    count_debt(self, now_us);
    return choose_addend(self);
}

void mt_stm32f7_ptp_start_pps(void)
{
    mt_stm32f7_write(ETH_PTPPPSCR, 0); /* 2^0 Hz: with digital rollover the only even one */
}
