/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The control socket: a UNIX stream socket on which each line is a request and is answered with
 * one line.  apps/meantimed opens it with a function that answers; the socket is served from the
 * platform's poll loop, one request for each wake-up, and never blocks it.  A client that sends
 * lines without end, or does not take its replies, is dropped; what it asked before is lost.
 * Everybody who can reach the path may connect: the handler decides by the user's id.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_CONTROL_H
#define MEANTIME_LINUX_CONTROL_H

#include <sys/types.h>

#include "platform/linux/linux_platform.h"

#define MT_CONTROL_CLIENTS     16
#define MT_CONTROL_LINE_SIZE   65536 /**< longest request, its newline included */
#define MT_CONTROL_PATIENCE_NS 5000000000

/** Answers one request: `line` without its newline, closed by a 0.  The reply is malloc'd and
 * without newline; null closes the connection. */
typedef char *mt_control_handler(void *context, const char *line, uid_t uid);

struct mt_control;

/** Null with a reason.  A socket file that nobody listens on is replaced. */
struct mt_control *mt_control_open(struct mt_linux *platform, const char *path,
                                   mt_control_handler *handler, void *context,
                                   char reason[MT_HAL_REASON_SIZE]);
/** Removes the socket file; call it before mt_linux_close(). */
void mt_control_close(struct mt_control *self);

#endif
