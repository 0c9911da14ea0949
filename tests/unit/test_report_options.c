/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * status/: what the report says of a port's table of unicast transmitters and of its signatures, of
 * an oscillator and of a thermometer, of what a port hears. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"
#include "status/report.h"

#define TRANSMITTERS 3

static struct mt_port port;
static struct mt_port_more port_more;
static struct mt_instance instance;
static struct mt_instance_more instance_more;
static struct mt_profile profile;
static struct mt_requester requester;
static struct mt_unicast_transmitter table[TRANSMITTERS];
static struct mt_security security;
static struct mt_discipline discipline;
static struct mt_clock_quality_report quality;
static struct mt_clock_page page;
static struct mt_steer_oscillator oscillator;
static bool learns;
static struct mt_report_thermometer thermometer;
static struct mt_report_heard heard;
static struct mt_report_names names;

static struct mt_port_identity identity_of(uint8_t last)
{
    return (struct mt_port_identity){.clock.octet = {[7] = last}, .port = 1};
}

static int set_up(void **state)
{
    (void)state;
    memset(&port, 0, sizeof port);
    memset(&port_more, 0, sizeof port_more);
    memset(&instance, 0, sizeof instance);
    memset(&instance_more, 0, sizeof instance_more);
    memset(table, 0, sizeof table);
    memset(&security, 0, sizeof security);
    memset(&heard, 0, sizeof heard);
    memset(&names, 0, sizeof names);
    learns = false;
    thermometer = (struct mt_report_thermometer){.celsius = (mt_real)NAN};
    mt_profile_init(&profile);
    for (uint8_t i = 0; i < TRANSMITTERS; i++) {
        table[i].address = (struct mt_address){.network = MT_NETWORK_UDP_IPV4,
                                               .octets = {192, 0, 2, (uint8_t)(i + 1)}};
    }
    mt_requester_init(&requester, table, TRANSMITTERS, true, 300);
    requester.is_running = true;
    for (uint8_t i = 0; i < TRANSMITTERS; i++) {
        table[i].identity = identity_of(i);
        table[i].is_identity_known = true;
    }
    port.identity.port = 1;
    port.state = MT_STATE_RECEIVER;
    port.config.more = &port_more;
    port_more.requester = &requester;
    port_more.security.spp = MT_SECURITY_OFF;
    instance.ports = &port;
    instance.port_count = 1;
    instance.now.ns = 1000;
    instance.config.more = &instance_more;
    instance_more.profile = &profile;
    return 0;
}

static char *json_of(void)
{
    const struct mt_report_port report_port = {.name = "eth0",
                                               .interface = "eth0",
                                               .transport = "udp4",
                                               .ptp = &port,
                                               .heard = heard,
                                               .transmitters = names,
                                               .servers = names,
                                               .instance = &instance};
    const struct mt_report_instance report_instance = {"main", "main", &instance, &report_port,
                                                       NULL};
    static const struct mt_leap_choice utc = {.by = MT_LEAP_BY_LIST};
    const struct mt_report_clock clock = {.name = "main",
                                          .kind = "lab",
                                          .utc = &utc,
                                          .quality = &quality,
                                          .published = &page,
                                          .discipline = &discipline,
                                          .oscillator = learns ? &oscillator : NULL,
                                          .thermometer = thermometer};
    const struct mt_report report = {.daemon = {.version = "1"},
                                     .clocks = &clock,
                                     .clock_count = 1,
                                     .instances = &report_instance,
                                     .instance_count = 1};
    return mt_report_json(&report);
}

static const char *name_of(const void *context, unsigned index)
{
    (void)context;
    return index == 1 ? NULL : "gm.example.org";
}

static void assert_says(const char *part)
{
    char *json = json_of();
    if (strstr(json, part) == NULL) {
        fail_msg("no %s in %s", part, json);
    }
    free(json);
}

static void assert_metric(const char *line)
{
    char *json = json_of();
    char *text = mt_report_open_metrics(json);
    const char *found = strstr(text, line);
    if (found == NULL || found[-1] != '\n' || found[strlen(line)] != '\n') {
        fail_msg("no %s in %s", line, text);
    }
    free(text);
    free(json);
}

