/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The board as an application sees it.
 */
#include "embed/counter_clock.h"
#include "platform/mps2/mps2.h"

#define TAI_MINUS_UTC_S 37

void mt_board_open(struct mt_board *ret_board, enum mt_timescale scale, int64_t error_ppb)
{
    static struct mt_counter_clock clock;
    const int64_t utc_s = mps2_utc_s();
    struct mt_instant local = {.scale = scale};
    if (scale == MT_SCALE_TAI) {
        local.s = utc_s + TAI_MINUS_UTC_S;
    }
    mps2_set_error(error_ppb);
    mt_counter_clock_init(&clock, mps2_oscillator_ns, MPS2_TICK_NS, local);
    ret_board->mac = mps2_mac();
    ret_board->clock = &clock.hal;
    ret_board->utc_s = utc_s;
    ret_board->seed = 0;
    for (unsigned i = 0; i < MT_MAC_OCTETS; i++) {
        ret_board->seed = ret_board->seed << 8 | ret_board->mac->address[i];
    }
}
