/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The names of the core's enumerations, as they stand in status, metrics, logs and documents.
 * Used by everything that talks to people or programs.  A value outside the enumeration is "?".
 * Thread rule: pure functions returning constant text; any thread.
 */
#ifndef MEANTIME_STATUS_NAMES_H
#define MEANTIME_STATUS_NAMES_H

#include "meantime/clock_page.h"
#include "meantime/ntp_server.h"
#include "meantime/ntp_wire.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_stateless.h"
#include "meantime/ptp_transparent.h"
#include "meantime/steer.h"
#include "meantime/steer_arbiter.h"
#include "meantime/steer_oscillator.h"

/** What an instance is for its neighbours. */
enum mt_role {
    MT_ROLE_LISTENING,   /**< none of the below: no port has decided */
    MT_ROLE_GRANDMASTER, /**< serves its own time */
    MT_ROLE_RECEIVER,    /**< follows; its only port receives */
    MT_ROLE_BOUNDARY,    /**< follows on one port; others may serve */
    MT_ROLE_PASSIVE,     /**< a better clock is there, but no port follows it */
    MT_ROLE_TRANSPARENT, /**< forwards what others send */
};
#define MT_ROLE_COUNT 6

enum mt_role mt_role_of(const struct mt_instance *instance);

const char *mt_role_name(enum mt_role role);                       /**< "boundary" */
const char *mt_port_state_name(enum mt_port_state state);          /**< "PRE_TRANSMITTER" */
const char *mt_verdict_name(enum mt_verdict verdict);              /**< "not_parent" */
const char *mt_verdict_meaning(enum mt_verdict verdict);           /**< a sentence */
const char *mt_verdict_words(const char *name);                    /**< "from another domain";
                                                                           a new one: its name */
const char *mt_port_counter_name(enum mt_port_counter counter);    /**< "sent_sync" */
const char *mt_port_counter_meaning(enum mt_port_counter counter); /**< a sentence */
const char *mt_transparent_counter_name(enum mt_transparent_counter counter); /**< "held" */
const char *mt_stateless_counter_name(enum mt_stateless_counter counter);     /**< "answered" */
const char *mt_stateless_counter_words(
    const char *name); /**< "requests of another domain"; a new one: its name */
const char *mt_clock_state_name(enum mt_clock_state state);         /**< "locked" */
const char *mt_steer_memory_name(enum mt_steer_memory_state state); /**< "believed" */
const char *mt_holdover_state_name(enum mt_holdover_state state);   /**< "in_specification" */
const char *mt_arbiter_verdict_name(enum mt_arbiter_verdict verdict);
/** Why, as the end of a sentence. */
const char *mt_arbiter_verdict_reason(enum mt_arbiter_verdict verdict);
const char *mt_steer_phase_name(enum mt_steer_phase phase);           /**< "acquiring" */
const char *mt_scale_name(enum mt_timescale scale);                   /**< "TAI" */
const char *mt_bound_reference_name(enum mt_bound_reference against); /**< "source" */
const char *mt_sample_verdict_name(enum mt_sample_verdict verdict);   /**< "outlier" */
const char *mt_time_source_name(uint8_t time_source);                 /**< "gnss" [7.6.2.8] */
const char *mt_clock_accuracy_name(uint8_t accuracy);                 /**< "100 ns" [7.6.2.6] */
const char *mt_peer_counter_name(enum mt_peer_counter counter);       /**< "unanswered" */
const char *mt_peer_counter_meaning(enum mt_peer_counter counter);    /**< a sentence */
const char *mt_delay_mechanism_name(enum mt_delay_mechanism used);    /**< "p2p" */

#define MT_IDENTITY_TEXT_SIZE 26 /**< "aabbcc.fffe.ddeeff-65535" and the end */
/** "aabbcc.fffe.ddeeff" */
void mt_clock_identity_text(struct mt_clock_identity identity,
                            char ret_text[MT_IDENTITY_TEXT_SIZE]);
/** "aabbcc.fffe.ddeeff-1" */
void mt_port_identity_text(struct mt_port_identity identity, char ret_text[MT_IDENTITY_TEXT_SIZE]);

#define MT_ADDRESS_TEXT_SIZE 46 /**< of IPv6 and the end */
/** "192.0.2.1"; "" for none. */
void mt_address_text(const struct mt_address *address, char ret_text[MT_ADDRESS_TEXT_SIZE]);

#define MT_NTP_REFERENCE_TEXT_SIZE 16
/** What became of a request to the NTP server: its name, and by that what it means. */
const char *mt_ntp_outcome_name(enum mt_ntp_outcome outcome);
const char *mt_ntp_outcome_words(const char *name);

/** What an NTP server says of its source: "GPS", or an address, "192.0.2.1" (of an IPv6 address it
 * is a hash). */
void mt_ntp_reference_text(const struct mt_ntp_header *answer,
                           char ret_text[MT_NTP_REFERENCE_TEXT_SIZE]);

#endif
