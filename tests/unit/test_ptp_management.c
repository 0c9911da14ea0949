/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Management: the octets of the answers, and who may change what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "management_bench.h"
#include "meantime/ptp_profile.h"
#include "meantime/ptp_unicast.h"
#include "ptp/management_private.h"

/* ---- layouts --------------------------------------------------------------------------------- */

static void management_writes_data_sets_as_the_standard_has_them(void **state)
{
    (void)state;
    GET_IS(MT_ID_DEFAULT_DATA_SET, 1, 0, 0, 1, 128, 248, 0xFE, 0xFF, 0xFF, 128, OWN, 0, 0);
    GET_IS(MT_ID_CURRENT_DATA_SET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    GET_IS(MT_ID_PARENT_DATA_SET, OWN, 0, 0, 0, 0, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 128, 248,
           0xFE, 0xFF, 0xFF, 128, OWN);
    GET_IS(MT_ID_TIME_PROPERTIES_DATA_SET, 0, 0, 0, 0xA0);
    GET_IS(MT_ID_PORT_DATA_SET, OWN, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0, 0x12);
}

static void management_writes_members_as_the_standard_has_them(void **state)
{
    (void)state;
    clock_.management.time = (struct mt_instant){0x010203040506, 7, 0, MT_SCALE_TAI};
    GET_IS(MT_ID_PRIORITY1, 128, 0);
    GET_IS(MT_ID_DOMAIN, 0, 0);
    GET_IS(MT_ID_SLAVE_ONLY, 0, 0);
    GET_IS(MT_ID_LOG_ANNOUNCE_INTERVAL, 1, 0);
    GET_IS(MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, 3, 0);
    GET_IS(MT_ID_VERSION_NUMBER, 0x12, 0);
    GET_IS(MT_ID_TIME, 1, 2, 3, 4, 5, 6, 0, 0, 0, 7);
    GET_IS(MT_ID_CLOCK_ACCURACY, 0xFE, 0);
    GET_IS(MT_ID_UTC_PROPERTIES, 0, 0, 0, 0);
    GET_IS(MT_ID_TIMESCALE_PROPERTIES, 0, 0xA0);
    GET_IS(MT_ID_PATH_TRACE_ENABLE, 1, 0);
    GET_IS(MT_ID_DELAY_MECHANISM, 1, 0);
    GET_IS(MT_ID_ALTERNATE_TIME_OFFSET_MAX_KEY, MT_ZONES_MAX - 1, 0);
    GET_IS(MT_ID_FAULT_LOG, 0, 0);
}

static void management_describes_the_clock_with_its_texts(void **state)
{
    (void)state;
    memcpy(clock_.management.user_description, "rack 7", 7);
    GET_IS(MT_ID_CLOCK_DESCRIPTION, 0x80, 0, 10, 'I', 'E', 'E', 'E', ' ', '8', '0', '2', '.', '3',
           0, 6, 2, 0, 0, 1, 2, 3, 0, 1, 0, 4, 10, 0, 0, 1, 0, 0, 0, 0, 13, 'm', 'a', 'k', 'e', 'r',
           ';', 'm', 'o', 'd', 'e', 'l', ';', '1', 5, 'a', ';', 'b', ';', 'c', 6, 'r', 'a', 'c',
           'k', ' ', '7', 0, 0, 0, 0, 0, 0);
    GET_IS(MT_ID_USER_DESCRIPTION, 6, 'r', 'a', 'c', 'k', ' ', '7', 0);
}

static void management_writes_ids_of_linuxptp_as_it_has_them(void **state)
{
    (void)state;
    uint8_t status[50] = {0};
    memcpy(status + 42, (uint8_t[]){OWN}, 8);
    get(MT_ID_TIME_STATUS_NP, &local_reader);
    assert_data(0, MT_ID_TIME_STATUS_NP, status, sizeof status);
    GET_IS(MT_ID_GRANDMASTER_SETTINGS_NP, 248, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0xA0);
    GET_IS(MT_ID_PORT_DATA_SET_NP, 0, 0, 0, 0, 0, 0, 0, 1);
    GET_IS(MT_ID_PORT_PROPERTIES_NP, OWN, 0, 1, 4, 0, 4, 'e', 't', 'h', '0', 0);
    GET_IS(MT_ID_SYNCHRONIZATION_UNCERTAIN_NP, 0xFF, 0);
    GET_IS(MT_ID_PORT_HWCLOCK_NP, OWN, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0);
    GET_IS(MT_ID_UNICAST_MASTER_TABLE_NP, 0, 0);
    clock_.bench.ports[0].config.egress_latency.q16 = 0x0102;
    GET_IS(MT_ID_PORT_CORRECTIONS_NP, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0, 0);
}

static void management_tells_of_unicast_transmitters(void **state)
{
    (void)state;
    static struct mt_unicast_transmitter table[2];
    static struct mt_requester requester;
    static struct mt_port_more more;
    struct bench_peer peer;
    peer_init(&peer, 3);
    bench_follow(&clock_.bench, 1, &peer);
    table[0].address = (struct mt_address){MT_NETWORK_UDP_IPV4, {10, 0, 0, 7}, 0};
    mt_requester_init(&requester, table, 2, true, 300);
    table[0].identity = peer.identity;
    table[0].is_identity_known = true;
    table[0].state = MT_REQUESTER_NEED_SYNC;
    requester.selected = 0;
    more.requester = &requester;
    clock_.bench.ports[0].config.more = &more;
    GET_IS(MT_ID_UNICAST_NEGOTIATION_ENABLE, 1, 0);
    GET_IS(MT_ID_UNICAST_MASTER_MAX_TABLE_SIZE, 0, 2);
    GET_IS(MT_ID_UNICAST_MASTER_TABLE, 0, 0, 1, 0, 1, 0, 4, 10, 0, 0, 7, 0);
    GET_IS(MT_ID_UNICAST_MASTER_TABLE_NP, 0, 2, 2, 0, 0, 0xFF, 0xFE, 0, 0, 3, 0, 1, 248, 0xFE, 0xFF,
           0xFF, 1, 2, 10, 128, 0, 1, 0, 4, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0, 0, 0, 0, 0, 0, 0);
    clock_.bench.ports[0].config.more = NULL;
}

static void management_tells_of_profiles(void **state)
{
    (void)state;
    static struct mt_profile profile;
    static struct mt_port_profile of_port;
    static struct mt_port_more more;
    mt_profile_init(&profile);
    mt_port_profile_init(&of_port);
    profile.power = (struct mt_power_profile){MT_POWER_2017, 0x102, 50, 100, 150};
    profile.is_gptp = true;
    of_port.role = MT_PORT_ROLE_PASSIVE;
    more.profile = &of_port;
    get(MT_ID_EXT_PORT_CONFIG_PORT_DATA_SET, &local_reader);
    assert_error(0, MT_ID_EXT_PORT_CONFIG_PORT_DATA_SET, MT_MANAGEMENT_UNPOPULATED);
    GET_IS(MT_ID_EXTERNAL_PORT_CONFIGURATION_ENABLED, 0, 0);
    clock_.bench.ports[0].config.more = &more;
    clock_.more.profile = &profile;
    /* read alone: the extensions have not been asked for in the way they expect */
    struct mt_managed on = {&clock_.bench.instance, &clock_.management, &clock_.bench.ports[0],
                            NULL};
    uint8_t octets[16];
    struct mt_put out = {octets, sizeof octets, false};
    assert_int_equal(mt_get_power_profile_np(&on, &out), MT_MANAGEMENT_OK);
    const uint8_t power[] = {0, 2, 1, 2, 0, 0, 0, 50, 0, 0, 0, 100, 0, 0, 0, 150};
    assert_memory_equal(octets, power, sizeof power);
    out = (struct mt_put){octets, sizeof octets, false};
    assert_int_equal(mt_get_desired_state(&on, &out), MT_MANAGEMENT_OK);
    assert_int_equal(octets[0], 1);
    assert_int_equal(octets[1], MT_STATE_PASSIVE);
    out = (struct mt_put){octets, sizeof octets, false};
    mt_get_port_data_set_np(&on, &out);
    assert_int_equal(octets[7], 0); /* asCapable of gPTP */
    clock_.bench.ports[0].config.more = NULL;
    clock_.more.profile = NULL;
}

static void management_counts_messages_by_type_with_the_lowest_octet_first(void **state)
{
    (void)state;
    struct bench_peer peer;
    uint8_t expected[10 + 11 * 8 + 8] = {OWN, 0, 1};
    peer_init(&peer, 3);
    bench_announces(&clock_.bench, 1, &peer, 2);
    expected[10 + 0xB * 8] = 2;
    get(MT_ID_PORT_STATS_NP, &local_reader);
    assert_int_equal(answer(0)->message.header.length, DATA_AT + 10 + 32 * 8);
    assert_memory_equal(answer(0)->octets + DATA_AT, expected, sizeof expected);
}

static void management_tells_of_the_parent_when_it_follows_one(void **state)
{
    (void)state;
    struct bench_peer peer;
    peer_init(&peer, 3);
    bench_follow(&clock_.bench, 1, &peer);
    bench_sync(&clock_.bench, 1, &peer, 1000, 0);
    bench_command(&clock_.bench, &(struct mt_command){.kind = MT_COMMAND_CLOCK,
                                                      .value.clock = {.is_locked = true,
                                                                      .offset = {-5 * 65536},
                                                                      .mean_delay = {7 * 65536}}});
    GET_IS(MT_ID_CURRENT_DATA_SET, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFB, 0, 0, 0, 0, 0, 0, 0, 7,
           0, 0);
    get(MT_ID_TIME_STATUS_NP, &local_reader);
    const uint8_t *data = answer(0)->octets + DATA_AT;
    const uint8_t offset[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFB};
    assert_memory_equal(data, offset, sizeof offset);
    int64_t ingress_ns = 0;
    for (unsigned i = 0; i < 8; i++) {
        ingress_ns = (int64_t)((uint64_t)ingress_ns << 8 | data[8 + i]);
    }
    assert_int_equal(ingress_ns, mt_instant_to_ns(clock_.bench.ports[0].sync.arrival.at));
    assert_int_equal(data[41], 1); /* gmPresent */
    assert_memory_equal(data + 42, peer.announce.grandmaster.octet, 8);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void management_names_the_error_of_the_standard(void **state)
{
    (void)state;
    const uint8_t one[] = {1, 0};
    const uint8_t long_[] = {1, 0, 0, 0};
    const uint8_t far[] = {7, 0};
    get(0x1FFF, &local_reader);
    assert_error(0, 0x1FFF, MT_MANAGEMENT_NO_SUCH_ID);
    get(MT_ID_ENABLE_PORT, &local_reader);
    assert_error(0, MT_ID_ENABLE_PORT, MT_MANAGEMENT_NOT_SUPPORTED);
    get(MT_ID_GRANDMASTER_CLUSTER_TABLE, &local_reader);
    assert_error(0, MT_ID_GRANDMASTER_CLUSTER_TABLE, MT_MANAGEMENT_NOT_SUPPORTED);
    set(MT_ID_PARENT_DATA_SET, one, sizeof one, &local_writer);
    assert_error(0, MT_ID_PARENT_DATA_SET, MT_MANAGEMENT_NOT_SETABLE);
    set(MT_ID_DOMAIN, one, sizeof one, &local_writer);
    assert_error(0, MT_ID_DOMAIN, MT_MANAGEMENT_NOT_SETABLE);
    set(MT_ID_PRIORITY1, long_, sizeof long_, &local_writer);
    assert_error(0, MT_ID_PRIORITY1, MT_MANAGEMENT_WRONG_LENGTH);
    set(MT_ID_LOG_SYNC_INTERVAL, far, sizeof far, &local_writer);
    assert_error(0, MT_ID_LOG_SYNC_INTERVAL, MT_MANAGEMENT_WRONG_VALUE);
    assert_int_equal(clock_.bench.ports[0].config.log_sync_interval, 0);
    clock_.bench.instance.config.path = NULL;
    get(MT_ID_PATH_TRACE_LIST, &local_reader);
    assert_error(0, MT_ID_PATH_TRACE_LIST, MT_MANAGEMENT_UNPOPULATED);
}

static void management_says_that_an_answer_is_too_big_for_a_message(void **state)
{
    (void)state;
    static struct mt_port_identity acceptable[200];
    clock_.bench.ports[0].config.acceptable = acceptable;
    clock_.bench.ports[0].config.acceptable_count = 200;
    get(MT_ID_ACCEPTABLE_MASTER_TABLE, &local_reader);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE, MT_MANAGEMENT_RESPONSE_TOO_BIG);
}

/* ---- changing -------------------------------------------------------------------------------- */

static void management_refuses_to_set_when_the_profile_does_not_allow_it(void **state)
{
    struct mt_management_limit *limits = clock_.management.limits;
    const struct mt_instance *instance = &clock_.bench.instance;
    (void)state;
    limits[MT_LIMITED_PRIORITY1] = (struct mt_management_limit){true, 128, 128};
    limits[MT_LIMITED_PRIORITY2] = (struct mt_management_limit){true, 100, 200};
    limits[MT_LIMITED_LOG_ANNOUNCE] = (struct mt_management_limit){true, -3, -3};
    limits[MT_LIMITED_LOG_SYNC] = (struct mt_management_limit){true, -4, 0};
    limits[MT_LIMITED_ANNOUNCE_TIMEOUT] = (struct mt_management_limit){true, 3, 10};
    set(MT_ID_PRIORITY1, (const uint8_t[]){9, 0}, 2, &local_writer);
    assert_error(0, MT_ID_PRIORITY1, MT_MANAGEMENT_NOT_SETABLE);
    assert_int_equal(mt_instance_parent(instance)->priority1, 128);
    set(MT_ID_PRIORITY1, (const uint8_t[]){128, 0}, 2, &local_writer);
    assert_data(0, MT_ID_PRIORITY1, (const uint8_t[]){128, 0}, 2);
    set(MT_ID_PRIORITY2, (const uint8_t[]){99, 0}, 2, &local_writer);
    assert_error(0, MT_ID_PRIORITY2, MT_MANAGEMENT_WRONG_VALUE);
    assert_int_equal(mt_instance_parent(instance)->priority2, 128);
    set(MT_ID_PRIORITY2, (const uint8_t[]){200, 0}, 2, &local_writer);
    assert_data(0, MT_ID_PRIORITY2, (const uint8_t[]){200, 0}, 2);
    set(MT_ID_LOG_ANNOUNCE_INTERVAL, (const uint8_t[]){0, 0}, 2, &local_writer);
    assert_error(0, MT_ID_LOG_ANNOUNCE_INTERVAL, MT_MANAGEMENT_NOT_SETABLE);
    set(MT_ID_LOG_SYNC_INTERVAL, (const uint8_t[]){1, 0}, 2, &local_writer);
    assert_error(0, MT_ID_LOG_SYNC_INTERVAL, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, (const uint8_t[]){2, 0}, 2, &local_writer);
    assert_error(0, MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, MT_MANAGEMENT_WRONG_VALUE);
}

static void management_sets_what_may_be_set_when_the_writable_socket_asks(void **state)
{
    (void)state;
    const struct mt_instance *instance = &clock_.bench.instance;
    const uint8_t settings[] = {6, 0x21, 0x4E, 0x5D, 0, 37, 0x3C, 0x20};
    set(MT_ID_PRIORITY1, (const uint8_t[]){9, 0}, 2, &local_writer);
    assert_data(0, MT_ID_PRIORITY1, (const uint8_t[]){9, 0}, 2);
    assert_int_equal(mt_instance_parent(instance)->priority1, 9);
    set(MT_ID_PRIORITY2, (const uint8_t[]){10, 0}, 2, &local_writer);
    assert_int_equal(mt_instance_parent(instance)->priority2, 10);
    set(MT_ID_GRANDMASTER_SETTINGS_NP, settings, sizeof settings, &local_writer);
    assert_data(0, MT_ID_GRANDMASTER_SETTINGS_NP, settings, sizeof settings);
    assert_int_equal(mt_instance_parent(instance)->quality.clock_class, 6);
    assert_int_equal(mt_instance_parent(instance)->quality.variance, 0x4E5D);
    assert_int_equal(mt_instance_time_properties(instance)->utc_offset, 37);
    assert_int_equal(mt_instance_time_properties(instance)->flags, 0x3C);
    set(MT_ID_CLOCK_ACCURACY, (const uint8_t[]){0x22, 0}, 2, &local_writer);
    assert_int_equal(mt_instance_parent(instance)->quality.accuracy, 0x22);
    set(MT_ID_UTC_PROPERTIES, (const uint8_t[]){0, 38, 5, 0}, 4, &local_writer);
    assert_int_equal(mt_instance_time_properties(instance)->utc_offset, 38);
    assert_int_equal(mt_instance_time_properties(instance)->flags, 0x3D);
    set(MT_ID_UTC_PROPERTIES, (const uint8_t[]){0, 38, 3, 0}, 4, &local_writer);
    assert_error(0, MT_ID_UTC_PROPERTIES, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_TRACEABILITY_PROPERTIES, (const uint8_t[]){0x10, 0}, 2, &local_writer);
    assert_int_equal(mt_instance_time_properties(instance)->flags, 0x1D);
    set(MT_ID_TIMESCALE_PROPERTIES, (const uint8_t[]){0, 0x60}, 2, &local_writer);
    assert_int_equal(mt_instance_time_properties(instance)->flags, 0x15);
    assert_int_equal(mt_instance_time_properties(instance)->time_source, 0x60);
    set(MT_ID_USER_DESCRIPTION, (const uint8_t[]){3, 'a', 'b', 'c'}, 4, &local_writer);
    assert_string_equal(clock_.management.user_description, "abc");
    set(MT_ID_USER_DESCRIPTION, (const uint8_t[]){9, 'a', 'b', 'c'}, 4, &local_writer);
    assert_error(0, MT_ID_USER_DESCRIPTION, MT_MANAGEMENT_WRONG_LENGTH);
    set(MT_ID_USER_DESCRIPTION, (const uint8_t[]){3, 'a', 27, 'c'}, 4, &local_writer);
    assert_error(0, MT_ID_USER_DESCRIPTION, MT_MANAGEMENT_WRONG_VALUE);
    assert_string_equal(clock_.management.user_description, "abc");
}

static void management_sets_the_members_of_ports(void **state)
{
    (void)state;
    const uint8_t corrections[24] = {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
                                     0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    struct request request = {
        MT_ACTION_SET, MT_ID_LOG_SYNC_INTERVAL, (const uint8_t[]){0xFD, 0}, 2, 0, everybody};
    request.target.port = 2;
    ask(&request, &local_writer);
    assert_int_equal(clock_.bench.ports[1].config.log_sync_interval, -3);
    assert_int_equal(clock_.bench.ports[0].config.log_sync_interval, 0);
    set(MT_ID_LOG_ANNOUNCE_INTERVAL, (const uint8_t[]){2, 0}, 2, &local_writer);
    assert_answers(PORTS);
    assert_int_equal(clock_.bench.ports[2].config.log_announce_interval, 2);
    set(MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, (const uint8_t[]){1, 0}, 2, &local_writer);
    assert_error(2, MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_ANNOUNCE_RECEIPT_TIMEOUT, (const uint8_t[]){5, 0}, 2, &local_writer);
    assert_int_equal(clock_.bench.ports[1].config.announce_receipt_timeout, 5);
    set(MT_ID_MASTER_ONLY, (const uint8_t[]){1, 0}, 2, &local_writer);
    assert_true(clock_.bench.ports[0].config.is_transmitter_only);
    set(MT_ID_PORT_CORRECTIONS_NP, corrections, sizeof corrections, &local_writer);
    assert_int_equal(clock_.bench.ports[2].config.delay_asymmetry.q16, 3);
    const uint8_t far[24] = {0, 0, 0, 0, 0, 0, 0, 0x40};
    set(MT_ID_PORT_CORRECTIONS_NP, far, sizeof far, &local_writer);
    assert_error(0, MT_ID_PORT_CORRECTIONS_NP, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_PORT_DATA_SET_NP, (const uint8_t[8]){0}, 8, &local_writer);
    assert_error(0, MT_ID_PORT_DATA_SET_NP, MT_MANAGEMENT_NOT_SETABLE); /* no link delay here */
}

static void management_sends_sooner_when_an_interval_is_made_shorter(void **state)
{
    (void)state;
    set(MT_ID_LOG_SYNC_INTERVAL, (const uint8_t[]){4, 0}, 2, &local_writer);
    bench_pass(&clock_.bench, BENCH_S(30)); /* serves, and has sent a Sync */
    assert_int_equal(bench_state(&clock_.bench, 1), MT_STATE_TRANSMITTER);
    set(MT_ID_LOG_SYNC_INTERVAL, (const uint8_t[]){0xFD, 0}, 2, &local_writer);
    bench_clear(&clock_.bench);
    bench_pass(&clock_.bench, BENCH_S(1.01));
    assert_in_range(bench_count(&clock_.bench, 1, MT_PTP_SYNC), 7, 9);
}

static void management_carries_out_commands(void **state)
{
    (void)state;
    command(MT_ID_DISABLE_PORT, 2, NULL, 0);
    assert_int_equal(answer(0)->message.body.management.action, MT_ACTION_ACKNOWLEDGE);
    assert_int_equal(answer(0)->message.header.length, DATA_AT);
    assert_int_equal(bench_state(&clock_.bench, 2), MT_STATE_DISABLED);
    assert_int_equal(bench_state(&clock_.bench, 1), MT_STATE_LISTENING);
    command(MT_ID_ENABLE_PORT, 2, NULL, 0);
    assert_int_equal(bench_state(&clock_.bench, 2), MT_STATE_LISTENING);
    command(MT_ID_INITIALIZE, 0xFFFF, (const uint8_t[]){0, 1}, 2);
    assert_error(0, MT_ID_INITIALIZE, MT_MANAGEMENT_WRONG_VALUE);
    command(MT_ID_INITIALIZE, 0xFFFF, (const uint8_t[]){0, 0}, 2);
    assert_int_equal(answer(0)->message.body.management.action, MT_ACTION_ACKNOWLEDGE);
    command(MT_ID_SAVE_IN_NON_VOLATILE_STORAGE, 0xFFFF, NULL, 0);
    assert_error(0, MT_ID_SAVE_IN_NON_VOLATILE_STORAGE, MT_MANAGEMENT_NOT_SUPPORTED);
}

static void management_keeps_a_log_of_faults(void **state)
{
    (void)state;
    struct bench_frame const *frame;
    bench_link(&clock_.bench, 1, false);
    clock_.bench.now.ns += BENCH_S(2);
    clock_.management.time = (struct mt_instant){1000, 0, 0, MT_SCALE_TAI};
    get(MT_ID_FAULT_LOG, &local_reader);
    frame = answer(0);
    assert_int_equal(frame->octets[DATA_AT + 1], 1);
    /* faultRecordLength reaches to the end */
    assert_int_equal(frame->octets[DATA_AT + 3], frame->message.header.length - DATA_AT - 4);
    assert_int_equal(frame->octets[DATA_AT + 8] << 8 | frame->octets[DATA_AT + 9], 998);
    command(MT_ID_FAULT_LOG_RESET, 0xFFFF, NULL, 0);
    get(MT_ID_FAULT_LOG, &local_reader);
    assert_data(0, MT_ID_FAULT_LOG, (const uint8_t[]){0, 0}, 2);
}

static void management_changes_nothing_when_the_network_asks(void **state)
{
    (void)state;
    static const uint16_t ids[] = {
#define MT_MANAGEMENT_ID(name, id, scope, actions, length, get, set) id,
#include "meantime/management_id.def"
#undef MT_MANAGEMENT_ID
    };
    const uint8_t data[72] = {1, 1};
    struct mt_instance *instance = &clock_.bench.instance;
    const struct mt_instance_config config = instance->config;
    const struct mt_port_config port_config = clock_.bench.ports[0].config;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        for (size_t length = 0; length <= sizeof data; length += 2) {
            const struct request setting = {MT_ACTION_SET, ids[i], data, length, 0, everybody};
            const struct request doing = {MT_ACTION_COMMAND, ids[i], data, length, 0, everybody};
            ask(&setting, &station);
            ask(&doing, &station);
            if (ids[i] != MT_ID_SUBSCRIBE_EVENTS_NP) { /* which changes nothing */
                ask(&setting, &local_reader);
                ask(&doing, &local_reader);
            }
        }
    }
    assert_int_equal(clock_.management.changes, 0);
    assert_true(clock_.management.refused > 500);
    assert_memory_equal(&config, &instance->config, sizeof config);
    assert_memory_equal(&port_config, &clock_.bench.ports[0].config, sizeof port_config);
    assert_int_equal(bench_state(&clock_.bench, 1), MT_STATE_LISTENING);
}

static void management_says_nothing_to_who_may_not_change_when_so_configured(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 0};
    set(MT_ID_PRIORITY1, data, 2, &station);
    assert_error(0, MT_ID_PRIORITY1, MT_MANAGEMENT_NOT_SUPPORTED);
    clock_.management.refuses_silently = true;
    set(MT_ID_PRIORITY1, data, 2, &station);
    assert_answers(0);
    set(MT_ID_PRIORITY1, data, 2, &local_reader);
    assert_error(0, MT_ID_PRIORITY1, MT_MANAGEMENT_NOT_SUPPORTED);
    assert_int_equal(clock_.management.refused, 3);
}

