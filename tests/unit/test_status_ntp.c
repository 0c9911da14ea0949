/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences and names about NTP servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status/events.h"
#include "status/names.h"

static const struct mt_address address4 = {.network = MT_NETWORK_UDP_IPV4,
                                           .octets = {192, 0, 2, 1}};
static const struct mt_address address6 = {.network = MT_NETWORK_UDP_IPV6,
                                           .octets = {0xFD, 1, [15] = 9}};

static void assert_sentence(enum mt_status_event_kind kind, const char *name,
                            const struct mt_address *address, const struct mt_ntp_header *answer,
                            const char *reason, const char *wanted)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    struct mt_status_event event = {.kind = kind, .reason = reason};
    event.value.ntp.server = name;
    event.value.ntp.address = address;
    event.value.ntp.answer = answer;
    mt_status_sentence(&event, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void status_ntp_tells_of_servers_when_they_come_and_go(void **state)
{
    const struct mt_ntp_header primary = {.stratum = 1, .reference_id = {'G', 'P', 'S'}};
    const struct mt_ntp_header other = {.version = 4, .stratum = 3, .reference_id = {10, 0, 0, 7}};
    const struct mt_ntp_header none = {0};
    assert_sentence(MT_STATUS_EVENT_NTP_REACHABLE, "192.0.2.1", &address4, &primary, NULL,
                    "NTP server 192.0.2.1: answers, stratum 1, its source is GPS");
    assert_sentence(MT_STATUS_EVENT_NTP_REACHABLE, "time.example", &address6, &other, NULL,
                    "NTP server time.example (fd01::9): answers, stratum 3, its source is "
                    "10.0.0.7");
    assert_sentence(MT_STATUS_EVENT_NTP_UNREACHABLE, "time.example", &address4, &other, NULL,
                    "NTP server time.example (192.0.2.1): does not answer any more");
    assert_sentence(MT_STATUS_EVENT_NTP_UNREACHABLE, "192.0.2.1", &address4, &other, "no way",
                    "NTP server 192.0.2.1: does not answer any more: no way");
    assert_sentence(MT_STATUS_EVENT_NTP_UNREACHABLE, "192.0.2.1", &address4, &none, NULL,
                    "NTP server 192.0.2.1: does not answer");
    assert_sentence(MT_STATUS_EVENT_NTP_REFUSED, "192.0.2.1", &address4, &other, NULL,
                    "NTP server 192.0.2.1: wants no more questions from here, and is not asked");
}

static void status_ntp_sentences_fit_when_names_are_long(void **state)
{
    char name[254];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int kind = MT_STATUS_EVENT_NTP_REACHABLE; kind <= MT_STATUS_EVENT_NTP_REFUSED; kind++) {
        const struct mt_ntp_header answer = {.stratum = 15, .reference_id = {255, 255, 255, 255}};
        char text[2 * MT_STATUS_SENTENCE_SIZE];
        struct mt_status_event event = {.kind = (enum mt_status_event_kind)kind};
        event.value.ntp.server = name;
        event.value.ntp.address = &address6;
        event.value.ntp.answer = &answer;
        mt_status_sentence(&event, text, sizeof text);
        assert_in_range(strlen(text), 1, MT_STATUS_SENTENCE_SIZE - 1);
        assert_string_not_equal(mt_status_event_name(event.kind), "?");
        assert_string_not_equal(mt_status_event_meaning(event.kind), "?");
    }
}

static void status_ntp_reference_is_harmless_when_it_is_no_text(void **state)
{
    char text[MT_NTP_REFERENCE_TEXT_SIZE];
    const struct mt_ntp_header odd = {.stratum = 1, .reference_id = {'A', '\n', 0x80, 'B'}};
    const struct mt_ntp_header none = {.stratum = 0};
    mt_ntp_reference_text(&odd, text);
    assert_string_equal(text, "65.10.128.66");
    mt_ntp_reference_text(&none, text);
    assert_string_equal(text, "");
}

static void events_name_the_source_that_lies(void **state)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    struct mt_status_event event = {.kind = MT_STATUS_EVENT_SOURCE_FALSE, .clock = "main"};
    event.value.member.name = "time.example.org";
    event.value.member.miss = -0.0625;
    mt_status_sentence(&event, text, sizeof text);
    assert_string_equal(text,
                        "clock main: source time.example.org is not believed: the others agree "
                        "that it is ahead, by at least 0.062500000 s");
    event.value.member.miss = 2;
    mt_status_sentence(&event, text, sizeof text);
    assert_non_null(strstr(text, "that it is behind, by at least 2.000000000 s"));
    const struct mt_address address = {MT_NETWORK_UDP_IPV4, {192, 0, 2, 7}, 123};
    event.kind = MT_STATUS_EVENT_SOURCE_SELECTED;
    event.value.member.name = "pool.ntp.org";
    event.value.member.address = &address;
    mt_status_sentence(&event, text, sizeof text);
    assert_string_equal(text, "clock main: steered by source pool.ntp.org (192.0.2.7)");
    event.kind = MT_STATUS_EVENT_CLOCK_PANIC;
    event.value.step = (struct mt_span){-3, 0, 0};
    mt_status_sentence(&event, text, sizeof text);
    assert_string_equal(text, "clock main: should be stepped by -3.000000000 s, which is more than "
                              "panic allows, so it is left as it is; if its source is right, "
                              "restart the daemon");
}

static void events_of_sources_fit_when_names_are_long(void **state)
{
    char name[32] = {0};
    memset(name, 'x', sizeof name - 1);
    for (unsigned kind = MT_STATUS_EVENT_SOURCE_SELECTED; kind <= MT_STATUS_EVENT_SOURCE_TRUE;
         kind++) {
        char text[2 * MT_STATUS_SENTENCE_SIZE];
        struct mt_status_event event = {.kind = (enum mt_status_event_kind)kind, .clock = name};
        event.value.member.name = name;
        event.value.member.miss = -1e12;
        mt_status_sentence(&event, text, sizeof text);
        assert_in_range(strlen(text), 1, MT_STATUS_SENTENCE_SIZE - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_sources_fit_when_names_are_long),
        cmocka_unit_test(events_name_the_source_that_lies),
        cmocka_unit_test(status_ntp_tells_of_servers_when_they_come_and_go),
        cmocka_unit_test(status_ntp_sentences_fit_when_names_are_long),
        cmocka_unit_test(status_ntp_reference_is_harmless_when_it_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
