/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The status report: what a running daemon tells about itself.  compose/ fills a snapshot with
 * pointers into the running node; this turns it into JSON for programs, and that JSON into
 * OpenMetrics for monitoring.  report.def lists every field; names carry their units.
 * Thread rule: the thread that owns what the snapshot points to; the OpenMetrics part any thread.
 */
#ifndef MEANTIME_STATUS_REPORT_H
#define MEANTIME_STATUS_REPORT_H

#include "meantime/gnss_timing.h"
#include "meantime/ntp_client.h"
#include "meantime/ntp_server.h"
#include "meantime/ptp.h"
#include "meantime/steer.h"
#include "meantime/steer_arbiter.h"
#include "meantime/steer_leap.h"
#include "meantime/steer_oscillator.h"

struct mt_report_daemon {
    const char *version;
    const char *config_path; /**< null: started without a file */
    int64_t pid;
    mt_real uptime_s;
    uint64_t inputs;
    uint64_t events_lost;
    const char *leap_list;    /**< "absent", "good", "ends_soon", "expired"; null: not known */
    int64_t leap_list_ends_s; /**< UTC; 0: there is none, or it does not say */
    const char *recording;    /**< "off", "on", "failed": the input log; null: not known */
};

/** Of a clock with two instances in hot standby; all null and zero: it is not one. */
struct mt_report_standby {
    const char *active; /**< the instance that steers; null: none */
    const char *reason; /**< why, a sentence */
    bool is_redundant;
    uint32_t switches;
    mt_real difference; /**< s; NaN: not known */
};

/** Other programs that change a clock. */
struct mt_report_rivals {
    const char *policy; /**< "warn", "yield", "insist" */
    const char *names;  /**< of those that run now and may steer it; null: none is known */
    bool is_shared;     /**< one keeps changing it */
    uint32_t changes;
};

/** What it is worth without its source; the state is on the page. */
struct mt_report_holdover {
    const char *source;      /**< kind of what is followed, or was: "nobody", "ptp" ... */
    bool is_primary;         /**< that has a primary reference */
    mt_real state_age_s;     /**< since the clock is in its state */
    mt_real age_s;           /**< since it was locked last; NaN: it is, or never was */
    mt_real limit_s;         /**< NaN: there is none */
    int64_t accuracy_ns;     /**< largest bound within specification */
    const uint32_t *entered; /**< how often: free run, acquiring, locked, holdover in and out */
};

/** That a clock's holdover goes by. */
struct mt_report_thermometer {
    const char *file;         /**< null: there is none */
    const char *fault_reason; /**< why it says nothing; null: it does, or there is none */
    mt_real celsius;          /**< NaN: not known */
};

struct mt_report_clock {
    const char *name;
    const char *kind;            /**< "system", "overlay", "lab", "phc" */
    const char *fallback_reason; /**< why it is an overlay after all; null: it is not */
    const char *page;            /**< path of the published page; null: none */
    const char *follow;          /**< the clock that it is kept at; null: none */
    bool is_adjustable;
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    const struct mt_leap_choice *utc;              /**< whence that is known, and who contradicts */
    int32_t leap_s;                                /**< at the end of this UTC day */
    const struct mt_clock_quality_report *quality; /**< of the steered clock */
    const struct mt_clock_page *published;
    const struct mt_discipline *discipline;
    struct mt_report_standby standby;
    struct mt_report_holdover holdover;
    const struct mt_steer_oscillator *oscillator; /**< null: it is not learned */
    struct mt_report_thermometer thermometer;
    const struct mt_arbiter_result *arbiter; /**< null: it has none */
    struct mt_span arbiter_base;             /**< what offsets in there are less */
    uint32_t arbiter_changes;
    bool is_in_panic;
    const char *device; /**< of a hardware clock; null: none, or not known */
    struct mt_report_rivals rivals;
};

struct mt_report_link {
    uint64_t received;
    uint64_t kernel_dropped;
    uint64_t sent;
    uint64_t send_failed;
    uint64_t stamps_missing;
    uint64_t stamps_ambiguous;
    uint64_t stamps_taken;
    const uint64_t *stamp_delays; /**< `delay_count` of them, in steps of two from 1 us on */
    unsigned delay_count;
    unsigned recently_lost; /**< of the last ... */
    unsigned recently_sent; /**< ... event frames */
    uint32_t speed_mbit;    /**< 0: not known */
};

/** What a port hears, and does not. */
struct mt_report_heard {
    bool is_unanswered;   /**< so many Delay_Req in a row that it was told */
    uint64_t unanswered;  /**< Delay_Req in a row, without those that may still be answered */
    uint64_t of_siblings; /**< frames for other instances of this daemon on the same interface */
    bool has_other_domain;
    uint8_t other_domain; /**< of the last frame of another domain */
    uint16_t other_sdo_id;
};

/** What the configuration calls the stations of a list. */
struct mt_report_names {
    const void *context;
    const char *(*at)(const void *context, unsigned index); /**< null: they have no names */
};

struct mt_report_port {
    const char *name;
    const char *interface;
    const char *transport;
    const char *stamping; /**< who stamps its event messages, in words; null: not told */
    bool is_tagged;
    uint16_t vlan; /**< if is_tagged */
    const struct mt_port *ptp;
    const struct mt_instance *instance; /**< that it belongs to */
    struct mt_report_link link;
    struct mt_report_heard heard;
    struct mt_report_names transmitters; /**< of the unicast table */
    struct mt_report_names servers;      /**< stateless ones */
    const char *fault_reason;            /**< why it cannot be used, a sentence; null: it can */
};

