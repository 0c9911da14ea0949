/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "nts_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"

static const struct mt_instant noon = {.s = 1800000000, .scale = MT_SCALE_UTC};
static const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .udp_port = 5000};

void nts_bench_fill(struct mt_prng *random, uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        octets[i] = (uint8_t)mt_prng_next_u32(random);
    }
}

/* What a key exchange does. */
void nts_bench_give_keys(struct pair *self, unsigned cookies)
{
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    mt_nts_client_set_keys(&self->nts, &self->keys);
    for (unsigned i = 0; i < cookies; i++) {
        size_t length = mt_nts_cookie_make(&mt_crypto_nettle, &self->guard.ring, &self->keys,
                                           &self->random, cookie);
        assert_true(length > 0);
        assert_true(mt_nts_client_add_cookie(&self->nts, cookie, length));
    }
}

void nts_bench_open_pair(struct pair *self, enum mt_aead aead)
{
    uint8_t ring[MT_NTS_RING_RANDOM];
    struct mt_ntp_client_config config;
    memset(self, 0, sizeof *self);
    mt_prng_init(&self->random, 1);
    mt_prng_init(&self->worker.random, 2);
    mt_nts_server_init(&self->guard, &mt_crypto_nettle);
    nts_bench_fill(&self->random, ring, sizeof ring);
    mt_nts_ring_init(&self->guard.ring, ring);
    self->server.nts = &self->guard;
    self->served = (struct mt_ntp_served){.stratum = 1, .precision = -30, .at = noon};
    self->keys.aead = aead;
    nts_bench_fill(&self->random, self->keys.c2s, mt_aead_key_size(aead));
    nts_bench_fill(&self->random, self->keys.s2c, mt_aead_key_size(aead));
    mt_nts_client_init(&self->nts, &mt_crypto_nettle);
    mt_ntp_client_config_init(&config);
    config.nts = &self->nts;
    self->now.ns = 1000000000;
    mt_ntp_client_init(&self->client, &config, self->now);
}

void nts_bench_open_default(struct pair *self)
{
    nts_bench_open_pair(self, MT_AEAD_AES_SIV_CMAC_256);
    nts_bench_give_keys(self, MT_NTS_COOKIES);
}

bool nts_bench_asks(struct pair *self)
{
    uint8_t random[MT_NTP_RANDOM_SIZE];
    struct mt_mono due = mt_ntp_client_deadline(&self->client);
    nts_bench_fill(&self->random, random, sizeof random);
    self->now = due.ns > self->now.ns ? due : self->now;
    mt_ntp_client_tick(&self->client, self->now);
    return mt_ntp_client_next_tx(&self->client, random, self->question, sizeof self->question,
                                 &self->tx);
}

enum mt_ntp_outcome nts_bench_serve_octets(struct pair *self, const uint8_t *octets, size_t length)
{
    const struct mt_ntp_request request = {octets, length, &noon, &from, self->now, NULL};
    self->outcome =
        mt_ntp_answer(&self->server, &self->served, &self->worker, &request, &self->answer);
    if (self->answer.length > 0) {
        const struct mt_instant departure = mt_instant_plus(noon, mt_span_from_ns(20000));
        mt_ntp_answer_finish(&self->server, &self->answer, &departure);
        assert_true(self->answer.length > 0);
        assert_true(self->answer.length <= length);
    }
    return self->outcome;
}

enum mt_ntp_outcome nts_bench_serve(struct pair *self)
{
    return nts_bench_serve_octets(self, self->question, self->tx.length);
}

enum mt_ntp_verdict nts_bench_hear(struct pair *self, const uint8_t *octets, size_t length)
{
    const struct mt_stamp stamp = {.at = mt_instant_plus(noon, mt_span_from_ns(50000))};
    return mt_ntp_client_rx(&self->client, octets, length, &stamp, self->now);
}

enum mt_ntp_verdict nts_bench_arrive(struct pair *self)
{
    return nts_bench_hear(self, self->answer.octets, self->answer.length);
}

enum mt_ntp_verdict nts_bench_exchange(struct pair *self)
{
    assert_true(nts_bench_asks(self));
    assert_int_equal(nts_bench_serve(self), MT_NTP_ANSWERED);
    return nts_bench_arrive(self);
}

/* The n-th field of a type in a packet. */
bool nts_bench_find(const uint8_t *octets, size_t length, uint16_t type, unsigned n,
                    struct mt_ntp_extension *ret_field)
{
    struct mt_ntp_packet packet;
    assert_int_equal(mt_ntp_parse(octets, length, &packet), MT_NTP_WELL_FORMED);
    while (mt_ntp_extension_next(&packet.extensions, &packet.extensions_length, ret_field)) {
        if (ret_field->type == type && n-- == 0) {
            return true;
        }
    }
    return false;
}

unsigned nts_bench_count(const uint8_t *octets, size_t length, uint16_t type)
{
    struct mt_ntp_extension field;
    unsigned number = 0;
    while (nts_bench_find(octets, length, type, number, &field)) {
        number++;
    }
    return number;
}

unsigned nts_bench_placeholders(const struct pair *self)
{
    return nts_bench_count(self->question, self->tx.length, MT_NTP_EXT_NTS_PLACEHOLDER);
}

void nts_bench_flip(uint8_t *octets, size_t bit)
{
    octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* The server has lost its keys. */
void nts_bench_forget(struct pair *self)
{
    uint8_t ring[MT_NTS_RING_RANDOM];
    nts_bench_fill(&self->random, ring, sizeof ring);
    mt_nts_ring_init(&self->guard.ring, ring);
}
