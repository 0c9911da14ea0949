/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Ways to a GNSS receiver: each opens a descriptor that octets come from.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_GNSS_H
#define MEANTIME_LINUX_GNSS_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "hal/provider.h"

/** A serial line as it was, to be left like that. */
struct mt_linux_line {
    bool is_changed;
    struct termios before;
};

/** Opens a line for octets as they come, at this speed; a device that is no line is taken as it
 * is.  -1 with a reason. */
int mt_linux_line_open(const char *path, uint32_t baud, struct mt_linux_line *ret_line,
                       char reason[MT_HAL_REASON_SIZE]);
void mt_linux_line_close(int fd, const struct mt_linux_line *line);

/** Begins to connect, which is done when the descriptor can be written to.  `where`: HOST:PORT.
 * -1 with a reason; also while the name is being looked up. */
int mt_linux_stream_connect(const char *where, struct mt_mono now, char reason[MT_HAL_REASON_SIZE]);

#endif