/* ---- what a port hears -------------------------------------------------------------------- */

static void report_counts_no_frames_of_siblings_as_refused(void **state)
{
    (void)state;
    port.verdicts[MT_VERDICT_DOMAIN] = 12;
    assert_says("\"other_domain\":{\"number\":null,\"sdo_id\":null},\"sibling_frames\":0");
    heard = (struct mt_report_heard){
        .of_siblings = 9, .has_other_domain = true, .other_domain = 5, .other_sdo_id = 0x100};
    assert_says("\"other_domain\":{\"number\":5,\"sdo_id\":256},\"sibling_frames\":9");
    assert_says("\"domain\":3,");
    assert_metric(
        "meantime_port_verdicts_total{instance=\"main\",port=\"eth0\",verdict=\"domain\"} 3");
}

static void report_tells_how_many_requests_were_not_answered(void **state)
{
    (void)state;
    assert_says("\"delay_req\":{\"unanswered\":false,\"unanswered_in_a_row\":0}");
    heard = (struct mt_report_heard){.is_unanswered = true, .unanswered = 49};
    assert_says("\"delay_req\":{\"unanswered\":true,\"unanswered_in_a_row\":49}");
}

static void report_says_who_was_followed_last(void **state)
{
    (void)state;
    assert_says("\"last_followed\":null");
    instance.last_followed.octet[0] = 1;
    assert_says("\"last_followed\":\"010000.0000.000000\"");
    memset(&instance.last_followed, 0, sizeof instance.last_followed);
}

/* ---- who else is heard -------------------------------------------------------------------- */

static struct mt_ptp_dataset dataset_of(uint8_t last)
{
    return (struct mt_ptp_dataset){.priority1 = 100,
                                   .quality = {6, 0x21, 0x4E5D},
                                   .priority2 = 128,
                                   .local_priority = 128,
                                   .grandmaster = identity_of(last).clock,
                                   .steps_removed = 1,
                                   .sender = identity_of(last),
                                   .receiver = {.port = 1}};
}

/* The port follows number 1 and hears number 2, which differs from it as `change` says. */
static void assert_heard(mt_dataset_comparison compare, void (*change)(struct mt_ptp_dataset *),
                         const char *reason)
{
    static struct mt_ptp_features features;
    char part[200];
    features.compare = compare;
    instance.config.features = &features;
    instance.config.announces_to_skip = 1;
    instance.receiving_port = 1;
    port.config.log_announce_interval = 1;
    for (uint8_t i = 0; i < 2; i++) {
        port.foreign[i].is_used = true;
        port.foreign[i].dataset = dataset_of((uint8_t)(i + 1));
        port.foreign[i].heard[0].ns = 900;
        port.foreign[i].heard[1].ns = 800;
    }
    port.best = &port.foreign[0];
    change(&port.foreign[1].dataset);
    snprintf(part, sizeof part,
             "\"heard\":{\"000000.0000.000001-1\":\"followed\",\"000000.0000.000002-1\":\"%s\"}",
             reason);
    assert_says(part);
}

static void change_nothing(struct mt_ptp_dataset *dataset)
{
    (void)dataset;
}

static void change_priority1(struct mt_ptp_dataset *dataset)
{
    dataset->priority1 = 200;
    dataset->quality.clock_class = 5;
}

static void change_class(struct mt_ptp_dataset *dataset)
{
    dataset->quality.clock_class = 248;
    dataset->priority2 = 1;
}

static void change_accuracy(struct mt_ptp_dataset *dataset)
{
    dataset->quality.accuracy = 0xFE;
}

static void change_variance(struct mt_ptp_dataset *dataset)
{
    dataset->quality.variance = 0xFFFF;
}

static void change_priority2(struct mt_ptp_dataset *dataset)
{
    dataset->priority2 = 129;
}

static void change_local_priority(struct mt_ptp_dataset *dataset)
{
    dataset->local_priority = 129;
    dataset->priority1 = 1;
}

