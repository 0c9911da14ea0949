/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Any octets as NTP packets: to a server, with keys and NTS, and as answers to a client that has
 * asked.  The first octet chooses what server and client speak.  Whatever comes, an answer is well
 * formed, no longer than its question and no question itself, and a client's jar never overflows.
 *
 * Where the second octet says so, the octets are put behind what nobody can guess (the origin, the
 * identifier, a cookie, a right authenticator around them) or into a cookie, for else nothing would
 * ever get past it.  The cryptography is a toy: quick, and as strict as the real one about lengths.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ntp_client.h"
#include "meantime/ntp_server.h"

static const struct mt_instant noon = {.s = 1800000000, .scale = MT_SCALE_UTC};

/* ---- toy cryptography ------------------------------------------------------------------------ */

static uint8_t sum_of(const struct mt_piece *pieces, size_t count)
{
    uint8_t sum = 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < pieces[i].length; at++) {
            sum = (uint8_t)(sum * 31 + pieces[i].octets[at]);
        }
    }
    return sum;
}

static bool toy_mac(enum mt_mac_kind kind, const uint8_t *key, size_t key_length,
                    const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE])
{
    (void)key, (void)key_length;
    memset(ret_code, sum_of(pieces, count), mt_mac_size(kind));
    return true;
}

static bool toy_seal(enum mt_aead kind, const uint8_t *key, size_t key_length,
                     const struct mt_piece *associated, size_t count, const struct mt_piece *plain,
                     uint8_t *ret_sealed)
{
    fuzz_require(key_length == mt_aead_key_size(kind));
    memset(ret_sealed, sum_of(associated, count) ^ key[0], MT_AEAD_TAG);
    if (plain->length > 0) {
        memcpy(ret_sealed + MT_AEAD_TAG, plain->octets, plain->length);
    }
    return true;
}

static bool toy_open(enum mt_aead kind, const uint8_t *key, size_t key_length,
                     const struct mt_piece *associated, size_t count, const struct mt_piece *sealed,
                     uint8_t *ret_plain)
{
    const uint8_t tag = (uint8_t)(sum_of(associated, count) ^ key[0]);
    fuzz_require(key_length == mt_aead_key_size(kind) && sealed->length >= MT_AEAD_TAG);
    if (sealed->octets[0] != tag || sealed->octets[MT_AEAD_TAG - 1] != tag) {
        return false;
    }
    memcpy(ret_plain, sealed->octets + MT_AEAD_TAG, sealed->length - MT_AEAD_TAG);
    return true;
}

static const struct mt_crypto toy = {.mac = toy_mac, .seal = toy_seal, .open = toy_open};

/* ---- both sides ------------------------------------------------------------------------------ */

static struct mt_ntp_client client;
static struct mt_nts_client nts_client;
static struct mt_nts_server nts_server;
static struct mt_ntp_server server;
static struct mt_ntp_worker worker;
static struct mt_ntp_departure departures[8];
static struct mt_ntp_limited limited[8];
static const struct mt_ntp_served served = {.stratum = 2, .precision = -24};
static const struct mt_ntp_key table[] = {
    {.id = 1, .kind = MT_NTP_KEY_AES128_CMAC, .length = 16, .octets = "0123456789abcdef"},
    {.id = 2, .kind = MT_NTP_KEY_SHA1, .length = 1, .octets = "1"},
    {.id = 3, .kind = MT_NTP_KEY_SHA512, .length = 64},
    {.id = 4, .kind = MT_NTP_KEY_MD5, .length = 8, .octets = "01234567"},
};
static const struct mt_ntp_keys keys = {&toy, table, sizeof table / sizeof table[0]};

static void give_keys(enum mt_aead aead)
{
    const struct mt_nts_keys all = {.aead = aead, .c2s = {1}, .s2c = {2}};
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    mt_nts_client_set_keys(&nts_client, &all);
    for (unsigned i = 0; i < MT_NTS_COOKIES; i++) {
        size_t length = mt_nts_cookie_make(&toy, &nts_server.ring, &all, &worker.random, cookie);
        fuzz_require(mt_nts_client_add_cookie(&nts_client, cookie, length));
    }
}

