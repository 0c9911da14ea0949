/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clock of the Ethernet MAC's IEEE 1588 block, which stamps frames and drives the PPS pin: it
 * is read, stepped, and runs at any rate within a thousandth of its own, to a resolution of 1e-12
 * that the hardware does not have.
 * Thread rule: one thread at a time; never an interrupt.
 */
#ifndef MEANTIME_STM32F7_PTP_H
#define MEANTIME_STM32F7_PTP_H

#include "meantime/time.h"

#define MT_STM32F7_HCLK_KHZ     216000
#define MT_STM32F7_GRANULE_NS   10 /**< the clock counts in steps of this, and so do stamps */
#define MT_STM32F7_RATE_BITS    40 /**< rates are multiples of 2^-40 */
#define MT_STM32F7_RATE_MAX_Q40 (INT64_C(1099511628)) /**< 1e-3 */

/** What the hardware writes into a descriptor, or shows in its registers. */
struct mt_stm32f7_raw_time {
    uint32_t s;
    uint32_t ns;
};

struct mt_stm32f7_ptp {
    /* private */
    int64_t s;           /**< what the hardware's 32 bits of seconds stand for, when last read */
    int64_t rate_q40;    /**< as wanted */
    uint64_t wanted_q32; /**< addend with the fraction that the register does not have */
    uint32_t addend;     /**< in the register */
    int64_t debt_q32;    /**< by which the clock is behind the wanted one, in addends x us */
    uint64_t owed_since_us;
};

/** Starts the clock at 0, at its own rate.  mt_stm32f7_mac_init() has been called (it also masks
 * the clock's interrupt), mt_stm32f7_mac_start() has not.
 * False if the hardware does not answer.  now_us: any clock that only counts on. */
bool mt_stm32f7_ptp_init(struct mt_stm32f7_ptp *self, uint64_t now_us);

/** The clock now, in whole seconds since its epoch and nanoseconds; never torn.  To be called at
 * least every 68 years. */
struct mt_instant mt_stm32f7_ptp_read(struct mt_stm32f7_ptp *self);
/** Of a stamp made within 68 years of the last reading, between the last step and the next. */
struct mt_instant mt_stm32f7_ptp_extend(const struct mt_stm32f7_ptp *self,
                                        struct mt_stm32f7_raw_time raw);
/** False for what the hardware writes when it lost a stamp, and what is no time. */
bool mt_stm32f7_ptp_is_time(struct mt_stm32f7_raw_time raw);

/** Adds the step, rounded to ns, to the running clock: no time is lost meanwhile.  False if the
 * hardware does not answer.  ret_step: what was added. */
bool mt_stm32f7_ptp_step(struct mt_stm32f7_ptp *self, struct mt_span step,
                         struct mt_span *ret_step);

/** Runs at (1 + rate) times the nominal rate from now on, in the mean exactly.  Rates beyond the
 * limit are cut; self->rate_q40 is what became of it. */
bool mt_stm32f7_ptp_set_rate(struct mt_stm32f7_ptp *self, int64_t rate_q40, uint64_t now_us);
/** Alternates between the two addends beside the wanted one: to be called ten times a second.  The
 * clock is never farther from the wanted one than half a thousandth of a millionth of the time
 * between two calls. */
bool mt_stm32f7_ptp_tick(struct mt_stm32f7_ptp *self, uint64_t now_us);

/** One pulse per second, 100 ms long, on PB5; it rises with each second of the clock. */
void mt_stm32f7_ptp_start_pps(void);

#endif
