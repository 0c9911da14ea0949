/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Profiles in the status report: what the extensions roles, gptp and power know.
 * Called by report.c for the fields of report.def.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_STATUS_REPORT_PROFILE_H
#define MEANTIME_STATUS_REPORT_PROFILE_H

#include <stdint.h>

#include "meantime/ptp.h"
#include "meantime/real.h"

/** auto, transmitter, receiver or passive. */
const char *mt_report_port_role(const struct mt_port *port);
uint32_t mt_report_sync_timeouts(const struct mt_port *port);

/** SMPTE ST 2059-2: what is sent, or heard of the grandmaster; NaN, null: nothing. */
enum mt_report_smpte {
    MT_REPORT_SMPTE_RATE,
    MT_REPORT_SMPTE_DROP_FRAME,
    MT_REPORT_SMPTE_OFFSET,
    MT_REPORT_SMPTE_JUMP,
    MT_REPORT_SMPTE_NEXT_JUMP,
    MT_REPORT_SMPTE_NEXT_JAM,
    MT_REPORT_SMPTE_PREVIOUS_JAM,
    MT_REPORT_SMPTE_PREVIOUS_OFFSET,
    MT_REPORT_SMPTE_DAYLIGHT_SAVING,
};
mt_real mt_report_smpte(const struct mt_instance *instance, enum mt_report_smpte figure);
const char *mt_report_smpte_locking(const struct mt_instance *instance);
uint64_t mt_report_smpte_sent(const struct mt_instance *instance);
uint64_t mt_report_smpte_received(const struct mt_instance *instance);

/** What the parent's Announce says in the TLV of C37.238; NaN: nothing. */
mt_real mt_report_power_grandmaster(const struct mt_instance *instance);
mt_real mt_report_power_inaccuracy_ns(const struct mt_instance *instance);

#endif