static void start(uint8_t how)
{
    static const uint8_t ring[MT_NTS_RING_RANDOM] = {9};
    struct mt_ntp_client_config config;
    memset(&worker, 0, sizeof worker);
    mt_prng_init(&worker.random, how);
    mt_ntp_departures_init(&worker.departures, departures, 8);
    mt_ntp_limit_init(&worker.limit, limited, (how & 16) != 0 ? 8 : 0, 0, 4, 1);
    mt_nts_server_init(&nts_server, &toy);
    mt_nts_ring_init(&nts_server.ring, ring);
    server = (struct mt_ntp_server){.keys = &keys,
                                    .nts = (how & 1) != 0 ? &nts_server : NULL,
                                    .requires_key = (how & 2) != 0,
                                    .requires_nts = (how & 4) != 0};
    mt_nts_client_init(&nts_client, &toy);
    give_keys((how & 32) != 0 ? MT_AEAD_AES_SIV_CMAC_512 : MT_AEAD_AES_SIV_CMAC_256);
    mt_ntp_client_config_init(&config);
    config.keys = &keys;
    config.nts = (how & 1) != 0 ? &nts_client : NULL;
    config.key = (how & 9) == 8 ? 1u + (how >> 6) : 0;
    config.is_interleaved = (how & 64) != 0;
    mt_ntp_client_init(&client, &config, (struct mt_mono){1});
}

static void serve(const uint8_t *octets, size_t length, struct mt_mono now)
{
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .udp_port = 5000};
    const struct mt_interval held = {-1};
    const struct mt_ntp_request request = {octets, length, &noon, &from, now, &held};
    struct mt_ntp_answer answer;
    struct mt_ntp_answer again;
    struct mt_ntp_packet packet;
    mt_ntp_answer(&server, &served, &worker, &request, &answer);
    if (answer.length == 0) {
        return;
    }
    mt_ntp_answer_finish(&server, &answer, &noon);
    fuzz_require(answer.length > 0 && answer.length <= length);
    fuzz_require(mt_ntp_parse(answer.octets, answer.length, &packet) == MT_NTP_WELL_FORMED);
    const struct mt_ntp_request back = {answer.octets, answer.length, &noon, &from, now, NULL};
    fuzz_require(mt_ntp_answer(&server, &served, &worker, &back, &again) == MT_NTP_MODE);
}

/* ---- what is fuzzed -------------------------------------------------------------------------- */

/* The octets in an authenticator that is right, behind `length` octets of a packet. */
static size_t seal(const uint8_t *key_of_sealer, const uint8_t *plain, size_t plain_length,
                   uint8_t *packet, size_t length)
{
    uint8_t *at = packet + length;
    const size_t size = 4 + 4 + MT_NTS_NONCE_SIZE + MT_AEAD_TAG + (plain_length + 3) / 4 * 4;
    memset(at, 0, size);
    at[0] = 4, at[1] = 4, at[2] = (uint8_t)(size >> 8), at[3] = (uint8_t)size;
    at[5] = MT_NTS_NONCE_SIZE;
    at[6] = (uint8_t)((plain_length + MT_AEAD_TAG) >> 8);
    at[7] = (uint8_t)(plain_length + MT_AEAD_TAG);
    const struct mt_piece associated[] = {{packet, length}, {at + 8, MT_NTS_NONCE_SIZE}};
    memset(at + 8 + MT_NTS_NONCE_SIZE, sum_of(associated, 2) ^ key_of_sealer[0], MT_AEAD_TAG);
    memcpy(at + 8 + MT_NTS_NONCE_SIZE + MT_AEAD_TAG, plain, plain_length);
    return length + size;
}

/* A cookie that opens, with the octets in it: the toy's tag is that of any key of the ring. */
static size_t make_cookie(const uint8_t *plain, size_t length, uint8_t *cookie)
{
    const struct mt_nts_ring *ring = &nts_server.ring;
    const uint8_t *ring_key = ring->keys[ring->current % MT_NTS_RING].octets;
    uint8_t *sealed = cookie + 4 + MT_NTS_NONCE_SIZE;
    const struct mt_piece associated[] = {{cookie, 4}, {cookie + 4, MT_NTS_NONCE_SIZE}};
    const struct mt_piece piece = {plain, length};
    memset(cookie, 0, 4 + MT_NTS_NONCE_SIZE);
    for (unsigned i = 0; i < 4; i++) {
        cookie[i] = (uint8_t)(ring->current >> (24 - 8 * i));
    }
    fuzz_require(toy_seal(MT_AEAD_AES_SIV_CMAC_256, ring_key, MT_NTS_RING_KEY_SIZE, associated, 2,
                          &piece, sealed));
    return 4 + MT_NTS_NONCE_SIZE + MT_AEAD_TAG + length;
}

/* A question with the octets as fields, behind a right identifier and, unless `how` says to make
 * one of octets, a right cookie, all under an authenticator that is right for the keys in it. */
