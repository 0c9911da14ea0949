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
    event.reason = "no port can be used";
    assert_sentence(&event, "instance main: follows nobody now: no port can be used");
    event.reason = NULL;
    event.kind = MT_STATUS_EVENT_TIME_PROPERTIES;
    event.value.time = &f.instance.time;
    assert_sentence(&event, "instance main: PTP timescale, UTC offset 37 s, source gnss");
    f.instance.time.time_source = 0;
    assert_sentence(&event, "instance main: PTP timescale, UTC offset 37 s");
    event.port = "eth1";
    event.kind = MT_STATUS_EVENT_LINK_UP;
    event.value.interface = NULL;
    assert_sentence(&event, "port eth1: the link is up");
    event.value.interface = "lan9";
    event.reason = "software";
    assert_sentence(&event, "port eth1: the link is up; its interface is called lan9 now; "
                            "timestamps: software");
    event.reason = NULL;
    event.kind = MT_STATUS_EVENT_LINK_DOWN;
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
    event.value.step = mt_span_from_ns(2928);
    assert_sentence(&event, "clock main: stepped by +2.928 us");
    event.value.step = mt_span_from_ns(-999);
    assert_sentence(&event, "clock main: stepped by -999 ns");
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
    event.kind = MT_STATUS_EVENT_CLOCK_BEYOND;
    event.value.beyond.bound_ns = 1234;
    event.value.beyond.accuracy_ns = 1000;
    event.value.beyond.age_ns = INT64_C(7200999999999);
    assert_sentence(&event, "clock main: out of its holdover specification after 7200 s: it may be "
                            "wrong by 1.234 us, and 1.000 us are allowed");
    event.value.beyond.bound_ns = 999;
    assert_sentence(&event, "clock main: out of its holdover specification after 7200 s, which is "
                            "longer than holdover_limit");
    event.value.beyond.bound_ns = -1;
    assert_sentence(&event, "clock main: out of its holdover specification: nothing is known of "
                            "its error");
    event.kind = MT_STATUS_EVENT_QUALITY;
    event.value.quality.from = 6;
    event.value.quality.to = 7;
    assert_sentence(&event, "instance two: announces clockClass 7, was 6");
    event.kind = MT_STATUS_EVENT_CLOCK_REFUSED;
    event.reason = "Invalid argument";
    assert_sentence(&event, "clock main: the system refused a correction: Invalid argument; put "
                            "that right, or use clock = overlay");
    event.reason = NULL;
    assert_sentence(&event, "clock main: the system refused a correction: the reason is not known; "
                            "put that right, or use clock = overlay");
    event.kind = MT_STATUS_EVENT_NO_THERMOMETER;
    event.reason = "cannot read the thermometer /t: No such file or directory; waiting for it";
    assert_sentence(&event, "clock main: cannot read the thermometer /t: No such file or "
                            "directory; waiting for it; its holdover goes without");
    event.kind = MT_STATUS_EVENT_THERMOMETER;
    assert_sentence(&event, "clock main: its thermometer can be read");
}