static void management_is_deaf_to_the_network_when_so_configured(void **state)
{
    (void)state;
    const struct request request = {MT_ACTION_GET, MT_ID_PRIORITY1, NULL, 0, 1, everybody};
    clock_.management.ignores_network = true;
    assert_int_equal(ask(&request, &station), MT_VERDICT_UNSUPPORTED);
    assert_answers(0);
    get(MT_ID_PRIORITY1, &local_reader);
    assert_answers(1);
}

/* ---- alternate timescales -------------------------------------------------------------------- */

static void management_sets_and_shows_alternate_timescales(void **state)
{
    (void)state;
    const uint8_t properties[] = {2, 0xFF, 0xFF, 0xF8, 0xF0, 0, 0, 0x0E, 0x10, 0, 0, 1, 2, 3, 4, 0};
    const uint8_t name[] = {2, 3, 'E', 'S', 'T', 0};
    const uint8_t beyond[] = {MT_ZONES_MAX, 1};
    set(MT_ID_ALTERNATE_TIME_OFFSET_PROPERTIES, properties, sizeof properties, &local_writer);
    assert_data(0, MT_ID_ALTERNATE_TIME_OFFSET_PROPERTIES, properties, sizeof properties);
    assert_int_equal(clock_.management.zones[2].offset_s, -1808);
    assert_int_equal(clock_.management.zones[2].next_jump_s, 0x01020304);
    set(MT_ID_ALTERNATE_TIME_OFFSET_NAME, name, sizeof name, &local_writer);
    assert_data(0, MT_ID_ALTERNATE_TIME_OFFSET_NAME, name, sizeof name);
    set(MT_ID_ALTERNATE_TIME_OFFSET_ENABLE, (const uint8_t[]){2, 1}, 2, &local_writer);
    assert_true(clock_.management.zones[2].is_enabled);
    set(MT_ID_ALTERNATE_TIME_OFFSET_ENABLE, beyond, sizeof beyond, &local_writer);
    assert_error(0, MT_ID_ALTERNATE_TIME_OFFSET_ENABLE, MT_MANAGEMENT_WRONG_VALUE);
}