static void ask_server(uint8_t how, const uint8_t *octets, size_t length, struct mt_mono now)
{
    static uint8_t packet[MT_NTP_PACKET_MAX + 512];
    static uint8_t cookie[MT_NTS_OWN_COOKIE_MAX + 64]; /* there may be too long ones */
    static const uint8_t unique[MT_NTS_UNIQUE_SIZE] = {7};
    size_t at = MT_NTP_HEADER_SIZE;
    size_t cookie_length = sizeof cookie - 4 - MT_NTS_NONCE_SIZE - MT_AEAD_TAG;
    uint8_t c2s = 1;
    memset(packet, 0, at);
    packet[0] = 0x23;
    at += mt_ntp_extension_write(MT_NTP_EXT_UNIQUE_IDENTIFIER, unique, sizeof unique, 36,
                                 packet + at, 36);
    if ((how & 2) != 0) {
        cookie_length = cookie_length < length ? cookie_length : length;
        cookie_length = make_cookie(octets, cookie_length, cookie);
        c2s = length > 4 ? octets[4] : 0;
    } else {
        const struct mt_nts_keys all = {.aead = MT_AEAD_AES_SIV_CMAC_256, .c2s = {c2s}, .s2c = {2}};
        cookie_length = mt_nts_cookie_make(&toy, &nts_server.ring, &all, &worker.random, cookie);
    }
    at += mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, cookie, cookie_length,
                                 mt_ntp_extension_size(cookie_length, MT_NTP_EXTENSION_MIN),
                                 packet + at, sizeof packet - at);
    length = length < 900 ? length : 900;
    memcpy(packet + at, octets, length);
    at += length;
    serve(packet, seal(&c2s, octets, (how & 4) != 0 ? length / 2 : 0, packet, at), now);
}

static void answer_client(uint8_t how, const uint8_t *octets, size_t length, struct mt_mono now)
{
    static uint8_t packet[MT_NTP_PACKET_MAX + 512];
    const struct mt_stamp stamp = {.at = noon};
    size_t at = MT_NTP_HEADER_SIZE;
    if ((how & 1) == 0 || length < at) {
        (void)mt_ntp_client_rx(&client, octets, length, &stamp, now);
        return;
    }
    memcpy(packet, octets, at);
    packet[0] = 0x24;
    for (unsigned i = 0; i < 8; i++) {
        packet[24 + i] = (uint8_t)(client.current.asked >> (56 - 8 * i));
    }
    if ((how & 2) != 0) {
        at += mt_ntp_extension_write(MT_NTP_EXT_UNIQUE_IDENTIFIER, nts_client.unique,
                                     MT_NTS_UNIQUE_SIZE, 36, packet + at, 36);
    }
    octets += MT_NTP_HEADER_SIZE;
    length -= MT_NTP_HEADER_SIZE;
    length = length < 1000 ? length : 1000;
    if ((how & 4) != 0) {
        at = seal(nts_client.keys.s2c, octets, length, packet, at);
    } else {
        memcpy(packet + at, octets, length);
        at += length;
    }
    (void)mt_ntp_client_rx(&client, packet, at, &stamp, now);
}

/* What the client asks, with octets of it changed. */
static void ask(struct fuzz_input *input, struct mt_mono *now)
{
    static uint8_t packet[MT_NTP_PACKET_MAX];
    uint8_t random[MT_NTP_RANDOM_SIZE];
    struct mt_ntp_tx tx;
    struct mt_ntp_event event;
    struct mt_mono due = mt_ntp_client_deadline(&client);
    now->ns = due.ns > now->ns && due.ns != MT_MONO_NEVER.ns ? due.ns : now->ns;
    mt_ntp_client_tick(&client, *now);
    memset(random, fuzz_u8(input), sizeof random);
    while (mt_ntp_client_next_event(&client, &event)) {
    }
    if (!mt_ntp_client_next_tx(&client, random, packet, sizeof packet, &tx)) {
        return;
    }
    for (uint8_t changes = fuzz_u8(input) & 3; changes > 0; changes--) {
        packet[fuzz_take(input, 2) % tx.length] ^= fuzz_u8(input);
    }
    serve(packet, tx.length, *now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct mt_mono now = {1};
    start(fuzz_u8(&input));
    while (input.left > 0) {
        uint8_t how = fuzz_u8(&input);
        size_t length = (how & 8) != 0 ? input.left : fuzz_u8(&input);
        length = length < input.left ? length : input.left;
        const uint8_t *octets = input.at;
        if ((how & 16) != 0) {
            ask(&input, &now);
            continue;
        }
        input.at += length;
        input.left -= length;
        now.ns += (int64_t)(how >> 5) * 100000000;
        serve(octets, length, now);
        if ((how & 1) != 0) {
            ask_server(how, octets, length, now);
        }
        answer_client(how, octets, length, now);
        fuzz_require(nts_client.count <= MT_NTS_COOKIES && client.event_count <= 4);
    }
    return 0;
}
