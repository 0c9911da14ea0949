/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node: PTP instances, the clocks that they steer and the links that they use, wired together.
 * The daemon has one, the simulator has many; each is fed with inputs one at a time and talks to
 * the world through the hal tables only, so equal inputs and equal answers of the hal give equal
 * behaviour.  The way of a measurement:
 *
 *     frame -> instance -> sample -> discipline -> correction -> hal clock
 *                             '-> condition of the clock -> instance (state, what it announces)
 *                             '-> clock page
 *
 * Storage is the caller's (compose/ lays it out).  What is worth telling is kept as events until
 * drained.
 * Thread rule: one thread at a time for each node.
 */
#ifndef MEANTIME_RUNTIME_NODE_H
#define MEANTIME_RUNTIME_NODE_H

#include "hal/clock.h"
#include "hal/entropy.h"
#include "hal/link.h"
#include "hal/store.h"
#include "hal/wait.h"
#include "meantime/ptp.h"
#include "meantime/steer.h"
#include "runtime/arbiter_duty.h"
#include "runtime/export_duty.h"
#include "runtime/follow.h"
#include "runtime/foreign_time.h"
#include "runtime/gnss_duty.h"
#include "runtime/heard.h"
#include "runtime/holdover_duty.h"
#include "runtime/latencies.h"
#include "runtime/leap_duty.h"
#include "runtime/ntp_duty.h"
#include "runtime/ntp_serve.h"
#include "runtime/refclock_duty.h"
#include "runtime/rivals.h"
#include "runtime/stamps.h"
#include "runtime/standby.h"

#define MT_NODE_EVENTS        64                   /**< kept until drained; the oldest give way */
#define MT_NODE_PUBLISH_NS    INT64_C(500000000)   /**< pages are renewed at least this often */
#define MT_NODE_PAGE_VALID_NS INT64_C(10000000000) /**< a page not renewed for this long is stale */
#define MT_NODE_DRIFT_SAVE_NS INT64_C(600000000000)
#define MT_NODE_NO_LINK       UINT16_MAX
#define MT_NODE_INSTANCES_MAX 128 /**< the instance's number travels in a frame's token */

/** What a Sync may have taken longer than Pdelay says, where the kernel stamps: Pdelay is answered
 * by whoever has just been woken, a Sync comes out of the blue. */
struct mt_one_way {
    uint16_t source;
    struct mt_interval most; /**< 0: it cannot have */
};

struct mt_node_clock {
    struct mt_hal_clock *hal;
    struct mt_discipline discipline;
    bool keeps_drift;
    bool panics;          /**< once locked, no step larger than `panic` is made */
    bool is_in_panic;     /**< one was refused, and that is still so */
    struct mt_span panic; /**< > 0 */
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    int32_t leap_s;                /**< at the end of this UTC day, as far as this machine knows */
    struct mt_leap_duty leap;      /**< as its sources announce it */
    struct mt_clock_page page;     /**< as last published */
    struct mt_published published; /**< what that was made from ... */
    struct mt_stamp published_at;  /**< ... when the clock read so much */
    struct mt_mono publish_at;
    struct mt_mono save_at;
    struct mt_clock_quality_report report; /**< as of the last publication */
    struct mt_one_way one_way;
    enum mt_steer_phase told_phase;
    bool told_saturated;
    bool told_wrong_scale;
    uint32_t stepped_at;       /**< correction count at its last step */
    bool needs_report;         /**< something has changed since the last publication */
    struct mt_follow follow;   /**< of a clock that follows another one */
    struct mt_standby standby; /**< of a clock that two instances may steer */
    struct mt_arbiter arbiter; /**< of a clock with sources of several kinds */
    struct mt_rivals rivals;   /**< other programs that change the clock */
    struct mt_holdover holdover;
};