struct mt_report_instance {
    const char *name;
    const char *clock;
    const struct mt_instance *ptp;
    const struct mt_report_port *ports; /**< ptp->port_count of them */
    const char *profile;                /**< name in the configuration; null: none */
};

/** An NTP server. */
struct mt_report_ntp {
    const char *name;
    const char *clock;
    const struct mt_address *address;
    const struct mt_ntp_client *client;
    enum mt_arbiter_verdict opinion; /**< what the arbiter makes of it */
    bool has_estimate;
    struct mt_span offset;    /**< likewise, of now */
    mt_real sigma;            /**< s */
    mt_real bound;            /**< s; it has grown with age */
    struct mt_interval delay; /**< round trip; too large: not known */
    const char *verdict;      /**< of its last sample; null: there is none */
    const char *fault_reason; /**< why it is not asked or does not answer; null: nothing is wrong */
    const char *stamping;     /**< who stamps, in words; null: not told */
    const char *transport;    /**< as in its configuration */
    uint64_t stamps_missing;
};

/** A source as the arbiter of its clock sees it. */
struct mt_report_source {
    const char *name;
    const char *kind; /**< "ptp", "ntp", "refclock", "clock" */
    const char *clock;
    const struct mt_address *address; /**< NTP; null */
    const char *fault_reason;         /**< why it is unreachable, or will soon be; null */
    const struct mt_arbiter_source *facts;
    const struct mt_arbiter_opinion *opinion;
    struct mt_span offset;             /**< what the clock reads more, if it is measured */
    struct mt_interval delay;          /**< round trip, likewise; too large: not known */
    enum mt_bound_reference reference; /**< likewise, of its bound */
    mt_real interval_s;                /**< NAN: not known */
    int reach;                         /**< -1: it has no such thing */
    const char *stamping;              /**< NTP: who stamps, in words; null */
    const char *transport;             /**< NTP: as in its configuration; null */
};

/** A GNSS receiver. */
struct mt_report_gnss {
    const char *name;
    const char *clock;
    const struct mt_gnss_receiver *receiver;
    const struct mt_gnss_label *label;
    const struct mt_gnss_guard *guard;
    bool has_fix;
    bool has_verdict;
    enum mt_gnss_pulse_verdict verdict; /**< of the last pulse or second */
    const uint64_t *counts;             /**< MT_GNSS_PULSE_VERDICT_COUNT of them */
    uint64_t pulse_count;
    const char *fault_reason; /**< why it cannot be heard; null: it can */
};

/** The NTP server. */
struct mt_report_server {
    const char *clock;
    const struct mt_ntp_served *served;
    bool is_smeared;
    const uint64_t *outcomes;                  /**< MT_NTP_OUTCOME_COUNT of them */
    const struct mt_nts_counts *key_exchanges; /**< null: NTS is not served */
    const char *key_fault;                     /**< null or "": its files are good */
};

struct mt_report {
    struct mt_report_daemon daemon;
    const struct mt_report_clock *clocks;
    size_t clock_count;
    const struct mt_report_instance *instances;
    size_t instance_count;
    const struct mt_report_ntp *ntp;
    size_t ntp_count;
    const struct mt_report_source *sources;
    size_t source_count;
    const struct mt_report_gnss *gnss;
    size_t gnss_count;
    const struct mt_report_server *server; /**< null: there is none */
};

/** {"daemon":{...},"clocks":[...],"instances":[{...,"ports":[...]}],"ntp":[...],"sources":[...],
 * "server":{...}} in one line without newline; the caller frees it.  Null when there is no memory
 * left. */
char *mt_report_json(const struct mt_report *self);

/** The same as OpenMetrics text, from the JSON; the caller frees it.  Null if the JSON is no
 * report or there is no memory left. */
char *mt_report_open_metrics(const char *json);

/* ---- the schema ----------------------------------------------------------------------------- */

enum mt_report_scope {
    MT_REPORT_DAEMON,
    MT_REPORT_CLOCK,
    MT_REPORT_INSTANCE,
    MT_REPORT_PORT,
    MT_REPORT_NTP,
    MT_REPORT_SOURCE,
    MT_REPORT_GNSS,
    MT_REPORT_SERVER,
};

enum mt_report_type {
    MT_REPORT_STRING,
    MT_REPORT_INTEGER,
    MT_REPORT_BOOLEAN,
    MT_REPORT_NUMBER,
    MT_REPORT_COUNTS,
};

enum mt_report_metric {
    MT_REPORT_NONE,
    MT_REPORT_GAUGE,
    MT_REPORT_COUNTER,
    MT_REPORT_INFO,
    MT_REPORT_STATES_CLOCK,
    MT_REPORT_STATES_HOLDOVER,
    MT_REPORT_STATES_ROLE,
    MT_REPORT_STATES_PORT,
    MT_REPORT_STATES_SECURITY,
    MT_REPORT_STATES_TRANSMITTER, /**< of each thing in an object */
    MT_REPORT_STATES_REASON,      /**< the same */
};

struct mt_report_field {
    enum mt_report_scope scope;
    enum mt_report_type type;
    enum mt_report_metric metric;
    const char *path;
    const char *help;
};

/** All fields in the order of report.def. */
const struct mt_report_field *mt_report_fields(size_t *ret_count);

#endif
