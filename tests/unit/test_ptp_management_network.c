/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Management: who is asked and who gets the answers, what is passed on, and events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "management_bench.h"

/* ---- who is asked, who answers --------------------------------------------------------------- */

static void management_answers_the_requester_with_the_hops_that_the_request_made(void **state)
{
    (void)state;
    get(MT_ID_PRIORITY1, &station);
    const struct bench_frame *frame = answer(0);
    assert_int_equal(frame->tx.port, 1);
    assert_int_equal(frame->tx.destination, MT_TO_ADDRESS);
    assert_true(mt_address_equal(&frame->tx.to, &station));
    assert_int_equal(frame->tx.to.udp_port, 0); /* the standard's own, not any the sender names */
    assert_int_equal(frame->message.header.flags, MT_PTP_UNICAST);
    assert_int_equal(frame->message.header.sequence, 77);
    assert_int_equal(frame->message.header.source.port, 1);
    assert_int_equal(frame->message.body.management.target.port, 0x1234);
    assert_int_equal(frame->message.body.management.hops, 0);

    get(MT_ID_PRIORITY1, NULL);
    assert_int_equal(answer(0)->tx.destination, MT_TO_ALL);
    assert_int_equal(answer(0)->message.header.flags, 0);

    get(MT_ID_PRIORITY1, &local_reader);
    assert_int_equal(answer(0)->tx.port, 0);
    assert_true(mt_address_equal(&answer(0)->tx.to, &local_reader));
}

static void management_answers_with_no_hops_when_the_request_claims_less_than_none(void **state)
{
    (void)state;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    const struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 0, everybody};
    size_t length = write_request(&request, frame);
    frame[45] = 1; /* boundaryHops, of a startingBoundaryHops of 0 */
    bench_clear(&clock_.bench);
    mt_instance_rx(&clock_.bench.instance, 1, frame, length, NULL, NULL, clock_.bench.now);
    bench_drain(&clock_.bench);
    assert_int_equal(answer(0)->tx.port, 1);
    assert_int_equal(answer(0)->message.body.management.starting_hops, 0);
    assert_int_equal(answer(0)->message.body.management.hops, 0);
}

static void management_answers_for_each_port_when_the_port_is_a_wildcard(void **state)
{
    (void)state;
    struct request request = {MT_ACTION_GET, MT_ID_LOG_SYNC_INTERVAL, NULL, 0, 0, everybody};
    ask(&request, &local_reader);
    assert_answers(PORTS);
    for (uint16_t i = 0; i < PORTS; i++) {
        assert_int_equal(answer(i)->message.header.source.port, i + 1);
    }
    request.target.port = 2;
    ask(&request, &local_reader);
    assert_answers(1);
    assert_int_equal(answer(0)->message.header.source.port, 2);
    request.target.clock = bench_identity(8);
    ask(&request, &local_reader);
    assert_answers(1);
    request.target.clock = bench_identity(9);
    ask(&request, &local_reader);
    assert_answers(0);
    request.target = everybody;
    request.target.port = PORTS + 1;
    ask(&request, &local_reader);
    assert_answers(0);
    request.id = MT_ID_PRIORITY1; /* of the clock: asked once, whatever the port */
    ask(&request, &local_reader);
    assert_answers(1);
}

static void management_refuses_a_frame_of_another_domain_or_of_its_own(void **state)
{
    (void)state;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    const struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 0, everybody};
    struct mt_instance *instance = &clock_.bench.instance;
    size_t length = write_request(&request, frame);
    frame[4] = 9;
    assert_int_equal(mt_management_local(instance, frame, length, &local_writer, clock_.bench.now),
                     MT_VERDICT_DOMAIN);
    length = write_request(&request, frame);
    memcpy(frame + 20, (uint8_t[]){OWN}, 8);
    assert_int_equal(mt_instance_rx(instance, 1, frame, length, NULL, &station, clock_.bench.now),
                     MT_VERDICT_OWN);
    bench_drain(&clock_.bench);
    assert_answers(0);
}

