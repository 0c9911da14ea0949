/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The input log: everything that the platform told a node, in the order of the calls, and what
 * the node did.  Written by runtime/record.h, read by runtime/replay.h; docs/design/recording.md
 * explains it.
 *
 *     log    = 8 octets "MTINPUT" 0x1A, u16 version, then records to the end
 *     record = u8 kind, u32 length of the value, value
 *
 * All numbers are little-endian; mt_real is an IEEE 754 double; text and octets have a length in
 * front and no terminator.  The first record is a START, the last an END unless the program was
 * killed.  A new kind or member means a new version; a reader knows the older ones, in which the
 * new members are absent, and refuses newer ones.
 * The reader trusts nothing: lengths, ranges and enumerations are checked, views point into the
 * caller's octets.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_RUNTIME_LOG_H
#define MEANTIME_RUNTIME_LOG_H

#include "hal/provider.h"
#include "meantime/ptp.h"

/** 4: without oscillators; 3: and whence TAI - UTC is known; 2: and NTP; 1: and addresses,
 * transports, one-step */
#define MT_LOG_VERSION     5
#define MT_LOG_OSCILLATORS 5 /**< the version that they came with */
#define MT_LOG_HEADER_SIZE 10
#define MT_LOG_RECORD_SIZE 5    /**< kind and length */
#define MT_LOG_VALUE_MAX   4096 /**< octets of any value but START and RELOAD */
#define MT_LOG_TEXT_MAX    512  /**< longer texts are cut: names and sentences */
#define MT_LOG_FRAME_MAX   2048 /**< longer frames are cut: no PTP message is that long */

enum mt_log_kind {
    MT_LOG_START = 1, /**< configuration and facts */
    MT_LOG_CLOCK,     /**< a clock was opened */
    MT_LOG_LINK,      /**< a link was opened */
    MT_LOG_IDENTITY,  /**< a clock identity was asked for */
    MT_LOG_SEED,
    MT_LOG_DRIFT, /**< the stored rate was asked for */
    MT_LOG_NOW,   /**< what the time was before the first wait */
    MT_LOG_INPUT,
    MT_LOG_READ,
    MT_LOG_STAMP,
    MT_LOG_APPLY,
    MT_LOG_DISTURBED, /**< somebody changed a clock; not written if nobody did */
    MT_LOG_SEND,
    MT_LOG_PAGE,  /**< a page was published: a digest of it */
    MT_LOG_SAVE,  /**< the rate was stored */
    MT_LOG_ORDER, /**< a command, the stop, a new configuration, new facts */
    MT_LOG_END,
    MT_LOG_OSCILLATOR, /**< what was learned of an oscillator was asked for */
    MT_LOG_LEARNED,    /**< and stored */
};
#define MT_LOG_LAST MT_LOG_LEARNED

struct mt_log_text {
    const char *text; /**< not terminated */
    size_t length;
};

/** What is known of the world: struct mt_compose_facts on the floor above. */
struct mt_log_facts {
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    int32_t leap_s; /**< -1, 0 or 1 */
    uint8_t by;     /**< enum mt_leap_by */
    int32_t slack_s;
    int32_t kernel_s;
};

struct mt_log_start {
    struct mt_log_text about;  /**< the program that records and its version: for people */
    struct mt_log_text config; /**< complete, as mt_config_write() gives it */
    struct mt_log_facts facts;
};

/** What comes from outside while the node runs, besides inputs. */
enum mt_order_kind {
    MT_ORDER_COMMAND, /**< mt_node_command() */
    MT_ORDER_STOP,    /**< mt_node_stop() */
    MT_ORDER_RELOAD,  /**< a new configuration */
    MT_ORDER_FACTS,   /**< more, or something else, is known of the world */
    MT_ORDER_ADDRESS, /**< mt_node_set_ntp_address() */
    MT_ORDER_KEYS,    /**< mt_node_set_ntp_keys() */
    MT_ORDER_OWN,     /**< mt_ntp_serve_add_own() */
    MT_ORDER_AUTO,    /**< mt_foreign_time_make_auto(), or the program's own for the UTC offset */
};

