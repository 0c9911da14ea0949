/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * config/: what people type who come from linuxptp or chrony, and what differs between two
 * configurations. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    bool is_good = mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems);
    return is_good ? config : NULL;
}

static void assert_problem(const char *text, const char *problem)
{
    struct mt_config *config = parse(text);
    if (config != NULL || problems.count != 1) {
        mt_config_problems_print(&problems, stderr);
        mt_config_free(config);
        fail_msg("%zu problems in:\n%s", problems.count, text);
    }
    assert_string_equal(problems.problem[0].text, problem);
}

/* ---- names of other programs ---------------------------------------------------------------- */

/* These mean the same, with the same values. */
static void config_takes_names_of_other_programs_when_values_are_the_same(void **state)
{
    struct mt_config *config = parse("[clock]\nfree_running = 1\n"
                                     "[ptp]\nslaveOnly = 0\nclientOnly_ = 0\n");
    assert_null(config); /* each is given once, and there is no clientOnly_ */
    config = parse("[clock]\nfree_running = 1\n"
                   "[ptp]\nslaveOnly = 0\npriority1 = 5\ndomainNumber = 3\nclockClass = 6\n"
                   "clockAccuracy = 0x21\noffsetScaledLogVariance = 0x4e5d\n"
                   "logAnnounceInterval = 0\nlogSyncInterval = -3\nlogMinDelayReqInterval = -2\n"
                   "announceReceiptTimeout = 4\n"
                   "[ptp eth0]\nserverOnly = 1\nnetwork_transport = udp4\n");
    assert_non_null(config);
    assert_true(config->clocks[0].steer.estimates_only);
    assert_int_equal(config->instances[0].ptp.domain, 3);
    assert_int_equal(config->instances[0].ptp.quality.accuracy, 0x21);
    assert_int_equal(config->ports[0].ptp.log_min_delay_req_interval, -2);
    assert_int_equal(config->ports[0].ptp.announce_receipt_timeout, 4);
    assert_true(config->ports[0].ptp.is_transmitter_only);
    mt_config_free(config);
}

static void config_names_ours_when_a_key_of_another_program_is_written(void **state)
{
    assert_problem("[clock]\nstep_threshold = 0.00002\n[ptp eth0]\n",
                   "f:2: step_threshold: unknown key in [clock]; ptp4l calls this "
                   "step_threshold; here it is step_later in [clock], [clock NAME]: with a unit, "
                   "such as 20us; never instead of 0.0");
    assert_problem("[clock]\nmakestep = 1 3\n[ptp eth0]\n",
                   "f:2: makestep: unknown key in [clock]; chrony calls this makestep; here it is "
                   "step_at_start and step_later in [clock], [clock NAME]: each with a time such "
                   "as 1s, or never");
    assert_problem(
        "[ptp]\ntwoStepFlag = 1\n[ptp eth0]\n",
        "f:2: twoStepFlag: unknown key in [ptp]; ptp4l calls this two_step_flag; here it "
        "is one_step_sync in [ptp], [instance NAME], [port NAME], [ptp INTERFACE]: the other "
        "way round; both are understood when received");
    assert_problem(
        "[ptp]\nunicast_listen = 1\n[ptp eth0]\n",
        "f:2: unicast_listen: unknown key in [ptp]; ptp4l calls this unicast_listen; here "
        "it is unicast_grants in [ptp], [instance NAME], [port NAME], [ptp INTERFACE]: yes "
        "instead of 1");
}

