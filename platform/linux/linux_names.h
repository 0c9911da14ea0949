/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Names looked up by the system's resolver, in a thread of its own that begins with the first
 * question: it is asked first before the sandbox, which the thread then is outside of, since nobody
 * knows which files and sockets a resolver wants.
 */
#ifndef MEANTIME_LINUX_NAMES_H
#define MEANTIME_LINUX_NAMES_H

#include "hal/names.h"

#define MT_LINUX_NAMES_MAX       64 /**< more are never found */
#define MT_LINUX_NAMES_RENEW_NS  INT64_C(60000000000)
#define MT_LINUX_NAMES_REPEAT_NS INT64_C(5000000000) /**< those that were not found */

/** One for the process, never freed: the thread may be waiting for an answer when it ends. */
struct mt_hal_names *mt_linux_names(void);

#endif