static void management_drops_requests_when_too_many_wait(void **state)
{
    (void)state;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    const struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 0, everybody};
    size_t length = write_request(&request, frame);
    struct mt_instance *instance = &clock_.bench.instance;
    for (unsigned i = 0; i < MT_MANAGEMENT_REQUESTS; i++) {
        assert_int_equal(
            mt_management_local(instance, frame, length, &local_reader, clock_.bench.now),
            MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(mt_management_local(instance, frame, length, &local_reader, clock_.bench.now),
                     MT_VERDICT_QUEUE_FULL);
    assert_int_equal(clock_.management.dropped, 1);
    bench_drain(&clock_.bench);
    assert_answers(MT_MANAGEMENT_REQUESTS);
}

/* ---- passing on ------------------------------------------------------------------------------ */

static void management_passes_on_with_one_hop_less_when_it_has_other_ports(void **state)
{
    (void)state;
    struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 2, everybody};
    bench_link(&clock_.bench, 3, false);
    ask(&request, &station);
    assert_answers(2); /* the answer, and the request on port 2; port 3 is down */
    assert_int_equal(answer(0)->tx.port, 1);
    assert_int_equal(answer(1)->tx.port, 2);
    assert_int_equal(answer(1)->tx.destination, MT_TO_ALL);
    assert_int_equal(answer(1)->message.body.management.starting_hops, 2);
    assert_int_equal(answer(1)->message.body.management.hops, 1);
    assert_int_equal(answer(1)->message.header.source.port, 0x1234);
    request.hops = 0;
    ask(&request, &station);
    assert_answers(1);
    request.hops = 2;
    request.target.clock = bench_identity(8); /* this clock alone */
    ask(&request, &station);
    assert_answers(1);
    request.target.clock = bench_identity(9);
    ask(&request, &station);
    assert_answers(1);
    assert_int_equal(answer(0)->tx.port, 2);
    assert_int_equal(clock_.management.forwarded, 2);
}

