/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an image's application (firmware/) asks of the board that it runs on.  Each platform of a
 * microcontroller implements it once; the application is the same on all of them.
 * Thread rule: one thread, never an interrupt.
 */
#ifndef MEANTIME_EMBED_BOARD_H
#define MEANTIME_EMBED_BOARD_H

#include "embed/mac.h"

struct mt_board {
    struct mt_mac *mac;
    struct mt_hal_clock *clock;
    uint64_t seed; /**< differs from board to board */
    int64_t utc_s; /**< seconds since 1970, if the board knows the time; else 0 */
};

/** The program; the board's start-up code calls it.  What it returns ends the program, where a
 * program can end. */
int mt_board_main(void);

/** Words of the command line, "key=value" separated by spaces; "" where there is none. */
const char *mt_board_arguments(void);

/** Starts clock and controller.  `scale`: ARB, or TAI to show `utc_s` plus 37 s from the start.
 * error_ppb: by which the oscillator is made worse, where it is an emulated one. */
void mt_board_open(struct mt_board *ret_board, enum mt_timescale scale, int64_t error_ppb);

void mt_board_print(const char *text);

#endif
