/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The application of all images: an ordinary clock with the role and the rates of the command line,
 * which says what it becomes on the serial line and ends with an exit status, where there is
 * somebody to take it.
 *
 *     role=receiver|transmitter|ordinary   what it may be; ordinary: what the best algorithm says
 *     priority1=N domain=N announce=N sync=N delay=N      logarithms of intervals in s
 *     seconds=N    ends with status 1 if it has not done what it is to do by then; 0: runs on
 *     ppb=N        error of an emulated oscillator; a receiver is done when it has learned it
 *     answers=N    a transmitter is done when it has answered so many Delay_Reqs
 *     address=A.B.C.D netmask=A.B.C.D      of images with an IP stack
 * Thread rule: one thread.
 */
#ifndef MEANTIME_FIRMWARE_APPLICATION_H
#define MEANTIME_FIRMWARE_APPLICATION_H

#include "embed/board.h"
#include "embed/ordinary.h"

/** Opens the board as the command line says. */
void firmware_open(struct mt_board *ret_board);
/** Runs over these tables; the exit status. */
int firmware_run(const struct mt_board *board, const struct mt_ordinary_tables *tables);

#endif