static void change_way(struct mt_ptp_dataset *dataset)
{
    dataset->grandmaster = identity_of(1).clock;
    dataset->steps_removed = 4;
    dataset->priority1 = 1;
}

static void change_sender(struct mt_ptp_dataset *dataset)
{
    dataset->grandmaster = identity_of(1).clock;
}

static void report_names_the_criterion_by_which_others_are_worse(void **state)
{
    const mt_dataset_comparison plain = &mt_dataset_compare;
    (void)state;
    assert_heard(plain, change_priority1, "worse by priority1 (200, not 100)");
    assert_heard(plain, change_class, "worse by clockClass (248, not 6)");
    assert_heard(plain, change_accuracy, "worse by clockAccuracy (unknown, not 100 ns)");
    assert_heard(plain, change_variance, "worse by offsetScaledLogVariance (65535, not 20061)");
    assert_heard(plain, change_priority2, "worse by priority2 (129, not 128)");
    assert_heard(plain, change_nothing, "equal in all, but of a higher grandmasterIdentity");
    assert_heard(plain, change_way, "worse by stepsRemoved (4, not 1)");
    assert_heard(plain, change_sender, "another way of the same length, of a higher portIdentity");
    assert_heard(&mt_dataset_compare_itu, change_local_priority,
                 "worse by localPriority (129, not 128)");
    assert_heard(&mt_dataset_compare_itu, change_way, "worse by stepsRemoved (4, not 1)");
    assert_heard(&mt_dataset_compare_quality, change_class, "worse by clockClass (248, not 6)");
    assert_heard(&mt_dataset_compare_quality, change_local_priority,
                 "worse by localPriority (129, not 128)");
    assert_heard(&mt_dataset_compare_quality, change_way,
                 "equal in all, but of a higher portIdentity");
}

static void report_tells_of_those_only_that_are_heard(void **state)
{
    (void)state;
    assert_heard(&mt_dataset_compare, change_priority1, "worse by priority1 (200, not 100)");
    port.foreign[1].heard[1].ns = 0;
    assert_says("\"000000.0000.000002-1\":\"not heard often enough\"");
    instance.now.ns = 900 + INT64_C(8000000000);
    assert_says("\"000000.0000.000002-1\":\"not heard often enough\"");
    instance.now.ns++;
    assert_says("\"heard\":{\"000000.0000.000001-1\":\"followed\"}");
    instance.now.ns = 1000;
    port.foreign[1].heard[1].ns = 800;
    instance.receiving_port = 0; /* a clock of priority1 0 is better than both */
    instance.config.quality = (struct mt_clock_quality){6, 0x21, 0x4E5D};
    assert_says("\"000000.0000.000002-1\":\"worse by priority1 (200, not 0)\"");
    instance.config.priority1 = 150;
    assert_says("\"000000.0000.000001-1\":\"better than this clock, and not followed\"");
    instance.config.priority1 = 0;
}

/* ---- stateless servers -------------------------------------------------------------------- */

static void report_tells_which_stateless_server_is_followed(void **state)
{
    static struct mt_stateless_client client;
    const struct mt_address servers[3] = {table[0].address, table[1].address};
    (void)state;
    mt_stateless_client_init(&client, MT_STATELESS_CSPTP, &mt_csptp_layouts[0], 0, servers, 3);
    port_more.requester = NULL;
    port_more.stateless = &client;
    names.at = name_of;
    client.peers[0].finished = 7;
    client.peers[0].timeouts = 2;
    client.peers[1].finished = 5;
    client.peers[1].status.header.source = identity_of(9);
    instance.parent.sender = identity_of(9);
    assert_says("\"servers\":{\"192.0.2.1\":7,\"192.0.2.2\":5,\"gm.example.org\":0},"
                "\"unanswered\":{\"192.0.2.1\":2,\"192.0.2.2\":0,\"gm.example.org\":0},"
                "\"followed\":null}");
    instance.receiving_port = 1;
    assert_says("\"followed\":\"192.0.2.2\"}");
    instance.receiving_port = 0;
}

/* ---- transmitters ------------------------------------------------------------------------- */

