/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A board of the model with the driver on it, started as the firmware starts it.
 */
#ifndef MEANTIME_TESTS_STM32F7_BENCH_H
#define MEANTIME_TESTS_STM32F7_BENCH_H

#include "model.h"
#include "platform/stm32f7/stm32f7_board.h"
#include "platform/stm32f7/stm32f7_clock.h"
#include "platform/stm32f7/stm32f7_phy.h"

struct bench {
    struct mt_stm32f7_counter counter;
    struct mt_stm32f7_mac mac;
    struct mt_stm32f7_ptp ptp;
    struct mt_stm32f7_clock clock;
};

extern struct bench bench;

/** Power, clocks, PHY, MAC, its clock, and frames at 100 Mbit/s; fails the test if one does not
 * start.  As cmocka wants its setup functions. */
int bench_start(void **state);
/** Nothing was lost, nothing was out of order. */
int bench_end(void **state);
/** Only as far as the board. */
int bench_board(void **state);
int bench_reset(void **state);
/** Sends `length` octets of the number's low octet. */
bool bench_send(unsigned number, size_t length, uint32_t token);

#endif
