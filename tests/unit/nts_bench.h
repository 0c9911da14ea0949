/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An NTP client and an NTP server that speak NTS, side by side, for tests.
 */
#ifndef MEANTIME_NTS_BENCH_H
#define MEANTIME_NTS_BENCH_H

#include "meantime/ntp_client.h"
#include "meantime/ntp_server.h"

#define COOKIE_SIZE 104

struct pair {
    struct mt_ntp_client client;
    struct mt_nts_client nts;
    struct mt_ntp_server server;
    struct mt_nts_server guard;
    struct mt_ntp_served served;
    struct mt_ntp_worker worker;
    struct mt_nts_keys keys;
    struct mt_prng random;
    struct mt_mono now;
    uint8_t question[MT_NTP_PACKET_MAX];
    struct mt_ntp_tx tx;
    struct mt_ntp_answer answer;
    enum mt_ntp_outcome outcome;
};

void nts_bench_fill(struct mt_prng *random, uint8_t *octets, size_t length);
/** What a key exchange does. */
void nts_bench_give_keys(struct pair *self, unsigned cookies);
void nts_bench_open_pair(struct pair *self, enum mt_aead aead);
void nts_bench_open_default(struct pair *self);
bool nts_bench_asks(struct pair *self);
enum mt_ntp_outcome nts_bench_serve_octets(struct pair *self, const uint8_t *octets, size_t length);
enum mt_ntp_outcome nts_bench_serve(struct pair *self);
enum mt_ntp_verdict nts_bench_hear(struct pair *self, const uint8_t *octets, size_t length);
enum mt_ntp_verdict nts_bench_arrive(struct pair *self);
enum mt_ntp_verdict nts_bench_exchange(struct pair *self);
/** The n-th field of a type in a packet. */
bool nts_bench_find(const uint8_t *octets, size_t length, uint16_t type, unsigned n,
                    struct mt_ntp_extension *ret_field);
unsigned nts_bench_count(const uint8_t *octets, size_t length, uint16_t type);
unsigned nts_bench_placeholders(const struct pair *self);
void nts_bench_flip(uint8_t *octets, size_t bit);
/** The server has lost its keys. */
void nts_bench_forget(struct pair *self);

#endif