static void report_tells_why_transmitters_are_not_followed(void **state)
{
    (void)state;
    table[0].state = MT_REQUESTER_HAVE_SYNC;
    table[1].state = MT_REQUESTER_HAVE_ANNOUNCE;
    table[2].services[MT_SERVICE_ANNOUNCE].trouble = MT_TROUBLE_UNANSWERED;
    port.foreign[0].is_used = true;
    port.foreign[0].dataset.sender = table[1].identity;
    assert_says("\"transmitters\":{\"192.0.2.1\":\"followed\",\"192.0.2.2\":\"announces\","
                "\"192.0.2.3\":\"not_heard\"},\"reasons\":{\"192.0.2.1\":\"none\","
                "\"192.0.2.2\":\"not_best\",\"192.0.2.3\":\"unanswered\"},\"retry_s\":{"
                "\"192.0.2.1\":null,\"192.0.2.2\":null,\"192.0.2.3\":null}");
    port.foreign[0].is_used = false;
    assert_says("\"192.0.2.2\":\"not_acceptable\"");
    requester.is_running = false;
    assert_says("\"reasons\":{\"192.0.2.1\":\"port_down\"");
    table[0].address.network = MT_NETWORK_NONE;
    assert_says("\"transmitters\":{\"unknown 1\":\"unresolved\"");
    names.at = name_of;
    assert_says("\"transmitters\":{\"gm.example.org\":\"unresolved\",\"192.0.2.2\":");
    assert_says("\"reasons\":{\"gm.example.org\":\"no_address\"");
    assert_says("\"retry_s\":{\"gm.example.org\":null");
}

static void report_tells_a_denial_and_not_what_was_before_it(void **state)
{
    (void)state;
    table[0].services[MT_SERVICE_SYNC].trouble = MT_TROUBLE_SILENT;
    assert_says("\"reasons\":{\"192.0.2.1\":\"loss_sync\"");
    table[0].services[MT_SERVICE_ANNOUNCE].is_wanted = true;
    table[0].services[MT_SERVICE_ANNOUNCE].trouble = MT_TROUBLE_DENIED;
    assert_says("\"reasons\":{\"192.0.2.1\":\"denied\"");
    table[0].held_until.ns = 1000 + INT64_C(1000000000);
    assert_says("\"reasons\":{\"192.0.2.1\":\"denied\"");
    profile.barred[0] = (struct mt_barred){
        .sender = table[0].identity, .until.ns = 1000 + INT64_C(2500000000), .for_sync = true};
    assert_says("{\"192.0.2.1\":\"wait_to_restore\"");
    assert_says("\"reasons\":{\"192.0.2.1\":\"denied\"");
    table[0].services[MT_SERVICE_ANNOUNCE].trouble = MT_TROUBLE_NONE;
    assert_says("\"reasons\":{\"192.0.2.1\":\"loss_sync\"");
}

static void report_tells_what_a_transmitter_waits_for_when_its_signal_failed(void **state)
{
    (void)state;
    profile.barred[3] = (struct mt_barred){
        .sender = table[0].identity, .until.ns = 1000 + INT64_C(2500000000), .for_sync = true};
    profile.barred[4] =
        (struct mt_barred){.sender = table[1].identity, .until.ns = 1000 + INT64_C(7000000000)};
    profile.barred[5] = (struct mt_barred){.sender = table[2].identity, .until.ns = 1000};
    assert_says("{\"192.0.2.1\":\"wait_to_restore\",\"192.0.2.2\":\"wait_to_restore\","
                "\"192.0.2.3\":\"not_heard\"},\"reasons\":{\"192.0.2.1\":\"loss_sync\","
                "\"192.0.2.2\":\"loss_announce\",\"192.0.2.3\":\"none\"},\"retry_s\":{"
                "\"192.0.2.1\":2.5,\"192.0.2.2\":7,\"192.0.2.3\":null}");
}