static void events_name_who_takes_utc_for_tai(void **state)
{
    const struct mt_leap_claim claim = {.by = MT_LEAP_BY_PTP, .has_offset = true};
    const struct mt_leap_claim leap = {.by = MT_LEAP_BY_NTP, .has_leap = true, .leap_s = 1};
    struct mt_status_event event = {.kind = MT_STATUS_EVENT_UTC_CONFUSED, .clock = "main"};
    event.value.utc.who = "two";
    event.value.utc.claim = &claim;
    event.value.utc.quarrel = MT_LEAP_IS_UTC;
    event.value.utc.tai_minus_utc_s = 37;
    event.value.utc.by = MT_LEAP_BY_LIST;
    assert_sentence(&event, "clock main: the grandmaster of instance two says that TAI - UTC is 0 "
                            "s, which looks like UTC taken for TAI; that is not believed, 37 s "
                            "(list) is used");
    event.value.utc.quarrel = MT_LEAP_TIMES_APART;
    assert_sentence(&event,
                    "clock main: the grandmaster of instance two differs from others by TAI "
                    "- UTC: it looks as if one of them took UTC for TAI; that is not "
                    "believed, 37 s (list) is used");
    event.kind = MT_STATUS_EVENT_UTC_CONTRADICTED;
    event.value.utc.claim = &leap;
    event.value.utc.quarrel = MT_LEAP_NOT_LISTED;
    assert_sentence(&event, "clock main: NTP server two announces a leap second to be inserted "
                            "today, of which better sources know nothing; that is not believed, "
                            "37 s (list) is used");
    event.kind = MT_STATUS_EVENT_UTC_AGREED;
    assert_sentence(&event, "clock main: all sources agree on TAI - UTC, 37 s, and leap seconds");
    event.kind = MT_STATUS_EVENT_UTC_CHANGED;
    event.value.utc.before_s = 36;
    assert_sentence(&event, "clock main: TAI - UTC is 37 s (list), not 36 s as was believed: UTC "
                            "is put right");
    event.kind = MT_STATUS_EVENT_CLOCK_STEP;
    event.tai_minus_utc_s = 37;
    event.value.step = mt_span_from_ns(-37100000000);
    assert_sentence(&event, "clock main: stepped by -37.100000000 s; so much is TAI - UTC: it "
                            "looks as if UTC was taken for TAI, here or at its source");
}

static void events_say_what_a_port_hears_and_does_not(void **state)
{
    const struct mt_address address = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    struct mt_status_event event = {.instance = "main", .port = "eth0"};
    event.kind = MT_STATUS_EVENT_DELAY_UNANSWERED;
    event.value.heard.count = 8;
    assert_sentence(&event,
                    "instance main, port eth0: nobody answers its Delay_Req, 8 in a row, so no "
                    "delay is measured: is something on the way that lets only one direction "
                    "through, or are keys asked for over there?");
    event.kind = MT_STATUS_EVENT_DELAY_ANSWERED;
    assert_sentence(&event, "instance main, port eth0: its Delay_Req are answered now");
    event.kind = MT_STATUS_EVENT_FORGED;
    event.value.heard.sender.port = 3;
    assert_sentence(&event,
                    "instance main, port eth0: refused 8 messages with a wrong authentication "
                    "code, the last one by 000000.0000.000000-3: the keys differ, or somebody "
                    "forges; compare what meantime keys says on both sides");
    event.kind = MT_STATUS_EVENT_UNSIGNED;
    event.value.heard.count = 1;
    event.value.heard.sender.port = 0;
    assert_sentence(&event, "instance main, port eth0: refused 1 message without an authentication "
                            "code: the sender has no keys, and this port asks for them "
                            "(security_file)");
    event.kind = MT_STATUS_EVENT_OTHER_DOMAIN;
    event.value.heard.domain = 5;
    event.value.heard.own_domain = 24;
    event.value.heard.own_sdo_id = 0x100;
    assert_sentence(&event, "instance main, port eth0: hears 000000.0000.000000-0 in domain 5, "
                            "sdoId 0x000, but is in domain 24, sdoId 0x100 itself");
    event.kind = MT_STATUS_EVENT_UNICAST_DENIED;
    event.value.heard.address = &address;
    assert_sentence(&event, "instance main, port eth0: 192.0.2.1 denies unicast service");
}

