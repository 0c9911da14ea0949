/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a node expects of its transmitter's Syncs: a port that receives, and what its clock's
 * discipline takes their interval to be.
 */
#include "runtime/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_intervals.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_unicast.h"
#include "runtime/node.h"

#define LEARNED        122070 /* units of 1024 ns: an eighth of a second */
#define S_TO_UNITS(s)  ((uint32_t)((s)*INT64_C(1000000000) >> 10))
#define LOG_INTERVAL   33
#define SENDS_INTERVAL (-3)

static struct mt_node node;
static struct mt_node_clock clocks[1];
static struct mt_discipline_source sources[2];
static struct mt_node_instance instances[1];
static struct mt_node_port node_ports[2];
static struct mt_port ports[2];
static struct mt_port_more more;
static struct mt_requester requester;
static struct mt_unicast_transmitter transmitter;
static struct mt_intervals intervals;
static const struct mt_mono now = {1000};

static void hear(uint16_t port, enum mt_ptp_type type, int8_t log_interval, enum mt_verdict verdict)
{
    uint8_t frame[44] = {(uint8_t)type, 2, 0, sizeof frame};
    const struct mt_input input = {.bytes = frame, .length = sizeof frame, .now = now};
    frame[LOG_INTERVAL] = (uint8_t)log_interval;
    mt_pace_frame(&node, 0, port, &input, verdict);
}

static void hear_sync(int8_t log_interval)
{
    hear(1, MT_PTP_SYNC, log_interval, MT_VERDICT_ACCEPTED);
}

static int set_up(void **state)
{
    memset(&node, 0, sizeof node);
    memset(clocks, 0, sizeof clocks);
    memset(sources, 0, sizeof sources);
    memset(instances, 0, sizeof instances);
    memset(node_ports, 0, sizeof node_ports);
    memset(ports, 0, sizeof ports);
    memset(&more, 0, sizeof more);
    memset(&requester, 0, sizeof requester);
    memset(&transmitter, 0, sizeof transmitter);
    mt_intervals_init(&intervals);
    node.clocks = clocks;
    node.clock_count = 1;
    node.instances = instances;
    node.instance_count = 1;
    clocks[0].discipline.sources = sources;
    clocks[0].discipline.source_count = 2;
    sources[0].interval = LEARNED;
    sources[1].interval = LEARNED;
    instances[0].ptp.ports = ports;
    instances[0].ptp.port_count = 2;
    instances[0].ptp.receiving_port = 1;
    instances[0].ports = node_ports;
    node_ports[1].source = 1;
    ports[0].config.more = &more;
    requester.table = &transmitter;
    requester.count = 1;
    hear_sync(SENDS_INTERVAL);
    return 0;
}

static void assert_expected(uint32_t interval)
{
    assert_int_equal(sources[0].interval, interval);
    assert_int_equal(sources[1].interval, LEARNED);
}

static void a_longer_interval_is_expected_once_it_is_named(void **state)
{
    assert_expected(LEARNED);
    hear_sync(1);
    assert_expected(S_TO_UNITS(2));
    sources[0].interval = LEARNED; /* it does not keep it */
    hear_sync(1);
    assert_expected(LEARNED);
    hear_sync(-4);
    assert_expected(LEARNED);
    hear_sync(0);
    assert_expected(S_TO_UNITS(1));
}

static void no_interval_is_expected_that_nobody_may_ask_for(void **state)
{
    hear_sync(MT_LOG_INTERVAL_HIGHEST + 1);
    hear_sync(MT_LOG_INTERVAL_LOWEST - 1);
    hear_sync(MT_PTP_LOG_INTERVAL_NONE);
    hear_sync(1); /* and after one that is none nothing is longer */
    assert_expected(LEARNED);
}

static void only_what_the_port_follows_counts(void **state)
{
    hear(1, MT_PTP_SYNC, 1, MT_VERDICT_NOT_PARENT);
    hear(1, MT_PTP_SYNC, 1, MT_VERDICT_STALE);
    hear(1, MT_PTP_ANNOUNCE, 1, MT_VERDICT_ACCEPTED);
    hear(1, MT_PTP_FOLLOW_UP, 1, MT_VERDICT_ACCEPTED);
    hear(2, MT_PTP_SYNC, -3, MT_VERDICT_ACCEPTED);
    hear(2, MT_PTP_SYNC, 1, MT_VERDICT_ACCEPTED);
    assert_expected(LEARNED);
}

static void a_short_frame_names_nothing(void **state)
{
    uint8_t frame[LOG_INTERVAL] = {MT_PTP_SYNC};
    const struct mt_input input = {.bytes = frame, .length = sizeof frame, .now = now};
    mt_pace_frame(&node, 0, 1, &input, MT_VERDICT_ACCEPTED);
    assert_expected(LEARNED);
}

static void syncs_that_name_none_come_as_they_were_granted(void **state)
{
    struct mt_unicast_service *sync = &transmitter.services[MT_SERVICE_SYNC];
    more.requester = &requester;
    sync->log_interval = SENDS_INTERVAL;
    sync->is_granted = true;
    hear_sync(MT_PTP_LOG_INTERVAL_NONE);
    assert_expected(LEARNED);
    sync->log_interval = 1;
    hear_sync(MT_PTP_LOG_INTERVAL_NONE);
    assert_expected(S_TO_UNITS(2));
    sources[0].interval = LEARNED;
    sync->log_interval = 2;
    sync->is_granted = false;
    hear_sync(MT_PTP_LOG_INTERVAL_NONE);
    requester.selected = requester.count;
    hear_sync(MT_PTP_LOG_INTERVAL_NONE);
    assert_expected(LEARNED);
}

static void an_interval_that_was_asked_for_is_expected_until_it_is_named(void **state)
{
    more.intervals = &intervals;
    intervals.keeps_sync = false;
    intervals.log_sync_interval = 1;
    intervals.log_sync_heard = SENDS_INTERVAL;
    intervals.is_following = true;
    mt_pace_sample(&node, 0, 1, now);
    assert_expected(LEARNED);
    intervals.is_operational = true;
    mt_pace_sample(&node, 0, 1, now);
    assert_expected(LEARNED); /* not asked yet */
    intervals.tries = 1;
    mt_pace_sample(&node, 0, 1, now);
    assert_expected(S_TO_UNITS(2));
    sources[0].interval = LEARNED;
    intervals.tries = MT_INTERVALS_TRIES; /* it does not obey */
    mt_pace_sample(&node, 0, 1, now);
    assert_expected(LEARNED);
    intervals.tries = 1;
    intervals.log_sync_heard = 1;
    mt_pace_sample(&node, 0, 1, now);
    assert_expected(LEARNED);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_longer_interval_is_expected_once_it_is_named),
        TEST(no_interval_is_expected_that_nobody_may_ask_for),
        TEST(only_what_the_port_follows_counts),
        TEST(a_short_frame_names_nothing),
        TEST(syncs_that_name_none_come_as_they_were_granted),
        TEST(an_interval_that_was_asked_for_is_expected_until_it_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
