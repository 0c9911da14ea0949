/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events as sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status/events.h"
#include "status/names.h"

struct fixture {
    struct mt_instance instance;
};
static struct fixture f;

static int set_up(void **state)
{
    memset(&f, 0, sizeof f);
    f.instance.parent.sender.port = 9;
    f.instance.time.flags = MT_PTP_UTC_OFFSET_VALID | MT_PTP_TIMESCALE;
    f.instance.time.utc_offset = 37;
    f.instance.time.time_source = 0x20;
    return 0;
}

static void assert_sentence(const struct mt_status_event *event, const char *sentence)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    mt_status_sentence(event, text, sizeof text);
    assert_string_equal(text, sentence);
}

static void events_are_sentences_about_ports_and_instances(void **state)
{
    struct mt_status_event event = {.instance = "main", .port = "eth0"};
    event.kind = MT_STATUS_EVENT_PORT_STATE;
    event.value.state.from = MT_STATE_UNCALIBRATED;
    event.value.state.to = MT_STATE_RECEIVER;
    assert_sentence(&event, "instance main, port eth0: RECEIVER, was UNCALIBRATED");
    event.kind = MT_STATUS_EVENT_PARENT;
    event.value.parent = &f.instance.parent;
    f.instance.parent.steps_removed = 1;
    assert_sentence(&event, "instance main: follows 000000.0000.000000-9 on port eth0; grandmaster "
                            "000000.0000.000000, 1 step away");
    event.port = NULL;
    assert_sentence(&event, "instance main: this clock is the best one in its domain now");
    event.kind = MT_STATUS_EVENT_TIME_PROPERTIES;
    event.value.time = &f.instance.time;
    assert_sentence(&event, "instance main: PTP timescale, UTC offset 37 s, source gnss");
    event.kind = MT_STATUS_EVENT_LINK_DOWN;
    event.port = "eth1";
    assert_sentence(&event, "port eth1: the link is down");
    event.reason = "there is no interface eth1";
    assert_sentence(&event, "port eth1: cannot be used: there is no interface eth1");
}

static void events_are_sentences_about_clocks(void **state)
{
    struct mt_status_event event = {.clock = "main"};
    event.kind = MT_STATUS_EVENT_CLOCK_STEP;
    event.value.step = mt_span_from_ns(-250000001);
    assert_sentence(&event, "clock main: stepped by -0.250000001 s");
    event.kind = MT_STATUS_EVENT_CLOCK_PHASE;
    event.value.phase.from = MT_STEER_ACQUIRING;
    event.value.phase.to = MT_STEER_LOCKED;
    assert_sentence(&event, "clock main: is synchronised (locked, was acquiring)");
    event.kind = MT_STATUS_EVENT_CLOCK_SCALE;
    event.value.scale.source = MT_SCALE_ARB;
    event.value.scale.clock = MT_SCALE_UTC;
    assert_sentence(&event, "clock main: runs on UTC and its source on ARB, which cannot be "
                            "converted; if the source sends UTC, set arb_timescale = utc");
    event.kind = MT_STATUS_EVENT_CLOCK_STANDBY;
    event.instance = "two";
    event.value.standby.from = "main";
    event.reason = "the other one follows nobody";
    assert_sentence(&event, "clock main: steered by instance two now, was main; the other one "
                            "follows nobody");
    event.kind = MT_STATUS_EVENT_CLOCK_REFUSED;
    event.reason = "Invalid argument";
    assert_sentence(&event, "clock main: the system refused a correction: Invalid argument; put "
                            "that right, or use clock = overlay");
    event.reason = NULL;
    assert_sentence(&event, "clock main: the system refused a correction: the reason is not known; "
                            "put that right, or use clock = overlay");
}

static void events_fit_when_names_are_long(void **state)
{
    char name[32];
    memset(name, 'x', 31);
    name[31] = '\0';
    struct mt_span step = {INT64_MIN, 1, 0};
    for (unsigned kind = 0; kind < MT_STATUS_EVENT_NTP_REACHABLE; kind++) {
        char text[2 * MT_STATUS_SENTENCE_SIZE];
        struct mt_status_event event = {
            .kind = (enum mt_status_event_kind)kind, .instance = name, .port = name, .clock = name};
        if (kind == MT_STATUS_EVENT_PARENT) {
            event.value.parent = &f.instance.parent;
        } else if (kind == MT_STATUS_EVENT_TIME_PROPERTIES) {
            event.value.time = &f.instance.time;
        } else if (kind == MT_STATUS_EVENT_NOTICE) {
            event.value.text = name;
        } else if (kind == MT_STATUS_EVENT_CLOCK_STANDBY) {
            event.value.standby.from = name;
            event.reason = "the primary is good again, but differs by more than "
                           "standby_max_difference";
        } else {
            event.value.step = step;
        }
        f.instance.time.flags = 0xFF;
        mt_status_sentence(&event, text, sizeof text);
        assert_in_range(strlen(text), 1, MT_STATUS_SENTENCE_SIZE - 1);
        assert_string_not_equal(mt_status_event_name(event.kind), "?");
        assert_string_not_equal(mt_status_event_meaning(event.kind), "?");
    }
}

static void events_of_an_instance_are_sentences(void **state)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    struct mt_event event = {.kind = MT_EVENT_STATE, .port = 1};
    event.value.state.from = MT_STATE_LISTENING;
    event.value.state.to = MT_STATE_TRANSMITTER;
    mt_event_sentence(&event, "main", "eth0", text, sizeof text);
    assert_string_equal(text, "instance main, port eth0: TRANSMITTER, was LISTENING");
    event.kind = MT_EVENT_SAMPLE;
    mt_event_sentence(&event, "main", "eth0", text, sizeof text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(events_are_sentences_about_ports_and_instances, set_up),
        cmocka_unit_test_setup(events_are_sentences_about_clocks, set_up),
        cmocka_unit_test_setup(events_fit_when_names_are_long, set_up),
        cmocka_unit_test_setup(events_of_an_instance_are_sentences, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