static void report_names_the_trouble_of_sync_first_when_a_transmitter_is_held(void **state)
{
    static const struct {
        uint8_t trouble;
        const char *code;
    } cases[] = {{MT_TROUBLE_UNANSWERED, "unanswered"},
                 {MT_TROUBLE_DENIED, "denied"},
                 {MT_TROUBLE_CANCELLED, "cancelled"},
                 {MT_TROUBLE_EXPIRED, "expired"},
                 {MT_TROUBLE_SILENT, "loss_sync"}};
    (void)state;
    table[0].held_until.ns = 1000 + INT64_C(1000000000);
    table[0].services[MT_SERVICE_ANNOUNCE].trouble = MT_TROUBLE_SILENT;
    assert_says("\"reasons\":{\"192.0.2.1\":\"loss_announce\"");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char part[80];
        table[0].services[MT_SERVICE_SYNC].trouble = cases[i].trouble;
        snprintf(part, sizeof part, "\"reasons\":{\"192.0.2.1\":\"%s\"", cases[i].code);
        assert_says(part);
    }
    assert_says("\"transmitters\":{\"192.0.2.1\":\"held\"");
    assert_metric("meantime_port_unicast_transmitters{instance=\"main\",port=\"eth0\",transmitter="
                  "\"192.0.2.1\",meantime_port_unicast_transmitters=\"held\"} 1");
    assert_metric("meantime_port_unicast_reasons{instance=\"main\",port=\"eth0\",transmitter="
                  "\"192.0.2.1\",meantime_port_unicast_reasons=\"loss_sync\"} 1");
    assert_metric("meantime_port_unicast_reasons{instance=\"main\",port=\"eth0\",transmitter="
                  "\"192.0.2.2\",meantime_port_unicast_reasons=\"loss_sync\"} 0");
}

/* ---- signatures --------------------------------------------------------------------------- */

static void report_tells_how_a_port_signs_and_verifies(void **state)
{
    static struct mt_chain chain = {.has_seed = true, .signs = 77, .known = 70};
    static const struct mt_security_key key = {.id = 5};
    static const struct mt_security_association associations[] = {
        {.spp = 3, .keys = &key, .key_count = 1}, {.spp = 4, .chain = &chain}};
    (void)state;
    assert_says("\"security\":{\"signs\":\"off\",\"verifies\":\"off\",\"spp\":null,"
                "\"key_id\":null,\"delayed_spp\":null,");
    instance_more.security = &security;
    security.associations = associations;
    security.association_count = 2;
    port_more.security = (struct mt_port_security){
        .spp = 3, .key_id = 5, .sent_signed = 9, .verified = 8, .missing = 7, .forged = 6};
    assert_says("\"security\":{\"signs\":\"immediate\",\"verifies\":\"immediate\",\"spp\":3,"
                "\"key_id\":5,\"delayed_spp\":null,\"delayed_key_id\":null,"
                "\"disclosed_key_id\":null,\"counters\":{\"signed\":9,\"unsigned\":0,"
                "\"verified\":8,\"missing\":7,\"forged\":6,\"repeated\":0}}");
    assert_metric("meantime_port_security_counters_total{instance=\"main\",port=\"eth0\","
                  "counter=\"forged\"} 6");
    port_more.security.is_delayed = true;
    port_more.security.delayed_spp = 4;
    assert_says("{\"signs\":\"both\",\"verifies\":\"both\"");
    assert_says("\"delayed_spp\":4,\"delayed_key_id\":77,\"disclosed_key_id\":70");
    assert_metric("meantime_port_security_verifies{instance=\"main\",port=\"eth0\","
                  "meantime_port_security_verifies=\"both\"} 1");
    chain.has_seed = false;
    port_more.security.key_id = 6; /* which is not there */
    assert_says("{\"signs\":\"off\",\"verifies\":\"both\",\"spp\":3,\"key_id\":null");
}

/* ---- oscillators -------------------------------------------------------------------------- */