static void config_shows_the_spelling_when_a_line_is_of_another_program(void **state)
{
    assert_problem("[ptp]\npriority1\t\t128\n[ptp eth0]\n",
                   "f:2: priority1: expected KEY = VALUE; write priority1 = 128");
    assert_problem("[ptp eth0]\ntx_timestamp_timeout 10\n",
                   "f:2: tx_timestamp_timeout: expected [SECTION] or KEY = VALUE; ptp4l calls this "
                   "tx_timestamp_timeout; not needed here: nothing waits for a timestamp; a late "
                   "one costs one exchange, not the port");
    assert_problem("driftfile /var/lib/chrony/drift\n[ptp eth0]\n",
                   "f:1: driftfile: expected [SECTION] or KEY = VALUE; chrony calls this "
                   "driftfile; here it is state_directory in [daemon]: it is the file drift.NAME "
                   "there, unless [clock] has keep_drift = no; `meantime import f` makes one of "
                   "ours of such a file");
    assert_problem("[ptp eth0]\npool x.example.org iburst\n",
                   "f:2: pool: expected [SECTION] or KEY = VALUE; chrony calls this pool; here it "
                   "is pool in [ntp], [ntp SERVER]: a pool is a section, [ntp pool.ntp.org]");
    assert_problem(
        "[ptp eth0]\nrtcsync\n",
        "f:2: rtcsync: expected [SECTION] or KEY = VALUE; chrony calls this rtcsync; "
        "here it is rtc_sync in [clock], [clock NAME]: yes is the default of a system clock");
    assert_problem("[ptp eth0]\nirtcsyn\n", "f:2: expected [SECTION] or KEY = VALUE");
}

/* What is advised must be accepted. */
static void config_advises_a_good_value_when_that_of_another_program_is_none(void **state)
{
    assert_problem("[ptp eth0]\nnetwork_transport UDPv4\n",
                   "f:2: network_transport: expected KEY = VALUE; write network_transport = VALUE, "
                   "where VALUE is udp4, udp6 or l2");
    assert_problem("[ptp]\npriority1 256\n[ptp eth0]\n",
                   "f:2: priority1: expected KEY = VALUE; write priority1 = VALUE, where VALUE is "
                   "an integer from 0 to 255");
    assert_problem("[clock]\nclock system\n[ptp eth0]\n",
                   "f:2: clock: expected KEY = VALUE; write clock = system");
    assert_problem("[instance main]\nclock spare\n[ptp eth0]\n",
                   "f:2: clock: expected KEY = VALUE; write clock = spare");
}

static void config_names_the_section_when_it_is_of_another_program(void **state)
{
    assert_problem("[global]\npriority1 = 5\n[ptp eth0]\n",
                   "f:1: [global]: unknown section; ptp4l calls it so, here it is [ptp]; `meantime "
                   "import f` makes one of ours of such a file");
    assert_problem("[ptp eth0]\n[security_association]\nspp 3\n1 SHA256-128 HEX:00\n",
                   "f:2: [security_association]: it stands in a file of its own, which "
                   "security_file in [ptp] names");
    assert_problem("[eth0]\nlog_sync_interval = 0\n",
                   "f:1: [eth0]: unknown section; a port on the interface eth0 is [ptp eth0]");
    assert_null(parse("[global]\npriority1 = 256\n[ptp eth0]\n")); /* is looked at all the same */
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.problem[1].line, 2);
}

static void config_advises_the_import_once_when_a_file_is_another_programs(void **state)
{
    assert_null(parse("driftfile /var/lib/chrony/drift\nrtcsync\n[global]\n[ptp eth0]\n"));
    assert_int_equal(problems.count, 3);
    assert_non_null(strstr(problems.problem[0].text, "`meantime import f`"));
    assert_null(strstr(problems.problem[1].text, "meantime import"));
    assert_null(strstr(problems.problem[2].text, "meantime import"));
}

static void config_knows_what_is_meant_when_spelling_is_of_another_habit(void **state)
{
    assert_problem("[ptp eth0]\n[PTP eth1]\nx = 1\n",
                   "f:2: [PTP eth1]: unknown section; did you mean [ptp]?");
    assert_problem("[ptp eth0]\n[Clock]\nx = 1\ny 2\n",
                   "f:2: [Clock]: unknown section; did you mean [clock]?");
    assert_problem("[ptp \"eth0\"]\n[ptp x]\n",
                   "f:1: [ptp \"eth0\"]: expected the name of an interface, at most 15 "
                   "characters");
    assert_problem("[ptp eth0]\n= 5\n", "f:2: expected KEY = VALUE; there is no key");
}

