/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast through a transparent clock: Delay_Req to where the Syncs come from, the answer to where
 * the request came from, with the residence; answers to management requests; and what does not
 * pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ptp_transparent_bench.h"

static const struct mt_address transmitter = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 1}, 319};
static const struct mt_address requester = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 9}, 319};

static enum mt_verdict rx_from(uint16_t port, const struct mt_ptp_message *message,
                               const struct mt_address *from)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    const struct mt_stamp stamp = bench_stamp(&tc_bench);
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    enum mt_verdict verdict =
        mt_instance_rx(&tc_bench.instance, port, buffer, length,
                       mt_ptp_is_event(message->header.type) ? &stamp : NULL, from, tc_bench.now);
    bench_drain(&tc_bench);
    return verdict;
}

static void sync_from(uint16_t port, uint16_t sequence, uint8_t domain,
                      const struct mt_address *from)
{
    struct mt_ptp_message message = tc_message(MT_PTP_SYNC, sequence, &tc_gm);
    message.header.flags = MT_PTP_TWO_STEP;
    message.header.domain = domain;
    rx_from(port, &message, from);
}

static enum mt_verdict request_from(uint16_t port, uint16_t sequence, uint8_t domain,
                                    const struct mt_address *from)
{
    struct mt_ptp_message message = tc_message(MT_PTP_DELAY_REQ, sequence, &tc_requester);
    message.header.flags = MT_PTP_UNICAST;
    message.header.domain = domain;
    return rx_from(port, &message, from);
}

static void answer_to(uint16_t port, uint16_t sequence, const struct mt_port_identity *to)
{
    struct mt_ptp_message message = tc_message(MT_PTP_DELAY_RESP, sequence, &tc_gm);
    message.header.flags = MT_PTP_UNICAST;
    message.body.response.requester = *to;
    rx_from(port, &message, &transmitter);
}

static void assert_goes_to(const struct bench_frame *frame, const struct mt_address *to)
{
    assert_int_equal(frame->tx.destination, MT_TO_ADDRESS);
    assert_true(mt_address_equal(&frame->tx.to, to));
    assert_int_equal(frame->tx.to.udp_port, 0); /* the standard's, for its type */
    assert_int_equal(frame->message.header.flags & MT_PTP_UNICAST, MT_PTP_UNICAST);
}

static void transparent_passes_unicast_requests_and_answers_when_syncs_have_passed(void **state)
{
    (void)state;
    tc_start(3, 64);
    sync_from(2, 1, 0, &transmitter);
    assert_int_equal(request_from(3, 5, 0, &requester), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_REQ), 1); /* not out of port 1 */
    assert_goes_to(bench_newest(&tc_bench, 2, MT_PTP_DELAY_REQ, 0), &transmitter);
    tc_wait(4321);
    tc_stamp(2, MT_PTP_DELAY_REQ);
    answer_to(2, 5, &tc_requester);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 1);
    assert_goes_to(bench_newest(&tc_bench, 3, MT_PTP_DELAY_RESP, 0), &requester);
    assert_int_equal(tc_added(3, MT_PTP_DELAY_RESP), 4321 * Q16);
    assert_int_equal(tc_count(UNICAST), 0);
}

static void transparent_remembers_the_transmitter_when_syncs_are_rare(void **state)
{
    (void)state;
    tc_start(2, 64);
    sync_from(1, 1, 0, &transmitter);
    tc_wait(INT64_C(16000000000));
    request_from(2, 5, 0, &requester);
    assert_goes_to(bench_newest(&tc_bench, 1, MT_PTP_DELAY_REQ, 0), &transmitter);
}

static void transparent_follows_the_transmitter_when_it_comes_from_elsewhere(void **state)
{
    static const struct mt_address other = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 2}, 319};
    (void)state;
    tc_start(3, 64);
    sync_from(1, 1, 0, &transmitter);
    sync_from(2, 2, 0, &other);
    request_from(3, 5, 0, &requester);
    assert_goes_to(bench_newest(&tc_bench, 2, MT_PTP_DELAY_REQ, 0), &other);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_DELAY_REQ), 0);
}