static void report_tells_what_is_known_of_the_oscillator(void **state)
{
    (void)state;
    assert_says("\"oscillator\":{\"known\":false,\"memory\":null,\"observed_s\":null,"
                "\"walk_ppb\":null,\"ageing_ppb\":null,\"ageing_sigma_ppb\":null}");
    mt_steer_oscillator_init(&oscillator);
    learns = true;
    assert_says("\"oscillator\":{\"known\":false,\"memory\":\"none\",\"observed_s\":0,"
                "\"walk_ppb\":null,\"ageing_ppb\":null,\"ageing_sigma_ppb\":null}");
    oscillator.memory = MT_STEER_MEMORY_REPLACED;
    oscillator.known.observed_s = 7200;
    oscillator.known.wander = 4e-20;       /* 0.2 ppb per sqrt(s) */
    oscillator.known.ageing = 1e-9 / 3600; /* 24 ppb a day */
    oscillator.known.ageing_sigma = 1e-9 / 86400;
    assert_says("\"oscillator\":{\"known\":true,\"memory\":\"replaced\",\"observed_s\":7200,"
                "\"walk_ppb\":12,\"ageing_ppb\":24,\"ageing_sigma_ppb\":1}");
    assert_metric("meantime_clock_oscillator_walk_ppb{clock=\"main\"} 12");
    assert_metric("meantime_clock_oscillator_known{clock=\"main\"} 1");
    assert_metric(
        "meantime_clock_info{clock=\"main\",kind=\"lab\",time_from=\"\","
        "oscillator_memory=\"replaced\",scale=\"ARB\",utc_known_by=\"list\",device=\"\"} 1");
    oscillator.memory = MT_STEER_MEMORY_UNCHECKED; /* nothing counts yet */
    assert_says("\"known\":false,\"memory\":\"unchecked\",\"observed_s\":7200,\"walk_ppb\":null");
}

static void report_tells_the_temperature_and_what_it_does(void **state)
{
    (void)state;
    assert_says("\"thermometer\":{\"file\":null,\"fault_reason\":null,\"celsius\":null,"
                "\"used\":false,\"coefficient_ppb\":null}");
    thermometer = (struct mt_report_thermometer){"/sensor", NULL, 41.25};
    mt_steer_oscillator_init(&oscillator);
    learns = true;
    oscillator.known.observed_s = 7200;
    assert_says("\"thermometer\":{\"file\":\"/sensor\",\"fault_reason\":null,\"celsius\":41.25,"
                "\"used\":false,\"coefficient_ppb\":null}");
    oscillator.known.uses_temperature = true;
    oscillator.known.coefficient = -5e-8;
    assert_says("\"used\":true,\"coefficient_ppb\":-50}");
    assert_metric("# UNIT meantime_clock_thermometer_celsius celsius");
    assert_metric("meantime_clock_thermometer_celsius{clock=\"main\"} 41.25");
    thermometer = (struct mt_report_thermometer){"/sensor", "it is gone", (mt_real)NAN};
    assert_says("\"fault_reason\":\"it is gone\",\"celsius\":null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(report_tells_why_transmitters_are_not_followed, set_up),
        cmocka_unit_test_setup(report_tells_what_a_transmitter_waits_for_when_its_signal_failed,
                               set_up),
        cmocka_unit_test_setup(report_names_the_trouble_of_sync_first_when_a_transmitter_is_held,
                               set_up),
        cmocka_unit_test_setup(report_tells_a_denial_and_not_what_was_before_it, set_up),
        cmocka_unit_test_setup(report_counts_no_frames_of_siblings_as_refused, set_up),
        cmocka_unit_test_setup(report_tells_how_many_requests_were_not_answered, set_up),
        cmocka_unit_test_setup(report_says_who_was_followed_last, set_up),
        cmocka_unit_test_setup(report_names_the_criterion_by_which_others_are_worse, set_up),
        cmocka_unit_test_setup(report_tells_of_those_only_that_are_heard, set_up),
        cmocka_unit_test_setup(report_tells_which_stateless_server_is_followed, set_up),
        cmocka_unit_test_setup(report_tells_how_a_port_signs_and_verifies, set_up),
        cmocka_unit_test_setup(report_tells_what_is_known_of_the_oscillator, set_up),
        cmocka_unit_test_setup(report_tells_the_temperature_and_what_it_does, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
