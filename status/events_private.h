/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences that have a file of their own.
 */
#ifndef MEANTIME_STATUS_EVENTS_PRIVATE_H
#define MEANTIME_STATUS_EVENTS_PRIVATE_H

#include "status/events.h"

/** Of kinds GNSS_...: as mt_status_sentence(). */
void mt_status_gnss_sentence(const struct mt_status_event *event, char *buffer, size_t size);
/** Of what a port hears, and does not. */
void mt_status_heard_sentence(const struct mt_status_event *event, char *buffer, size_t size);

#endif