/** Where a port of an instance is plugged in. */
struct mt_node_port {
    uint16_t link;                 /**< index of the link */
    uint16_t source;               /**< index among the sources of the instance's clock */
    uint32_t speed_mbit;           /**< of the link, as it said last; 0: not known */
    bool is_stamped_by_card;       /**< likewise */
    struct mt_latencies latencies; /**< zeros: one for all speeds */
    struct mt_heard heard;         /**< zeros to begin with */
    bool has_log_sync;             /**< its transmitter names the interval of its Syncs: */
    int8_t log_sync;               /**< log2 s */
};

struct mt_node_instance {
    struct mt_instance ptp;
    struct mt_node_port *ports; /**< ptp.port_count of them */
    uint16_t clock;             /**< index of the clock */
    bool arb_is_utc;            /**< a transmitter without PTP timescale is taken to serve UTC */
    struct mt_foreign_time foreign_time; /**< zeros to begin with */
    struct mt_minor minor;               /**< zeros to begin with, but is_auto */
};

enum mt_node_event_kind {
    MT_NODE_PTP,         /**< `ptp`: an event of an instance; samples are not told */
    MT_NODE_PHASE,       /**< a clock's discipline changed its phase */
    MT_NODE_STEP,        /**< a clock was stepped */
    MT_NODE_DISTURBED,   /**< somebody else changed a clock */
    MT_NODE_SHARED,      /**< somebody else keeps changing a clock, or has ceased */
    MT_NODE_REFUSED,     /**< the platform refused a correction */
    MT_NODE_SATURATED,   /**< a clock's range does not suffice, or suffices again */
    MT_NODE_WRONG_SCALE, /**< a source's timescale is not the clock's */
    MT_NODE_LINK,        /**< a link went up or down */
    MT_NODE_STANDBY,     /**< another instance steers a clock */
    MT_NODE_NTP,         /**< an NTP server became reachable, unreachable, or refuses */
    MT_NODE_PANIC,       /**< a step is larger than the clock's panic threshold: it was not made */
    MT_NODE_STAMPS,      /**< a link loses many transmit timestamps, or not any more */
    MT_NODE_MINOR,       /**< an instance sends another minorVersionPTP */
    MT_NODE_UTC,         /**< TAI - UTC is another one, or somebody contradicts it */
    MT_NODE_SOURCE,      /**< a source steers a clock, is a falseticker, or none any more */
    MT_NODE_BEYOND,      /**< holdover of a clock is out of its specification */
    MT_NODE_QUALITY,     /**< an instance announces another clockClass */
    MT_NODE_GNSS,        /**< of a GNSS receiver: fix, jump, leap seconds ... */
    MT_NODE_HEARD,       /**< of a port: no answers, wrong keys, another domain, a denial */
    MT_NODE_RESUMED,     /**< the machine was suspended */
};

struct mt_node_event {
    enum mt_node_event_kind kind;
    struct mt_mono at;
    uint16_t index; /**< of the instance, clock, link, NTP server or receiver */
    union {
        struct mt_event ptp;
        struct {
            enum mt_steer_phase from;
            enum mt_steer_phase to;
        } phase;
        struct mt_span step;     /**< step, panic */
        enum mt_timescale scale; /**< wrong scale: the source's */
        bool is_on;              /**< saturated, shared, link up */
        int64_t slept_ns;        /**< resumed */
        struct {
            struct mt_span step;
            mt_real rate; /**< s/s, by which the frequency changed */
        } change;         /**< disturbed */
        enum mt_ntp_event_kind ntp;
        struct {
            bool is_losing;
            uint8_t lost; /**< of the last ... */
            uint8_t of;   /**< ... frames */
        } stamps;
        enum mt_minor_reason minor;
        struct {
            int64_t bound_ns;
            int64_t accuracy_ns; /**< largest bound within specification */
            int64_t age_ns;      /**< of the holdover */
            bool has_bound;      /**< else nothing is known of the error any more */
        } beyond;
        struct {
            uint8_t from; /**< clockClass */
            uint8_t to;
        } quality;
        struct {
            uint16_t from; /**< instances */
            uint16_t to;
            enum mt_standby_reason reason;
        } standby;
        struct {
            enum mt_leap_quarrel quarrel;
            struct mt_leap_claim with; /**< who contradicts, unless they agree (again) */
            int32_t tai_minus_utc_s;   /**< that is used */
            int32_t before_s;          /**< another one that was used until now, or the same */
            enum mt_leap_by by;
        } utc;
        struct {
            uint16_t member; /**< of the clock's arbiter, at that time */
            enum mt_arbiter_kind kind;
            uint16_t index; /**< of the instance, server, reference clock or clock */
            enum mt_arbiter_verdict verdict;
            mt_real miss; /**< s */
        } source;
        struct {
            enum mt_gnss_node_event event;
            struct mt_span jump; /**< clock - receiver */
            uint8_t rollovers;
            int32_t gps_utc_s; /**< that it counts */
        } gnss;
        struct mt_heard_told heard;
    } value;
};

