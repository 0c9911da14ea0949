/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events as sentences: what changed, for the log and for those who ask the control socket.
 * compose/ translates the node's events into struct mt_status_event; events.def lists the kinds.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_STATUS_EVENTS_H
#define MEANTIME_STATUS_EVENTS_H

#include "meantime/ntp_wire.h"
#include "meantime/ptp.h"
#include "meantime/steer.h"
#include "meantime/steer_leap.h"

#define MT_STATUS_SENTENCE_SIZE 320 /**< suffices for every event; longer texts are cut */

/** Most serious first, as log_level in the configuration. */
enum mt_status_level {
    MT_STATUS_ERROR,
    MT_STATUS_WARNING,
    MT_STATUS_INFO,
    MT_STATUS_DEBUG,
};

enum mt_status_event_kind {
#define MT_STATUS_EVENT(symbol, name, level, meaning) MT_STATUS_EVENT_##symbol,
#include "status/events.def"
#undef MT_STATUS_EVENT
    MT_STATUS_EVENT_COUNT
};

/** One event.  Names and pointers are read during the call only. */
struct mt_status_event {
    enum mt_status_event_kind kind;
    const char *instance;    /**< its name: port state, parent, time properties, standby, quality */
    const char *port;        /**< its name: port state, link; parent: the receiving port or null */
    const char *clock;       /**< its name: the clock events */
    int32_t tai_minus_utc_s; /**< steps, panic: that may explain them; 0: not known */
    const char *
        reason; /**< link down, no pulses, no thermometer, NTP server unreachable, refused, standby:
                     why; disturbed, shared: who, as far as that is known; minor version: why; null:
                     nobody knows; parent without a port: why nobody is followed, null: this clock
                     is better than others */
    union {
        struct {
            enum mt_port_state from;
            enum mt_port_state to;
        } state;
        const struct mt_ptp_dataset *parent; /**< read if `port` is not null */
        const struct mt_time_properties *time;
        struct {
            enum mt_steer_phase from;
            enum mt_steer_phase to;
        } phase;
        struct mt_span step; /**< step, panic: by how much the reading jumped */
        struct {
            struct mt_span step;
            mt_real rate; /**< s/s; not 0: it is a change of the frequency */
        } change;         /**< disturbed */
        struct {
            unsigned lost;
            unsigned of;
        } stamps;               /**< stamps lost, stamps come */
        unsigned minor_version; /**< sent from now on */
        const char *policy;     /**< shared, alone: "warn", "yield" or "insist" */
        struct {
            enum mt_timescale source;
            enum mt_timescale clock;
        } scale;
        struct {
            const char *from; /**< the instance before */
        } standby;
        struct {
            int64_t bound_ns; /**< < 0: nothing is known of the error */
            int64_t accuracy_ns;
            int64_t age_ns;
        } beyond;
        struct {
            uint8_t from; /**< clockClass */
            uint8_t to;
        } quality;
        struct {
            const char *server; /**< its name */
            const struct mt_address *address;
            const struct mt_ntp_header *answer; /**< reachable: the first one */
        } ntp;
        struct {
            const char *name;
            const struct mt_address *address; /**< which one of that name; null: the only one */
            mt_real miss; /**< false: s by which it misses the interval of the others, > 0: the
                               clock is further ahead of it than of them */
        } member;
        struct {
            const char *who; /**< contradicts: "instance main", "NTP server a.example" */
            const struct mt_leap_claim *claim; /**< what it says */
            enum mt_leap_quarrel quarrel;
            int32_t tai_minus_utc_s; /**< that is used ... */
            int32_t before_s;        /**< ... instead of this one */
            enum mt_leap_by by;
        } utc;
        struct {
            const char *name;    /**< of the receiver */
            struct mt_span jump; /**< clock - receiver */
            unsigned rollovers;
            int32_t tai_utc_s;       /**< that it counts ... */
            int32_t known_tai_utc_s; /**< ... and this machine */
        } gnss;
        int64_t slept_ns; /**< resumed */
        struct {
            uint64_t count;                 /**< of requests or messages */
            struct mt_port_identity sender; /**< of the last one; zero: not known */
            uint8_t domain;
            uint16_t sdo_id;
            uint8_t own_domain;
            uint16_t own_sdo_id;
            const struct mt_address *address; /**< denied: by whom */
        } heard;               /**< delay unanswered, forged, unsigned, other domain, denied */
        const char *interface; /**< link up: its name, if it is another one; null: it is not */
        struct {
            const char *section; /**< "gnss", "refclock" */
            const char *name;
        } pulses;
        const char *text; /**< notice: the sentence itself */
    } value;
};

const char *mt_status_event_name(enum mt_status_event_kind kind);
enum mt_status_level mt_status_event_level(enum mt_status_event_kind kind);
const char *mt_status_event_meaning(enum mt_status_event_kind kind);
const char *mt_status_level_name(enum mt_status_level level); /**< "warning" */

/** Writes the event as one sentence without full stop or newline; cut if `size` is too small. */
void mt_status_sentence(const struct mt_status_event *event, char *buffer, size_t size);

/** An event of an instance as a sentence: for those who have no composition.  `port`: the name
 * of the event's port; for a new parent only that there is one is told.  Samples give "". */
void mt_event_sentence(const struct mt_event *event, const char *instance, const char *port,
                       char *buffer, size_t size);

#endif
