/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Between an instance of one port and the platform's tables: what every loop of a small machine
 * does with inputs and with frames that leave.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_EMBED_INSTANCE_IO_H
#define MEANTIME_EMBED_INSTANCE_IO_H

#include "hal/clock.h"
#include "hal/link.h"
#include "hal/wait.h"

/** Hands one input to the instance; its stamp is made one of `clock`. */
void mt_embed_input(struct mt_instance *ptp, struct mt_hal_clock *clock,
                    const struct mt_input *input);

/** Sends all frames that wait, each by way of `frame`; false: there was none. */
bool mt_embed_send(struct mt_instance *ptp, struct mt_hal_link *link, uint8_t *frame, size_t size,
                   struct mt_mono now);

#endif