struct mt_node {
    struct mt_node_clock *clocks;
    uint16_t clock_count;
    struct mt_node_instance *instances;
    uint16_t instance_count;
    struct mt_node_server *server; /**< of NTP; null: none */
    struct mt_node_ntp *ntp;       /**< servers to ask */
    uint16_t ntp_count;
    struct mt_hal_entropy *entropy; /**< null if there are none */
    struct mt_mono deadline;        /**< as all was left after the last input */
    struct mt_stamps *stamps; /**< of each link, zeros to begin with; null: they are not watched */
    struct mt_hal_link **links;
    uint16_t link_count;
    struct mt_node_refclock *refclocks;
    uint16_t refclock_count;
    struct mt_node_gnss *gnss; /**< receivers, each of which is a reference clock, too */
    uint16_t gnss_count;
    struct mt_node_export *exports;
    uint16_t export_count;
    uint16_t local_link;        /**< the one of programs on this machine; MT_NODE_NO_LINK: none */
    struct mt_hal_store *store; /**< may be null */
    uint64_t inputs;            /**< handled so far */
    uint32_t behind;            /**< those since which no time limit was looked at */
    struct mt_node_event events[MT_NODE_EVENTS];
    uint16_t event_first;
    uint16_t event_count;
    uint64_t events_lost;
};

/** Starts the clocks' pages.  Everything in `self` has been laid out and initialised before. */
void mt_node_start(struct mt_node *self, struct mt_mono now);

/** Feeds one input and does all that follows from it.  Long after the deadline more may lie in
 * wait, so then time limits are looked at when an input brings nothing. */
void mt_node_input(struct mt_node *self, const struct mt_input *input);

/** When mt_node_input() must be called at the latest, if only with MT_INPUT_NONE. */
struct mt_mono mt_node_deadline(const struct mt_node *self);

/** Hands a command to an instance and does all that follows.  False if it is not allowed. */
bool mt_node_command(struct mt_node *self, uint16_t instance, const struct mt_command *command,
                     struct mt_mono now);

/** The address of an NTP server has become known, or is another one: what was known of it is
 * forgotten, and it is asked at once.  Network NONE: it is not asked any more. */
void mt_node_set_ntp_address(struct mt_node *self, uint16_t ntp, const struct mt_address *address,
                             struct mt_mono now);

struct mt_log_keys;
/** Keys have been exchanged with an NTP server that speaks NTS and is at `server`. */
void mt_node_set_ntp_keys(struct mt_node *self, uint16_t ntp, const struct mt_log_keys *keys,
                          const struct mt_address *server, struct mt_mono now);

/** Takes the oldest event. */
bool mt_node_next_event(struct mt_node *self, struct mt_node_event *ret_event);

/** Saves what outlives the node and marks its pages as stale. */
void mt_node_stop(struct mt_node *self, struct mt_mono now);

/** The page of a clock as of now, and what it was made from. */
void mt_node_report(struct mt_node *self, uint16_t clock, struct mt_clock_page *ret_page,
                    struct mt_clock_quality_report *ret_report);

#endif
