/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who may exchange keys, and how often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nts/nts_process.h"

#define RATE   100
#define BURST  16 /* of one address */
#define CENT_S ((int64_t)MT_NS_PER_S / 100)

static const struct mt_mono begin = {5 * (int64_t)MT_NS_PER_S};
static struct mt_nts_gate gate;

static struct mt_address v4(uint8_t network, uint16_t host)
{
    return (struct mt_address){.network = MT_NETWORK_UDP_IPV4,
                               .octets = {10, network, (uint8_t)(host >> 8), (uint8_t)host}};
}

static struct mt_mono later(int64_t ns)
{
    return (struct mt_mono){begin.ns + ns};
}

static void open_gate(const struct mt_ntp_server *rules)
{
    mt_nts_gate_init(&gate, rules, RATE, 77, begin);
}

/* How many of so many addresses pass, each asking once. */
static unsigned strangers(uint8_t network, unsigned count, struct mt_mono now)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct mt_address from = v4(network, (uint16_t)i);
        passed += mt_nts_gate_ask(&gate, &from, now) == MT_NTS_PASSES;
    }
    return passed;
}

static void nts_gate_lets_a_second_s_worth_in_when_all_come_at_once(void **state)
{
    (void)state;
    open_gate(NULL);
    assert_int_equal(strangers(1, 300, begin), RATE);
    assert_int_equal(strangers(2, 300, later(CENT_S)), 1);
    assert_int_equal(strangers(3, 300, later(10 * CENT_S)), 9);
    assert_int_equal(strangers(4, 300, later((int64_t)100 * MT_NS_PER_S)), RATE);
}

static void nts_gate_leaves_some_to_others_when_one_address_wants_all(void **state)
{
    const struct mt_address greedy = v4(9, 9);
    const struct mt_address other = v4(1, 1);
    unsigned passed = 0;
    (void)state;
    open_gate(NULL);
    for (unsigned i = 0; i < 1000; i++) { /* for ten seconds */
        passed += mt_nts_gate_ask(&gate, &greedy, later(i * CENT_S)) == MT_NTS_PASSES;
        if (i % 100 == 99) {
            assert_int_equal(mt_nts_gate_ask(&gate, &other, later(i * CENT_S)), MT_NTS_PASSES);
        }
    }
    assert_in_range(passed, BURST + 10 * RATE / 8, BURST + 10 * RATE / 4);
}

static void nts_gate_takes_a_network_for_one_when_it_is_of_ipv6(void **state)
{
    struct mt_address from = {.network = MT_NETWORK_UDP_IPV6, .octets = {0xFD, 1, 2, 3}};
    unsigned passed = 0;
    (void)state;
    open_gate(NULL);
    for (unsigned i = 0; i < 90; i++) {
        from.octets[15] = (uint8_t)i;
        passed += mt_nts_gate_ask(&gate, &from, begin) == MT_NTS_PASSES;
    }
    assert_int_equal(passed, BURST);
    from.octets[7] = 1;
    assert_int_equal(mt_nts_gate_ask(&gate, &from, begin), MT_NTS_PASSES);
}

static void nts_gate_denies_whom_the_server_does_not_answer(void **state)
{
    const struct mt_ntp_rule rules[] = {
        {.range = {v4(7, 0), 16}, .is_allowed = false},
        {.range = {v4(0, 0), 8}, .is_allowed = true},
    };
    const struct mt_ntp_server server = {.rules = rules, .rule_count = 2, .denies_others = true};
    const struct mt_address allowed = v4(1, 1);
    const struct mt_address denied = v4(7, 1);
    const struct mt_address other = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    (void)state;
    open_gate(&server);
    assert_int_equal(mt_nts_gate_ask(&gate, &denied, begin), MT_NTS_DENIED);
    assert_int_equal(mt_nts_gate_ask(&gate, &other, begin), MT_NTS_DENIED);
    assert_int_equal(strangers(7, 300, begin), 0); /* which takes nothing from the others */
    assert_int_equal(mt_nts_gate_ask(&gate, &allowed, begin), MT_NTS_PASSES);
    assert_int_equal(strangers(1, 300, begin), RATE - 1);
}

