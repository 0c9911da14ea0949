/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: what unicast tests need beside the PTP bench: addresses, Signaling messages in and
 * out, a grantor with all its storage.
 */
#ifndef MEANTIME_TESTS_UNICAST_BENCH_H
#define MEANTIME_TESTS_UNICAST_BENCH_H

#include "meantime/ptp_more.h"
#include "ptp_bench.h"

#define CLIENTS 4
#define BUCKETS 4
#define SLOTS   64
#define TOKENS  8

/** A bench with a grantor on its port. */
struct grantor_bench {
    struct ptp_bench bench;
    struct mt_port_more more;
    struct mt_grantor_policy policy;
    struct mt_grantor grantor;
    struct mt_client clients[CLIENTS];
    uint32_t buckets[BUCKETS];
    uint32_t slots[SLOTS];
    struct mt_grantor_token tokens[TOKENS];
};

/** 192.0.2.`last`. */
struct mt_address unicast_address(uint8_t last);
/** Edit `policy` between this and grantor_start(). */
void grantor_init(struct grantor_bench *self);
/** Starts and waits until the port serves. */
void grantor_start(struct grantor_bench *self);
/** granted == active + cancelled + withdrawn + expired and so on; fails the test if not. */
void grantor_check(const struct grantor_bench *self);

/** A frame from an address; drains. */
enum mt_verdict unicast_rx(struct ptp_bench *self, const struct mt_ptp_message *message,
                           const struct mt_address *from);
/** A Signaling message of `words` from clock `id`. */
enum mt_verdict unicast_say(struct ptp_bench *self, uint8_t id, const struct mt_address *from,
                            const struct mt_unicast_word *words, size_t count);
struct mt_unicast_word unicast_word(enum mt_tlv_type type, enum mt_ptp_type message,
                                    int8_t log_interval, uint32_t duration_s);
/** Asks for one service; returns the duration that was granted in the one answer. */
uint32_t unicast_ask(struct ptp_bench *self, uint8_t id, const struct mt_address *from,
                     enum mt_ptp_type message, int8_t log_interval, uint32_t duration_s);
/** The words of a Signaling message that was sent. */
size_t unicast_words(const struct bench_frame *frame,
                     struct mt_unicast_word words[MT_UNICAST_TLVS]);
/** Frames of a type to an address that were sent. */
size_t unicast_count(const struct ptp_bench *self, enum mt_ptp_type type,
                     const struct mt_address *to);

#endif