/* Of an address the colons separate nothing. */
static void config_shows_the_spelling_when_the_value_has_colons(void **state)
{
    assert_problem("[server]\nallow 2001:db8::/32\n",
                   "f:2: allow: expected KEY = VALUE; write allow = 2001:db8::/32");
    assert_problem("[ptp eth0]\nunicast_transmitters 2001:db8::1\n",
                   "f:2: unicast_transmitters: expected KEY = VALUE; write unicast_transmitters = "
                   "2001:db8::1");
    struct mt_config *config = parse("[ptp eth0]\nttl : 3\n[server]\nallow: 2001:db8::/32\n");
    assert_non_null(config);
    assert_int_equal(config->ports[0].ttl, 3);
    mt_config_free(config);
}

static const char *explained(const char *name)
{
    static char text[4096];
    FILE *out = tmpfile();
    assert_non_null(out);
    bool is_known = mt_config_explain(name, out);
    rewind(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    fclose(out);
    if (!is_known) {
        fail_msg("%s is not explained: %s", name, text);
    }
    return text;
}

static void config_explains_names_of_other_programs(void **state)
{
    static const char *const names[] = {"makestep",
                                        "step_threshold",
                                        "first_step_threshold",
                                        "max_frequency",
                                        "free_running",
                                        "driftfile",
                                        "slaveOnly",
                                        "clientOnly",
                                        "masterOnly",
                                        "serverOnly",
                                        "priority1",
                                        "domainNumber",
                                        "clockClass",
                                        "clockAccuracy",
                                        "logAnnounceInterval",
                                        "logSyncInterval",
                                        "time_stamping",
                                        "gmCapable",
                                        "network_transport",
                                        "logMinDelayReqInterval",
                                        "twoStepFlag",
                                        "uds_address",
                                        "announceReceiptTimeout",
                                        "offsetScaledLogVariance",
                                        "tx_timestamp_timeout",
                                        "rtcsync",
                                        "maxdistance",
                                        "log",
                                        "unicast_master_table",
                                        "unicast_listen",
                                        "tsproc_mode",
                                        "delay_filter",
                                        "uds_ro_address",
                                        "userDescription",
                                        "logMinPdelayReqInterval"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        explained(names[i]);
    }
    const char *text = explained("gmCapable");
    assert_non_null(strstr(text, "\nreceiver_only\n"));
    text = explained("makestep");
    assert_non_null(strstr(text, "chrony calls this makestep"));
    assert_non_null(strstr(text, "\nstep_at_start\n"));
    assert_non_null(strstr(text, "\nstep_later\n"));
}

/* A key of ours in the advice that is none would lead people astray. */
static void config_has_every_key_that_it_advises(void **state)
{
    static const char *const names[] = {
        "step_threshold", "max_frequency", "logging_level",  "uds_address", "gm_capable",
        "dscp_event",     "dscp_general",  "makestep",       "driftfile",   "dumpdir",
        "maxslewrate",    "maxclockerror", "bindcmdaddress", "local",       "transport_specific"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[400];
        const struct mt_config_foreign *foreign = mt_config_foreign_find(names[i], 0);
        assert_non_null(foreign);
        mt_config_foreign_say(foreign, text, sizeof text);
        assert_null(strchr(text, '?'));
        assert_non_null(strstr(text, "here it is"));
        assert_null(mt_config_foreign_find(names[i], 1));
    }
}

/* Of each name in foreign.def, as it is written there and as the standard writes it. */
static void config_says_it_once_when_a_name_is_of_another_program(void **state)
{
    static const char *const names[] = {
#define MT_CONFIG_FOREIGN(program, name, key, other, advice) name,
#define MT_CONFIG_PLANNED(program, name, what)               name,
#include "config/foreign.def"
#undef MT_CONFIG_FOREIGN
#undef MT_CONFIG_PLANNED
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char camel[64];
        size_t length = 0;
        for (const char *from = names[i]; *from != '\0'; from++) {
            bool is_next_upper = *from == '_' && from[1] != '\0';
            from += is_next_upper;
            camel[length++] = (char)(is_next_upper ? toupper((unsigned char)*from) : *from);
        }
        camel[length] = '\0';
        assert_non_null(mt_config_foreign_find(names[i], 0));
        assert_null(mt_config_foreign_find(names[i], 1));
        assert_null(mt_config_foreign_find(camel, 1));
    }
}

/* ---- differences ---------------------------------------------------------------------------- */

static char told[2048];

static void tell(void *context, const struct mt_config_change *change)
{
    static const char *const kinds[] = {"changed", "added", "removed"};
    size_t length = strlen(told);
    (void)context;
    snprintf(told + length, sizeof told - length, "%s %s %s %zu %s %s>%s\n", kinds[change->kind],
             change->section, change->name, change->index,
             change->key == NULL ? "-" : change->key->name, change->before, change->after);
}

static void assert_differences(const char *before, const char *after, const char *expected)
{
    struct mt_config *a = parse(before);
    struct mt_config *b = parse(after);
    assert_non_null(a);
    assert_non_null(b);
    told[0] = '\0';
    mt_config_compare(a, b, tell, NULL);
    assert_string_equal(told, expected);
    mt_config_free(a);
    mt_config_free(b);
}

static void config_has_no_differences_when_only_the_order_differs(void **state)
{
    assert_differences("[clock]\nmax_slew = 9ppm\n[ptp eth0]\nttl = 2\n[ptp eth1]\n",
                       "[ptp eth1]\n[ptp eth0]\nudp_ttl = 2 # the same\n[clock main]\n"
                       "max_slew = 9ppm\n",
                       "");
}

static void config_tells_each_key_when_it_differs(void **state)
{
    assert_differences("[ptp]\npriority1 = 1\nttl = 3\n[ptp eth0]\n",
                       "[clock]\nclock = system\n[ptp]\nleap61 = yes\n[ptp eth0]\nttl = 2\n",
                       "changed clock main 0 clock overlay>system\n"
                       "changed instance main 0 priority1 1>128\n"
                       "changed instance main 0 leap61 no>yes\n"
                       "changed port eth0 0 ttl 3>2\n");
    assert_differences("[ptp eth0]\nacceptable_transmitters = aabbcc.fffe.ddeeff-1\n",
                       "[ptp eth0]\nacceptable_transmitters = aabbcc.fffe.ddeeff-2\n",
                       "changed port eth0 0 acceptable_transmitters "
                       "aabbcc.fffe.ddeeff-1>aabbcc.fffe.ddeeff-2\n");
}

static void config_tells_sections_when_they_come_and_go(void **state)
{
    assert_differences("[ptp eth0]\n[ptp eth1]\n", "[ptp eth1]\n[ptp eth2]\n",
                       "removed port eth0 0 - >\n"
                       "added port eth2 1 - >\n");
}

static void config_leaves_out_what_follows_from_another_key(void **state)
{
    assert_differences("[ptp eth0]\n", "[daemon]\nrun_directory = /run/x\n[ptp eth0]\n",
                       "changed daemon  0 run_directory /run/meantime>/run/x\n");
    assert_differences("[ptp eth0]\n", "[ptp]\nreceiver_only = yes\n[ptp eth0]\n",
                       "changed instance main 0 receiver_only no>yes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_takes_names_of_other_programs_when_values_are_the_same),
        cmocka_unit_test(config_names_ours_when_a_key_of_another_program_is_written),
        cmocka_unit_test(config_shows_the_spelling_when_a_line_is_of_another_program),
        cmocka_unit_test(config_advises_a_good_value_when_that_of_another_program_is_none),
        cmocka_unit_test(config_names_the_section_when_it_is_of_another_program),
        cmocka_unit_test(config_advises_the_import_once_when_a_file_is_another_programs),
        cmocka_unit_test(config_knows_what_is_meant_when_spelling_is_of_another_habit),
        cmocka_unit_test(config_shows_the_spelling_when_the_value_has_colons),
        cmocka_unit_test(config_explains_names_of_other_programs),
        cmocka_unit_test(config_has_every_key_that_it_advises),
        cmocka_unit_test(config_says_it_once_when_a_name_is_of_another_program),
        cmocka_unit_test(config_has_no_differences_when_only_the_order_differs),
        cmocka_unit_test(config_tells_each_key_when_it_differs),
        cmocka_unit_test(config_tells_sections_when_they_come_and_go),
        cmocka_unit_test(config_leaves_out_what_follows_from_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