static void nts_gate_lets_one_in_each_second_when_that_is_its_rate(void **state)
{
    (void)state;
    mt_nts_gate_init(&gate, NULL, 1, 77, begin);
    assert_int_equal(strangers(1, 300, begin), 1);
    assert_int_equal(strangers(2, 300, later(MT_NS_PER_S - 1)), 0);
    assert_int_equal(strangers(3, 300, later(MT_NS_PER_S)), 1);
}

static void nts_gate_has_new_rules_when_all_parts_have_come(void **state)
{
    struct mt_ntp_rule rules[150];
    struct mt_ntp_server server = {.rules = rules, .rule_count = 150};
    struct mt_nts_rules part;
    const struct mt_address first = v4(0, 1);
    const struct mt_address last = v4(149, 1);
    uint16_t at = 0;
    (void)state;
    for (uint8_t i = 0; i < 150; i++) {
        rules[i] = (struct mt_ntp_rule){.range = {v4(i, 0), 24}, .is_allowed = false};
    }
    open_gate(NULL);
    while (at < 150) {
        assert_int_equal(mt_nts_gate_ask(&gate, &first, begin), MT_NTS_PASSES);
        at = mt_nts_rules_part(&server, at, &part);
        mt_nts_gate_take(&gate, &part);
    }
    assert_int_equal(mt_nts_gate_ask(&gate, &first, begin), MT_NTS_DENIED);
    assert_int_equal(mt_nts_gate_ask(&gate, &last, begin), MT_NTS_DENIED);
    part.first = 100; /* none that begins like this */
    mt_nts_gate_take(&gate, &part);
    assert_int_equal(mt_nts_gate_ask(&gate, &last, begin), MT_NTS_DENIED);
    server.rule_count = 0;
    assert_int_equal(mt_nts_rules_part(&server, 0, &part), 0);
    mt_nts_gate_take(&gate, &part);
    assert_int_equal(mt_nts_gate_ask(&gate, &first, begin), MT_NTS_PASSES);
    mt_nts_gate_free(&gate);
}

/* The daemon does not wait for the process, whose socket holds some thousands. */
static void nts_gate_has_all_rules_when_there_are_more_than_a_socket_holds(void **state)
{
    enum { RULES = 60000 };
    static struct mt_nts_message message;
    const struct mt_address last = v4(7, 1);
    struct mt_ntp_rule *rules = calloc(RULES, sizeof *rules);
    const struct mt_ntp_server server = {.rules = rules, .rule_count = RULES};
    uint16_t next = 0;
    unsigned rounds = 0;
    int ends[2];
    bool is_sent;
    (void)state;
    assert_non_null(rules);
    rules[RULES - 1].range = (struct mt_address_range){v4(7, 0), 24};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    open_gate(NULL);
    do {
        is_sent = mt_nts_send_rules(ends[0], &server, &next);
        while (mt_nts_receive(ends[1], &message) == MT_NTS_RECEIVED) {
            mt_nts_gate_take(&gate, &message.value.rules);
        }
    } while (!is_sent && ++rounds < RULES);
    assert_in_range(rounds, 1, RULES / MT_NTS_RULES);
    assert_int_equal(mt_nts_gate_ask(&gate, &last, begin), MT_NTS_DENIED);
    mt_nts_gate_free(&gate);
    close(ends[0]);
    close(ends[1]);
    free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_gate_lets_a_second_s_worth_in_when_all_come_at_once),
        cmocka_unit_test(nts_gate_leaves_some_to_others_when_one_address_wants_all),
        cmocka_unit_test(nts_gate_takes_a_network_for_one_when_it_is_of_ipv6),
        cmocka_unit_test(nts_gate_denies_whom_the_server_does_not_answer),
        cmocka_unit_test(nts_gate_has_new_rules_when_all_parts_have_come),
        cmocka_unit_test(nts_gate_has_all_rules_when_there_are_more_than_a_socket_holds),
        cmocka_unit_test(nts_gate_lets_one_in_each_second_when_that_is_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
