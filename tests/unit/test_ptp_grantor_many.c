/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hundred thousand clients at 1 Hz against the grantor of one port, in virtual time: each asks
 * for Announce, Sync and Delay_Resp, asks for delay once a second, renews, and in the end leaves in
 * its own way: some cancel, some fall silent.  The clients keep books of their own, and both sides
 * must agree to the last message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"

#define CLIENTS    100000u
#define BUCKETS    131072u
#define SLOTS      4096u
#define TOKENS     65536u
#define DURATION_S 6
#define SECONDS    4   /* of full service, a renewal among them; */
#define LONG       10  /* with two of them where MEANTIME_LONG=1 */
#define PARTS      100 /* of a second, in which the clients act in turn */
#define PART_NS    (MT_NS_PER_S / PARTS)

struct virtual_client {
    uint32_t announces, syncs, follow_ups, delay_resps;
    uint32_t granted, renewed, acknowledged;
    uint16_t sequence; /* of the newest Sync */
    uint16_t delay_sequence;
    bool has_sync;
};

static struct {
    struct mt_instance instance;
    struct mt_port port;
    struct mt_port_more more;
    struct mt_grantor grantor;
    struct mt_mono now;
    struct virtual_client *clients;
    uint64_t frames;
    uint64_t out_of_order;
} world;

static const struct mt_clock_identity own = {{0x02, 0, 0, 0xFF, 0xFE, 0, 0, 1}};

static struct mt_address address_of(uint32_t client)
{
    return (struct mt_address){
        .network = MT_NETWORK_UDP_IPV4,
        .octets = {10, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client},
        .udp_port = 319};
}

static struct mt_port_identity identity_of(uint32_t client)
{
    return (struct mt_port_identity){{{0x02, 1, 0, 0xFF, 0xFE, (uint8_t)(client >> 16),
                                       (uint8_t)(client >> 8), (uint8_t)client}},
                                     1};
}

static struct mt_stamp stamp_now(void)
{
    return (struct mt_stamp){mt_instant_from_ns(world.now.ns, MT_SCALE_TAI), 0};
}

/* ---- the clients' side ----------------------------------------------------------------------- */

static void take_signaling(struct virtual_client *client, const struct mt_ptp_message *message)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    struct mt_tlv_unicast value;
    while (mt_tlv_next(&tlvs, &length, &tlv) && mt_tlv_parse_unicast(&tlv, &value)) {
        if (tlv.type == MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION) {
            client->acknowledged++;
        } else {
            assert_int_equal(value.duration_s, DURATION_S);
            client->granted++;
        }
    }
}

static void take_frame(const uint8_t *octets, const struct mt_tx *tx)
{
    struct mt_ptp_message message;
    const uint8_t *o = tx->to.octets;
    uint32_t index = (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
    assert_int_equal(tx->destination, MT_TO_ADDRESS);
    assert_true(index < CLIENTS);
    struct virtual_client *client = &world.clients[index];
    assert_int_equal(mt_ptp_parse(octets, tx->length, &message), MT_VERDICT_ACCEPTED);
    world.frames++;
    switch (message.header.type) {
    case MT_PTP_ANNOUNCE:
        client->announces++;
        return;
    case MT_PTP_SYNC:
        world.out_of_order +=
            client->has_sync && message.header.sequence != (uint16_t)(client->sequence + 1);
        client->has_sync = true;
        client->sequence = message.header.sequence;
        client->syncs++;
        return;
    case MT_PTP_FOLLOW_UP:
        world.out_of_order += message.header.sequence != client->sequence;
        client->follow_ups++;
        return;
    case MT_PTP_DELAY_RESP:
        world.out_of_order += message.header.sequence != client->delay_sequence;
        client->delay_resps++;
        return;
    case MT_PTP_SIGNALING:
        take_signaling(client, &message);
        return;
    case MT_PTP_DELAY_REQ:
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_MANAGEMENT:
        break;
    }
    fail_msg("a frame of type %d", (int)message.header.type);
}

static void drain(void)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    while (mt_instance_next_tx(&world.instance, buffer, sizeof buffer, &tx)) {
        take_frame(buffer, &tx);
        if (tx.is_event) {
            const struct mt_stamp stamp = stamp_now();
            mt_instance_tx_done(&world.instance, tx.token, &stamp, world.now);
        }
    }
    while (mt_instance_next_event(&world.instance, &event)) {
    }
}