struct mt_order {
    enum mt_order_kind kind;
    struct mt_mono now;
    bool came_while_waiting;   /**< set by the recorder: the deadline was worked out before it */
    uint16_t instance;         /**< of a command, of AUTO; or the NTP server */
    struct mt_address address; /**< of it */
    struct mt_command command; /**< any but MT_COMMAND_CLOCK, which is runtime's own */
    struct mt_log_text config; /**< of a reload; of keys: mt_log_keys_pack() */
    struct mt_log_facts facts;
    bool class_is_auto; /**< of AUTO */
    bool variance_is_auto;
    bool utc_offset_is_auto;
};

/** A link, as it was asked for and what came of it. */
struct mt_log_link {
    uint16_t index;
    struct mt_log_text interface;
    enum mt_transport transport;
    bool is_tagged;
    uint16_t vlan;
    bool is_open;
    struct mt_log_text reason; /**< why it is not open */
    bool inserts_stamps;
    bool inserts_origin;
    bool inserts_turnaround;
};

/** One record: what was asked, and the answer. */
struct mt_log_record {
    enum mt_log_kind kind;
    union {
        struct mt_log_start start;
        struct {
            enum mt_clock_kind kind;
            struct mt_log_text name;
            bool is_open; /**< else `reason` says why not */
            struct mt_log_text reason;
            struct mt_hal_clock hal; /**< without ops */
        } clock;
        struct mt_log_link link;
        struct {
            struct mt_log_text interface;
            bool is_known;
            struct mt_clock_identity identity;
        } identity;
        uint64_t seed;
        struct {
            uint16_t index;
            bool is_known;
            mt_real rate;
        } drift;
        struct {
            uint16_t index;
            bool is_known;             /**< else `reason` may say why not */
            struct mt_log_text reason; /**< only of a question */
            struct mt_steer_oscillator_memory memory;
        } oscillator; /**< asked for, or stored */
        struct mt_mono now;
        struct {
            struct mt_mono deadline;
            struct mt_input input;
        } input;
        struct {
            uint16_t clock;
            struct mt_clock_reading reading;
        } read;
        struct {
            uint16_t clock;
            struct mt_base_time base;
            struct mt_stamp stamp;
        } stamp;
        struct {
            uint16_t clock;
            struct mt_correction correction;
            struct mt_applied applied;
        } apply;
        struct {
            uint16_t clock;
            struct mt_applied applied;
        } disturbed;
        struct {
            uint16_t link;
            struct mt_link_frame frame;
            bool is_sent;
        } send;
        struct {
            uint16_t index;
            uint64_t digest;
        } page;
        struct {
            uint16_t index;
            mt_real rate;
        } save;
        struct mt_order order;
    } value;
};

/** Where a log goes. */
struct mt_log_sink {
    void *context;
    void (*write)(void *context, const uint8_t *octets, size_t length);
};

void mt_log_write_header(const struct mt_log_sink *sink);
/** Writes one record, in one or several pieces. */
void mt_log_write(const struct mt_log_sink *sink, const struct mt_log_record *record);

/** A log being read. */
struct mt_log_reader {
    const uint8_t *octets;
    size_t length;
    int version;
    size_t at;          /**< where the next record begins */
    struct mt_mono now; /**< of the last record that had a time; they never go backwards */
};

/** The version of the log that these octets begin; -1 if they are no log. */
int mt_log_version(const uint8_t *octets, size_t length);
/** False if these octets are no log of this version or an older one. */
bool mt_log_open(struct mt_log_reader *self, const uint8_t *octets, size_t length);

enum mt_log_result {
    MT_LOG_OK,
    MT_LOG_OVER,      /**< there are no more octets */
    MT_LOG_TRUNCATED, /**< a record runs over the end */
    MT_LOG_CORRUPT,   /**< a value that no recorder writes */
};

/** Reads the next record and steps over it.  Its views live as long as the octets. */
enum mt_log_result mt_log_read(struct mt_log_reader *self, struct mt_log_record *ret_record);

/** What is wrong with the record that was MT_LOG_TRUNCATED or MT_LOG_CORRUPT: what was expected
 * there and what there is, in words. */
void mt_log_complaint(const struct mt_log_reader *self, char *buffer, size_t size);

/** What stands for a page in a log: equal pages have equal digests. */
uint64_t mt_log_page_digest(const struct mt_clock_page *page);
/** "a reading of a clock" and the like. */
const char *mt_log_kind_name(enum mt_log_kind kind);

#endif