#define SENDER(id) 0x02, 0, 0, 0xFF, 0xFE, 0, 0, (id), 0, 0, 0

static void management_accepts_those_of_the_table_when_it_has_been_set(void **state)
{
    static const uint8_t on[] = {1, 0};
    static const uint8_t off[] = {0, 0};
    static const uint8_t nobody[] = {0, 0};
    static const uint8_t table[] = {0, 2, SENDER(21), SENDER(22)};
    static const uint8_t cut[] = {0, 2, SENDER(21), 0};
    static const uint8_t long_table[2 + 17 * 11 + 1] = {0, 17};
    struct bench_peer peer;
    (void)state;
    set(MT_ID_ACCEPTABLE_MASTER_TABLE_ENABLED, on, sizeof on, &local_writer);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE_ENABLED, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE, cut, sizeof cut, &local_writer);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE, MT_MANAGEMENT_WRONG_LENGTH);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE, long_table, sizeof long_table, &local_writer);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE, MT_MANAGEMENT_WRONG_VALUE);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE, table, sizeof table, &station);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE, MT_MANAGEMENT_NOT_SUPPORTED);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE, table, sizeof table, &local_writer);
    assert_data(0, MT_ID_ACCEPTABLE_MASTER_TABLE, table, sizeof table);
    peer_init(&peer, 20);
    assert_int_equal(bench_announce(&clock_.bench, 1, &peer), MT_VERDICT_ACCEPTED);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE_ENABLED, on, sizeof on, &local_writer);
    assert_int_equal(bench_announce(&clock_.bench, 1, &peer), MT_VERDICT_NOT_ACCEPTABLE);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE, nobody, sizeof nobody, &local_writer);
    assert_error(0, MT_ID_ACCEPTABLE_MASTER_TABLE, MT_MANAGEMENT_WRONG_VALUE);
    peer_init(&peer, 22);
    assert_int_equal(bench_announce(&clock_.bench, 1, &peer), MT_VERDICT_ACCEPTED);
    set(MT_ID_ACCEPTABLE_MASTER_TABLE_ENABLED, off, sizeof off, &local_writer);
    peer_init(&peer, 23);
    assert_int_equal(bench_announce(&clock_.bench, 1, &peer), MT_VERDICT_ACCEPTED);
    GET_IS(MT_ID_ACCEPTABLE_MASTER_MAX_TABLE_SIZE, 0, MT_MANAGEMENT_ACCEPTABLE);
}