static void events_fit_when_names_are_long(void **state)
{
    char name[32];
    char who[120]; /* as long as the platform makes it */
    const struct mt_address address = {.network = MT_NETWORK_UDP_IPV6, .octets = {32, 1, 13}};
    memset(name, 'x', 31);
    name[31] = '\0';
    memset(who, 'w', sizeof who - 1);
    who[sizeof who - 1] = '\0';
    struct mt_span step = {INT64_MIN, 1, 0};
    for (unsigned kind = 0; kind < MT_STATUS_EVENT_NTP_REACHABLE; kind++) {
        char text[2 * MT_STATUS_SENTENCE_SIZE];
        struct mt_status_event event = {
            .kind = (enum mt_status_event_kind)kind, .instance = name, .port = name, .clock = name};
        if (kind == MT_STATUS_EVENT_PARENT) {
            event.value.parent = &f.instance.parent;
        } else if (kind == MT_STATUS_EVENT_TIME_PROPERTIES) {
            event.value.time = &f.instance.time;
        } else if (kind == MT_STATUS_EVENT_LINK_UP) {
            event.value.interface = name;
        } else if (kind == MT_STATUS_EVENT_NOTICE) {
            event.value.text = name;
        } else if (kind >= MT_STATUS_EVENT_DELAY_UNANSWERED &&
                   kind <= MT_STATUS_EVENT_UNICAST_DENIED) {
            event.value.heard.count = UINT64_MAX;
            event.value.heard.sender.port = UINT16_MAX;
            event.value.heard.address = &address;
        } else if (kind == MT_STATUS_EVENT_CLOCK_STANDBY) {
            event.value.standby.from = name;
            event.reason = "the primary is good again, but differs by more than "
                           "standby_max_difference";
        } else if (kind == MT_STATUS_EVENT_CLOCK_SHARED || kind == MT_STATUS_EVENT_CLOCK_ALONE) {
            event.value.policy = "yield";
            event.reason = who;
        } else if (kind == MT_STATUS_EVENT_CLOCK_DISTURBED) {
            event.value.change.step = step;
            event.reason = who;
        } else {
            event.value.step = step;
        }
        f.instance.time.flags = 0xFF;
        mt_status_sentence(&event, text, sizeof text);
        assert_in_range(strlen(text), 2, MT_STATUS_SENTENCE_SIZE - 1); /* none is "?" */
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

static void events_tell_who_else_changes_a_clock_when_that_is_known(void **state)
{
    struct mt_status_event event = {.kind = MT_STATUS_EVENT_CLOCK_DISTURBED, .clock = "main"};
    event.value.change.step = mt_span_from_ns(-100000000);
    assert_sentence(&event,
                    "clock main: another process changed it, by -0.100000000 s; let only one "
                    "of the two steer it: stop that one, or see when_shared and clock = "
                    "overlay");
    event.reason = "chronyd (process 77)";
    event.value.change.step = (struct mt_span){0, 0, 0};
    event.value.change.rate = MT_REAL(-12.3456e-6);
    assert_sentence(&event, "clock main: chronyd (process 77) changed it, by -12.346 ppm in "
                            "frequency; let only one of the two steer it: stop that one, or see "
                            "when_shared and clock = overlay");
    event.kind = MT_STATUS_EVENT_CLOCK_SHARED;
    event.value.policy = "warn";
    assert_sentence(&event, "clock main: chronyd (process 77) keeps changing it, and both steer it "
                            "now; stop one of the two, or say with when_shared whose it is");
    event.value.policy = "yield";
    assert_sentence(&event, "clock main: chronyd (process 77) keeps changing it, so it is left to "
                            "that (when_shared = yield); the published time still follows its own "
                            "sources");
    event.value.policy = "insist";
    event.reason = NULL;
    assert_sentence(&event, "clock main: another process keeps changing it; each change is taken "
                            "back (when_shared = insist)");
    event.kind = MT_STATUS_EVENT_CLOCK_ALONE;
    assert_sentence(&event, "clock main: nobody else has changed it for 20 minutes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_tell_who_else_changes_a_clock_when_that_is_known),
        cmocka_unit_test_setup(events_are_sentences_about_ports_and_instances, set_up),
        cmocka_unit_test_setup(events_are_sentences_about_clocks, set_up),
        cmocka_unit_test_setup(events_name_who_takes_utc_for_tai, set_up),
        cmocka_unit_test_setup(events_say_what_a_port_hears_and_does_not, set_up),
        cmocka_unit_test_setup(events_fit_when_names_are_long, set_up),
        cmocka_unit_test_setup(events_of_an_instance_are_sentences, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