static void pass_until(struct mt_mono end)
{
    for (;;) {
        struct mt_mono deadline = mt_instance_deadline(&world.instance);
        if (deadline.ns > end.ns) {
            break;
        }
        world.now = deadline.ns > world.now.ns ? deadline : world.now;
        mt_instance_tick(&world.instance, world.now);
        drain();
    }
    world.now = end;
}

static void send(uint32_t client, const struct mt_ptp_message *message)
{
    uint8_t buffer[256];
    const struct mt_address from = address_of(client);
    const struct mt_stamp stamp = stamp_now();
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    assert_int_equal(mt_instance_rx(&world.instance, 1, buffer, length, &stamp, &from, world.now),
                     MT_VERDICT_ACCEPTED);
    drain();
}

static void say_all(uint32_t client, enum mt_tlv_type type)
{
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_DELAY_RESP};
    uint8_t tlvs[64];
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING,
                   .flags = MT_PTP_UNICAST,
                   .source = identity_of(client)},
        .tlvs = tlvs,
    };
    memset(&message.body.target, 0xFF, sizeof message.body.target);
    for (unsigned i = 0; i < 3; i++) {
        const struct mt_tlv_unicast value = {
            .message = types[i], .log_interval = i == 0, .duration_s = DURATION_S};
        message.tlvs_length += mt_tlv_write_unicast(type, &value, tlvs + message.tlvs_length,
                                                    sizeof tlvs - message.tlvs_length);
    }
    send(client, &message);
}

static void ask_for_delay(uint32_t client)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_DELAY_REQ,
                   .flags = MT_PTP_UNICAST,
                   .sequence = ++world.clients[client].delay_sequence,
                   .source = identity_of(client)},
    };
    send(client, &message);
}

/* A second in which each client does something in its part of it. */
static void second(void (*act)(uint32_t client))
{
    for (uint32_t part = 0; part < PARTS; part++) {
        pass_until((struct mt_mono){world.now.ns + PART_NS});
        for (uint32_t i = part; i < CLIENTS; i += PARTS) {
            act(i);
        }
    }
}

static void request(uint32_t client)
{
    say_all(client, MT_TLV_REQUEST_UNICAST_TRANSMISSION);
}

static void renew(uint32_t client)
{
    world.clients[client].renewed += 3;
    request(client);
}

/* Every other client cancels; the others are not heard of again. */
static void leave(uint32_t client)
{
    if (client % 2 == 0) {
        say_all(client, MT_TLV_CANCEL_UNICAST_TRANSMISSION);
    }
}

/* ---- the books ------------------------------------------------------------------------------- */

static void check_books(uint64_t cancelled, uint64_t expired)
{
    struct virtual_client sum = {0};
    uint64_t syncs = 0;
    uint64_t follow_ups = 0;
    uint64_t announces = 0;
    uint64_t delay_resps = 0;
    uint64_t granted = 0;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        const struct virtual_client *client = &world.clients[i];
        syncs += client->syncs;
        follow_ups += client->follow_ups;
        announces += client->announces;
        delay_resps += client->delay_resps;
        granted += client->granted;
        sum.renewed += client->renewed;
    }
    const struct mt_grant_book *books = world.grantor.books;
    assert_int_equal(syncs, books[MT_SERVICE_SYNC].sent);
    assert_int_equal(follow_ups, syncs);
    assert_int_equal(announces, books[MT_SERVICE_ANNOUNCE].sent);
    assert_int_equal(delay_resps, books[MT_SERVICE_DELAY_RESP].sent);
    assert_int_equal(world.out_of_order, 0);
    uint64_t booked = 0;
    for (unsigned i = 0; i < MT_SERVICE_COUNT; i++) {
        assert_int_equal(books[i].granted, CLIENTS);
        assert_int_equal(books[i].renewed, sum.renewed / 3);
        assert_int_equal(books[i].denied, 0);
        assert_int_equal(books[i].missed, 0);
        assert_int_equal(books[i].cancelled, cancelled);
        assert_int_equal(books[i].expired, expired);
        assert_int_equal(books[i].active, CLIENTS - cancelled - expired);
        booked += books[i].granted + books[i].renewed;
    }
    assert_int_equal(granted, booked);
}

