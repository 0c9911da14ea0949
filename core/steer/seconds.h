/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the followers of small machines take a span for.
 */
#ifndef MEANTIME_STEER_SECONDS_H
#define MEANTIME_STEER_SECONDS_H

#include "meantime/real.h"
#include "meantime/time.h"

/** In fewer octets of code than mt_span_to_real(): beyond some hours it stays where it is. */
mt_real mt_steer_seconds(const struct mt_span *span);

#endif