/* Two ways between the same clocks are a circle, in which one message would go round and round. */
static void management_passes_nothing_on_over_a_passive_port(void **state)
{
    (void)state;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct bench_peer parent;
    struct bench_peer other;
    struct ptp_bench *bench = &clock_.bench;
    const struct request request = {
        MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 2, {bench_identity(9), 0xFFFF}};
    peer_init(&parent, 1);
    peer_init(&other, 2);
    other.announce = parent.announce;
    for (unsigned i = 0; i < 3; i++) {
        bench_announce(bench, 1, &parent);
        bench_announce(bench, 2, &other);
        bench_pass(bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(bench, 2), MT_STATE_PASSIVE);
    ask(&request, &station);
    assert_answers(1);
    assert_int_equal(answer(0)->tx.port, 3);
    size_t length = write_request(&request, frame);
    bench_clear(bench);
    mt_instance_rx(&bench->instance, 2, frame, length, NULL, &station, bench->now);
    bench_drain(bench);
    assert_answers(0);
}

static void management_asks_the_network_for_local_programs_and_brings_the_answer(void **state)
{
    (void)state;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 1, everybody};
    ask(&request, &local_reader);
    assert_answers(2);
    assert_int_equal(answer(0)->tx.port, 0);
    assert_int_equal(answer(1)->tx.port, 1);
    /* somebody's answer for that program */
    request.action = MT_ACTION_RESPONSE;
    request.target = (struct mt_port_identity){bench_identity(STATION), 0x1234};
    size_t length = write_request(&request, frame);
    memcpy(frame + 20, (uint8_t[]){0x02, 0, 0, 0xFF, 0xFE, 0, 0, 3}, 8);
    bench_clear(&clock_.bench);
    mt_instance_rx(&clock_.bench.instance, 1, frame, length, NULL, &station, clock_.bench.now);
    bench_drain(&clock_.bench);
    assert_answers(1);
    assert_int_equal(answer(0)->tx.port, 0);
    assert_true(mt_address_equal(&answer(0)->tx.to, &local_reader));
    /* an answer for nobody here */
    frame[34 + 9] ^= 1;
    bench_clear(&clock_.bench);
    mt_instance_rx(&clock_.bench.instance, 1, frame, length, NULL, &station, clock_.bench.now);
    bench_drain(&clock_.bench);
    assert_answers(0);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void subscribe(uint16_t duration_s, uint8_t events)
{
    uint8_t data[66] = {(uint8_t)(duration_s >> 8), (uint8_t)duration_s, events};
    set(MT_ID_SUBSCRIBE_EVENTS_NP, data, sizeof data, &local_reader);
    assert_data(0, MT_ID_SUBSCRIBE_EVENTS_NP, data, sizeof data);
    bench_clear(&clock_.bench);
}

static void management_tells_subscribers_what_happens(void **state)
{
    (void)state;
    struct bench_peer peer;
    subscribe(60, 7);
    peer_init(&peer, 3);
    bench_follow(&clock_.bench, 1, &peer);
    assert_answers(2); /* the state and the parent */
    assert_int_equal(answer(0)->octets[DATA_AT - 2] << 8 | answer(0)->octets[DATA_AT - 1],
                     MT_ID_PORT_DATA_SET);
    assert_int_equal(answer(0)->octets[DATA_AT + 10], MT_STATE_UNCALIBRATED);
    assert_int_equal(answer(1)->octets[DATA_AT - 2] << 8 | answer(1)->octets[DATA_AT - 1],
                     MT_ID_PARENT_DATA_SET);
    bench_clear(&clock_.bench);
    bench_sync(&clock_.bench, 1, &peer, 1000, 0);
    assert_answers(1);
    assert_int_equal(answer(0)->octets[DATA_AT - 1], MT_ID_TIME_STATUS_NP & 0xFF);
    assert_true(mt_address_equal(&answer(0)->tx.to, &local_reader));
    assert_int_equal(clock_.management.notifications, 3);
}

static void management_forgets_subscribers_when_their_time_is_over(void **state)
{
    (void)state;
    struct bench_peer peer;
    peer_init(&peer, 3);
    subscribe(2, 7);
    bench_pass(&clock_.bench, BENCH_S(2.5));
    bench_follow(&clock_.bench, 1, &peer);
    assert_answers(0);
    subscribe(60, 7);
    uint8_t none[66] = {0};
    set(MT_ID_SUBSCRIBE_EVENTS_NP, none, sizeof none, &local_reader);
    bench_clear(&clock_.bench);
    bench_sync(&clock_.bench, 1, &peer, 1000, 0);
    assert_answers(0);
    subscribe(0xFFFF, 2);
    bench_pass(&clock_.bench, BENCH_S(1)); /* forever */
    bench_clear(&clock_.bench);
    bench_announce(&clock_.bench, 1, &peer);
    bench_sync(&clock_.bench, 1, &peer, 1000, 0);
    assert_answers(1);
}

/* Everybody on the machine may read; who may change is not to be kept out by that. */
static void management_lets_readers_give_way_when_subscribers_are_too_many(void **state)
{
    (void)state;
    struct mt_address reader = local_reader;
    const uint8_t forever[66] = {0xFF, 0xFF, 1 << MT_NOTIFY_PORT_STATE};
    const struct request request = {
        MT_ACTION_SET, MT_ID_SUBSCRIBE_EVENTS_NP, forever, sizeof forever, 0, everybody};
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    size_t length = write_request(&request, frame);
    bench_clear(&clock_.bench);
    for (uint8_t i = 0; i <= MT_MANAGEMENT_SUBSCRIBERS; i++) {
        reader.octets[0] = i;
        mt_management_local(&clock_.bench.instance, frame, length, &reader, clock_.bench.now);
        bench_drain(&clock_.bench);
    }
    assert_error(MT_MANAGEMENT_SUBSCRIBERS, MT_ID_SUBSCRIBE_EVENTS_NP, MT_MANAGEMENT_GENERAL_ERROR);
    set(MT_ID_SUBSCRIBE_EVENTS_NP, forever, sizeof forever, &local_writer);
    assert_data(0, MT_ID_SUBSCRIBE_EVENTS_NP, forever, sizeof forever);
}

static void management_announces_uncertainty_as_it_is_told(void **state)
{
    (void)state;
    bench_pass(&clock_.bench, BENCH_S(10));
    assert_int_equal(
        bench_newest(&clock_.bench, 1, MT_PTP_ANNOUNCE, 0)->octets[7] & MT_PTP_UNCERTAIN, 0);
    set(MT_ID_SYNCHRONIZATION_UNCERTAIN_NP, (const uint8_t[]){1, 0}, 2, &local_writer);
    bench_pass(&clock_.bench, BENCH_S(3));
    assert_int_equal(bench_newest(&clock_.bench, 1, MT_PTP_ANNOUNCE, 0)->octets[7] &
                         MT_PTP_UNCERTAIN,
                     MT_PTP_UNCERTAIN);
    set(MT_ID_SYNCHRONIZATION_UNCERTAIN_NP, (const uint8_t[]){2, 0}, 2, &local_writer);
    assert_error(0, MT_ID_SYNCHRONIZATION_UNCERTAIN_NP, MT_MANAGEMENT_WRONG_VALUE);
}

static size_t answered(unsigned requests)
{
    const struct request request = {
        .action = MT_ACTION_GET, .id = MT_ID_USER_DESCRIPTION, .target = everybody};
    size_t octets = 0;
    for (unsigned i = 0; i < requests; i++) {
        ask(&request, &station);
        for (size_t frame = 0; frame < clock_.bench.frame_count; frame++) {
            if (clock_.bench.frames[frame].message.header.type == MT_PTP_MANAGEMENT) {
                octets += clock_.bench.frames[frame].tx.length;
            }
        }
    }
    return octets;
}

static void management_answers_no_more_than_its_rate_when_strangers_ask(void **state)
{
    (void)state;
    size_t burst = answered(2000);
    assert_in_range(burst, MT_MANAGEMENT_BURST - MT_PTP_MESSAGE_MAX, 2000 * 1000);
    begin_one(NULL);
    clock_.management.answer_octets_per_s = 1000;
    burst = answered(2000);
    assert_in_range(burst, MT_MANAGEMENT_BURST - 200, MT_MANAGEMENT_BURST);
    assert_true(clock_.management.limited > 1000);
    assert_int_equal(answered(1), 0);
    bench_pass(&clock_.bench, BENCH_S(2));
    assert_in_range(answered(2000), 1800, 2200); /* and what was left */
    uint64_t limited = clock_.management.limited;
    get(MT_ID_USER_DESCRIPTION, &local_reader);
    assert_answers(1);
    assert_int_equal(clock_.management.limited, limited);
}

/* However often it is looked at, what comes back in a second comes back. */
static void management_loses_nothing_of_its_rate_when_it_is_asked_often(void **state)
{
    size_t octets = 0;
    (void)state;
    clock_.management.answer_octets_per_s = 1000;
    answered(2000);
    for (unsigned i = 0; i < 2000; i++) {
        bench_pass(&clock_.bench, 1900000);
        octets += answered(1);
    }
    assert_in_range(octets, 3700, 3900);
}

static unsigned passed_on(const struct mt_address *from)
{
    const struct request request = {MT_ACTION_GET,         MT_ID_PRIORITY1, NULL, 0, 2,
                                    {bench_identity(9), 1}};
    const uint64_t before = clock_.management.forwarded;
    for (unsigned i = 0; i < 1000; i++) {
        ask(&request, from);
    }
    return (unsigned)(clock_.management.forwarded - before);
}

static void management_passes_on_no_more_than_its_rate_when_strangers_ask(void **state)
{
    (void)state;
    clock_.management.answer_octets_per_s = 1000;
    const unsigned most = MT_MANAGEMENT_BURST / DATA_AT;
    assert_in_range(passed_on(&station), most - 2, most);
    assert_int_equal(passed_on(&station), 0);
    assert_true(clock_.management.limited >= 1000);
    assert_int_equal(passed_on(&local_reader), 3000); /* to each port */
    bench_pass(&clock_.bench, BENCH_S(2));
    assert_in_range(passed_on(&station), 2 * (1000 / DATA_AT) - 2, 2 * (1000 / DATA_AT) + 2);
}

static void ask_elsewhere(const struct mt_address *from, uint8_t last)
{
    const struct request request = {MT_ACTION_GET,         MT_ID_PRIORITY1, NULL, 0, 2,
                                    {bench_identity(9), 1}};
    struct mt_address address = *from;
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    size_t length = write_request(&request, frame);
    frame[27] = last; /* of its sourcePortIdentity */
    address.octets[0] = last;
    mt_management_local(&clock_.bench.instance, frame, length, &address, clock_.bench.now);
    bench_drain(&clock_.bench);
}

/* Somebody's answer to that identity comes from the network. */
static void answer_from_elsewhere(uint8_t last)
{
    const struct request request = {MT_ACTION_RESPONSE, MT_ID_PRIORITY1, NULL, 0, 0, everybody};
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    size_t length = write_request(&request, frame);
    struct mt_ptp_message message;
    assert_int_equal(mt_ptp_parse(frame, length, &message), MT_VERDICT_ACCEPTED);
    message.body.management.target = message.header.source;
    message.body.management.target.clock.octet[7] = last;
    message.header.source = (struct mt_port_identity){bench_identity(9), 1};
    length = mt_ptp_write(&message, frame, sizeof frame);
    mt_instance_rx(&clock_.bench.instance, 1, frame, length, NULL, &station, clock_.bench.now);
}

/* To which program it is passed on. */
static struct mt_address answered_to(uint8_t last)
{
    bench_clear(&clock_.bench);
    answer_from_elsewhere(last);
    bench_drain(&clock_.bench);
    return clock_.bench.frame_count > 0 ? answer(0)->tx.to : (struct mt_address){.network = 0};
}

static void management_remembers_writers_when_readers_are_many(void **state)
{
    (void)state;
    ask_elsewhere(&local_writer, 1);
    ask_elsewhere(&local_writer, 2);
    for (uint8_t i = 0; i < 40; i++) {
        ask_elsewhere(&local_reader, (uint8_t)(100 + i));
    }
    assert_int_equal(answered_to(1).octets[0], 1);
    assert_int_equal(answered_to(1).network, MT_NETWORK_LOCAL_READ_WRITE);
    assert_int_equal(answered_to(139).octets[0], 139);
    assert_int_equal(answered_to(100).network, 0); /* long gone */
    ask_elsewhere(&local_reader, 2);               /* under the name of a writer */
    assert_int_equal(answered_to(2).network, MT_NETWORK_LOCAL_READ_WRITE);
}

static void management_brings_an_answer_to_its_program_when_another_comes_meanwhile(void **state)
{
    (void)state;
    ask_elsewhere(&local_writer, 1);
    ask_elsewhere(&local_writer, 2);
    bench_clear(&clock_.bench);
    answer_from_elsewhere(1);
    answer_from_elsewhere(2); /* dropped: the other has not left yet */
    bench_drain(&clock_.bench);
    assert_answers(1);
    assert_int_equal(answer(0)->tx.to.octets[0], 1);
    assert_int_equal(clock_.management.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ONE(management_answers_the_requester_with_the_hops_that_the_request_made),
        ON_ONE(management_answers_with_no_hops_when_the_request_claims_less_than_none),
        ON_THREE(management_answers_for_each_port_when_the_port_is_a_wildcard),
        ON_ONE(management_refuses_a_frame_of_another_domain_or_of_its_own),
        ON_ONE(management_drops_requests_when_too_many_wait),
        ON_THREE(management_passes_on_with_one_hop_less_when_it_has_other_ports),
        ON_THREE(management_passes_nothing_on_over_a_passive_port),
        ON_ONE(management_asks_the_network_for_local_programs_and_brings_the_answer),
        ON_ONE(management_tells_subscribers_what_happens),
        ON_ONE(management_forgets_subscribers_when_their_time_is_over),
        ON_ONE(management_lets_readers_give_way_when_subscribers_are_too_many),
        ON_ONE(management_announces_uncertainty_as_it_is_told),
        ON_ONE(management_answers_no_more_than_its_rate_when_strangers_ask),
        ON_ONE(management_loses_nothing_of_its_rate_when_it_is_asked_often),
        ON_THREE(management_passes_on_no_more_than_its_rate_when_strangers_ask),
        ON_ONE(management_remembers_writers_when_readers_are_many),
        ON_ONE(management_brings_an_answer_to_its_program_when_another_comes_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