#define ADDRESS4(last) 0, 1, 0, 4, 10, 0, 0, (last)
#define NO_TABLE(error, ...)                                                                       \
    do {                                                                                           \
        static const uint8_t refused[] = {__VA_ARGS__};                                            \
        set(MT_ID_UNICAST_MASTER_TABLE, refused, sizeof refused, &local_writer);                   \
        assert_error(0, MT_ID_UNICAST_MASTER_TABLE, (error));                                      \
        get(MT_ID_UNICAST_MASTER_TABLE, &local_reader);                                            \
        assert_data(0, MT_ID_UNICAST_MASTER_TABLE, good, sizeof good);                             \
    } while (0)

static void management_sets_the_table_of_transmitters_when_it_fits(void **state)
{
    static const uint8_t good[] = {1, 0, 2, ADDRESS4(8), ADDRESS4(7), 0};
    static struct mt_unicast_transmitter table[3];
    static struct mt_requester requester;
    static struct mt_port_more more;
    (void)state;
    set(MT_ID_UNICAST_MASTER_TABLE, good, sizeof good, &local_writer);
    assert_error(0, MT_ID_UNICAST_MASTER_TABLE, MT_MANAGEMENT_NOT_SUPPORTED);
    GET_IS(MT_ID_UNICAST_MASTER_MAX_TABLE_SIZE, 0, 0);
    table[0].address = (struct mt_address){MT_NETWORK_UDP_IPV4, {10, 0, 0, 7}, 0};
    mt_requester_init(&requester, table, 1, true, 300);
    requester.capacity = 3;
    more.requester = &requester;
    clock_.bench.ports[0].config.more = &more;
    GET_IS(MT_ID_UNICAST_MASTER_MAX_TABLE_SIZE, 0, 3);
    set(MT_ID_UNICAST_MASTER_TABLE, good, sizeof good, &station);
    assert_error(0, MT_ID_UNICAST_MASTER_TABLE, MT_MANAGEMENT_NOT_SUPPORTED);
    assert_int_equal(requester.count, 1);
    set(MT_ID_UNICAST_MASTER_TABLE, good, sizeof good, &local_writer);
    assert_data(0, MT_ID_UNICAST_MASTER_TABLE, good, sizeof good);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 4, ADDRESS4(1), ADDRESS4(2), ADDRESS4(3), ADDRESS4(4),
             0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 2, ADDRESS4(1), ADDRESS4(1), 0); /* twice */
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 7, 0, 1, ADDRESS4(1), 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 1, 0, 1, 0, 4, 224, 0, 1, 129, 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 1, 0, 1, 0, 4, 0, 0, 0, 0, 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 1, 0, 1, 0, 3, 10, 0, 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 1, 1, 1, 0, 4, 10, 0, 0, 1, 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_VALUE, 0, 0, 1, 0, 3, 0, 6, 2, 0, 0, 0, 0, 1, 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_LENGTH, 0, 0, 2, ADDRESS4(1), 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_LENGTH, 0, 0, 1, ADDRESS4(1), ADDRESS4(2), 0);
    NO_TABLE(MT_MANAGEMENT_WRONG_LENGTH, 0, 0);
    clock_.ports[0].protocol.network = MT_NETWORK_NONE; /* then any will do */
    set(MT_ID_UNICAST_MASTER_TABLE, (const uint8_t[]){0, 0, 1, 0, 3, 0, 6, 2, 0, 0, 0, 0, 1, 0}, 14,
        &local_writer);
    assert_int_equal(table[0].address.network, MT_NETWORK_IEEE_802_3);
    assert_int_equal(table[0].local_priority, 128);
    set(MT_ID_UNICAST_MASTER_TABLE, (const uint8_t[]){0, 0, 0, 0}, 4, &local_writer);
    GET_IS(MT_ID_UNICAST_MASTER_TABLE, 0, 0, 0, 0);
    clock_.bench.ports[0].config.more = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ONE(management_writes_data_sets_as_the_standard_has_them),
        ON_ONE(management_writes_members_as_the_standard_has_them),
        ON_ONE(management_describes_the_clock_with_its_texts),
        ON_ONE(management_writes_ids_of_linuxptp_as_it_has_them),
        ON_ONE(management_tells_of_unicast_transmitters),
        ON_ONE(management_tells_of_profiles),
        ON_ONE(management_counts_messages_by_type_with_the_lowest_octet_first),
        ON_ONE(management_tells_of_the_parent_when_it_follows_one),
        ON_ONE(management_names_the_error_of_the_standard),
        ON_ONE(management_says_that_an_answer_is_too_big_for_a_message),
        ON_ONE(management_refuses_to_set_when_the_profile_does_not_allow_it),
        ON_ONE(management_sets_what_may_be_set_when_the_writable_socket_asks),
        ON_THREE(management_sets_the_members_of_ports),
        ON_ONE(management_sends_sooner_when_an_interval_is_made_shorter),
        ON_THREE(management_carries_out_commands),
        ON_ONE(management_keeps_a_log_of_faults),
        ON_ONE(management_changes_nothing_when_the_network_asks),
        ON_ONE(management_says_nothing_to_who_may_not_change_when_so_configured),
        ON_ONE(management_is_deaf_to_the_network_when_so_configured),
        ON_ONE(management_sets_and_shows_alternate_timescales),
        ON_ONE(management_sets_the_table_of_transmitters_when_it_fits),
        ON_ONE(management_accepts_those_of_the_table_when_it_has_been_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