static void transparent_keeps_domains_apart_when_requests_are_unicast(void **state)
{
    static const struct mt_address other = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 7}, 319};
    (void)state;
    tc_start(3, 64);
    sync_from(1, 1, 0, &transmitter);
    sync_from(2, 1, 7, &other);
    request_from(3, 5, 0, &requester);
    request_from(3, 6, 7, &requester);
    assert_goes_to(bench_newest(&tc_bench, 1, MT_PTP_DELAY_REQ, 0), &transmitter);
    assert_goes_to(bench_newest(&tc_bench, 2, MT_PTP_DELAY_REQ, 0), &other);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_REQ), 2);
}

/* Who is meant cannot be told, or it is sent back to where it came from. */
static void transparent_counts_unicast_when_nobody_can_be_meant(void **state)
{
    struct mt_ptp_message sync;
    (void)state;
    tc_start(2, 64);
    request_from(2, 5, 0, &requester);
    assert_int_equal(tc_count(UNICAST), 1);
    sync_from(1, 1, 0, &transmitter);
    answer_to(1, 9, &tc_requester); /* nobody has asked */
    assert_int_equal(tc_count(UNICAST), 2);
    sync = tc_message(MT_PTP_SYNC, 2, &tc_gm);
    sync.header.flags = MT_PTP_TWO_STEP | MT_PTP_UNICAST;
    rx_from(1, &sync, &transmitter);
    assert_int_equal(tc_count(UNICAST), 3);
    request_from(1, 6, 0, &requester); /* beside the transmitter: it can ask by itself */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_REQ), 0);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 0);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), 1);
}

static void transparent_passes_a_unicast_request_once_when_it_comes_twice(void **state)
{
    (void)state;
    tc_start(2, 64);
    sync_from(1, 1, 0, &transmitter);
    request_from(2, 5, 0, &requester);
    assert_int_equal(request_from(2, 5, 0, &requester), MT_VERDICT_STALE);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_DELAY_REQ), 1);
    tc_lose(1, MT_PTP_DELAY_REQ);
    answer_to(1, 5, &tc_requester); /* without its residence it is worse than none */
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_DELAY_RESP), 0);
}

static void manage(uint16_t port, bool is_answer, uint16_t sequence, const struct mt_address *from)
{
    const struct mt_port_identity everybody = {
        .clock = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}, .port = 0xFFFF};
    struct mt_ptp_message message =
        tc_message(MT_PTP_MANAGEMENT, sequence, is_answer ? &tc_gm : &tc_requester);
    message.header.flags = is_answer ? MT_PTP_UNICAST : 0;
    message.body.management.target = is_answer ? tc_requester : everybody;
    message.body.management.action = is_answer ? MT_ACTION_RESPONSE : MT_ACTION_GET;
    rx_from(port, &message, from);
}

static void transparent_passes_answers_to_management_requests_that_have_passed(void **state)
{
    (void)state;
    tc_start(3, 64);
    manage(3, false, 5, &requester);
    manage(2, true, 5, &transmitter);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_MANAGEMENT), 1); /* the request */
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_MANAGEMENT), 1);
    assert_goes_to(bench_newest(&tc_bench, 3, MT_PTP_MANAGEMENT, 0), &requester);
    assert_int_equal(tc_count(UNICAST), 0);
    manage(2, true, 6, &transmitter); /* nobody has asked that */
    tc_wait(MT_TRANSPARENT_HOLD_NS);
    manage(1, true, 5, &transmitter); /* or it was long ago */
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_MANAGEMENT), 1);
    assert_int_equal(tc_count(UNICAST), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transparent_passes_unicast_requests_and_answers_when_syncs_have_passed),
        cmocka_unit_test(transparent_remembers_the_transmitter_when_syncs_are_rare),
        cmocka_unit_test(transparent_follows_the_transmitter_when_it_comes_from_elsewhere),
        cmocka_unit_test(transparent_keeps_domains_apart_when_requests_are_unicast),
        cmocka_unit_test(transparent_counts_unicast_when_nobody_can_be_meant),
        cmocka_unit_test(transparent_passes_answers_to_management_requests_that_have_passed),
        cmocka_unit_test(transparent_passes_a_unicast_request_once_when_it_comes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