static void start(void)
{
    const struct mt_grantor_storage storage = {
        .clients = calloc(CLIENTS, sizeof *storage.clients),
        .client_count = CLIENTS,
        .buckets = calloc(BUCKETS, sizeof *storage.buckets),
        .bucket_count = BUCKETS,
        .slots = calloc(SLOTS, sizeof *storage.slots),
        .slot_count = SLOTS,
        .tokens = calloc(TOKENS, sizeof *storage.tokens),
        .token_count = TOKENS,
    };
    struct mt_instance_config config;
    struct mt_port_config port_config;
    struct mt_grantor_policy policy;
    mt_instance_config_init(&config);
    mt_port_config_init(&port_config);
    mt_grantor_policy_init(&policy);
    policy.is_multicast_off = true;
    policy.answers_all = false;
    mt_grantor_init(&world.grantor, &policy, &storage, 12345);
    world.clients = calloc(CLIENTS, sizeof *world.clients);
    world.more.grantor = &world.grantor;
    world.now.ns = 1;
    config.features = &mt_ptp_all_features;
    config.identity = own;
    port_config.more = &world.more;
    mt_instance_init(&world.instance, &config, &world.port, &port_config, 1, 1, world.now);
    const struct mt_command link = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = true};
    mt_instance_command(&world.instance, &link, world.now);
    pass_until((struct mt_mono){INT64_C(20) * MT_NS_PER_S});
    assert_int_equal(world.port.state, MT_STATE_TRANSMITTER);
}

static void stop(void)
{
    free(world.grantor.storage.clients);
    free(world.grantor.storage.buckets);
    free(world.grantor.storage.slots);
    free(world.grantor.storage.tokens);
    free(world.clients);
}

static void grantor_keeps_exact_books_when_it_has_100000_clients(void **state)
{
    (void)state;
    const char *is_long = getenv("MEANTIME_LONG");
    const unsigned seconds = is_long != NULL && strcmp(is_long, "1") == 0 ? LONG : SECONDS;
    start();
    second(request);
    assert_int_equal(world.grantor.client_count, CLIENTS);
    for (unsigned i = 0; i < seconds; i++) {
        second(i % 4 == 2 ? renew : ask_for_delay);
    }
    check_books(0, 0);
    for (uint32_t i = 0; i < CLIENTS; i++) { /* 1 Hz each, all the time */
        assert_in_range(world.clients[i].syncs, seconds - 1, seconds + 1);
    }
    second(leave);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(world.clients[i].acknowledged, i % 2 == 0 ? 3 : 0);
    }
    pass_until((struct mt_mono){world.now.ns + DURATION_S * INT64_C(1000000000)});
    check_books(CLIENTS / 2, CLIENTS / 2);
    assert_int_equal(world.grantor.client_count, 0);
    uint64_t frames = world.frames;
    pass_until((struct mt_mono){world.now.ns + 100 * INT64_C(1000000000)});
    assert_int_equal(world.frames, frames); /* nobody is sent anything any more */
    printf("%llu frames to %u clients\n", (unsigned long long)frames, CLIENTS);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grantor_keeps_exact_books_when_it_has_100000_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
