/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * [ntp] and [ntp SERVER]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void config_ntp_is_complete_when_only_a_server_is_named(void **state)
{
    struct mt_config *config = parse("[ntp time.example.org]\n");
    assert_non_null(config);
    assert_int_equal(config->ntp_count, 1);
    assert_int_equal(config->clock_count, 1);
    assert_int_equal(config->clocks[0].kind, MT_CONFIG_CLOCK_OVERLAY);
    const struct mt_config_ntp *ntp = &config->ntps[0];
    assert_string_equal(ntp->address.station[0].name, "time.example.org");
    assert_int_equal(ntp->address.station[0].address.network, MT_NETWORK_NONE);
    assert_int_equal(ntp->port, 123);
    assert_int_equal(ntp->client.min_poll, 6);
    assert_int_equal(ntp->client.max_poll, 10);
    assert_false(mt_config_is_pool(ntp));
    mt_config_free(config);
}

static void config_ntp_refuses_a_say_of_one_that_is_only_watched(void **state)
{
    assert_problem("[ntp a.example]\nprefer = yes\nselect = no\n",
                   "f:3: a.example: select = no and prefer = yes: one that is only watched has no "
                   "say; remove one of them");
    assert_problem("[refclock gps]\ntrust = yes\nselect = no\n",
                   "f:3: gps: select = no and trust = yes: one that is only watched has no say; "
                   "remove one of them");
    assert_problem("[ptp eth0]\n[instance main]\nrequire = yes\nselect = no\n",
                   "f:4: main: select = no and require = yes: one that is only watched has no "
                   "say; remove one of them");
}

static void config_ntp_judges_a_clock_when_it_has_more_than_instances_to_follow(void **state)
{
    struct mt_config *config = parse("[ptp eth0]\n[instance main]\nselect = no\n");
    assert_non_null(config);
    assert_true(mt_config_is_arbitrated(config, &config->clocks[0]));
    mt_config_free(config);
    config = parse("[ptp eth0]\n");
    assert_false(mt_config_is_arbitrated(config, &config->clocks[0]));
    mt_config_free(config);
    config = parse("[refclock gps]\n");
    assert_true(mt_config_is_arbitrated(config, &config->clocks[0]));
    mt_config_free(config);
}

static void config_ntp_takes_addresses_as_names(void **state)
{
    struct mt_config *config = parse("[ntp 192.0.2.1]\n[ntp 2001:db8::1]\n[ntp here]\n"
                                     "address = 192.0.2.7\n[ntp]\nversion = 3\n");
    assert_non_null(config);
    assert_int_equal(config->ntp_count, 3);
    assert_int_equal(config->ntps[0].address.station[0].address.network, MT_NETWORK_UDP_IPV4);
    assert_int_equal(config->ntps[1].address.station[0].address.network, MT_NETWORK_UDP_IPV6);
    assert_int_equal(config->ntps[2].address.station[0].address.octets[3], 7);
    assert_int_equal(config->ntps[2].client.version, 3);
    mt_config_free(config);
}

static void config_ntp_knows_a_pool_by_its_name(void **state)
{
    static const struct {
        const char *text;
        bool is_pool;
    } cases[] = {
        {"[ntp pool.ntp.org]\n", true},
        {"[ntp 2.debian.pool.ntp.org]\n", true},
        {"[ntp pool]\n", true},
        {"[ntp spool.example.org]\n", false},
        {"[ntp pools.example.org]\n", false},
        {"[ntp time.example.org]\npool = yes\n", true},
        {"[ntp pool.ntp.org]\npool = no\n", false},
        {"[ntp 192.0.2.1]\npool = yes\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mt_config *config = parse(cases[i].text);
        assert_non_null(config);
        if (mt_config_is_pool(&config->ntps[0]) != cases[i].is_pool) {
            fail_msg("%s", cases[i].text);
        }
        mt_config_free(config);
    }
}

static void config_ntp_complains_when_it_cannot_be_meant(void **state)
{
    assert_problem("[ntp a_b-]\nmin_poll = 8\nmax_poll = 7\n",
                   "f:3: [ntp a_b-]: max_poll = 7 is less than min_poll = 8");
    assert_problem("[ntp a]\nmax_poll = 3\n", "f:2: [ntp a]: max_poll = 3 is less than min_poll = "
                                              "6, its default; set that, too");
    assert_problem("[ntp a]\nmin_poll = 12\n",
                   "f:2: [ntp a]: max_poll = 10, its default, is less than min_poll = 12");
    assert_problem("[server]\nallow = 192.0.2.0/33\n",
                   "f:2: allow = 192.0.2.0/33: expected addresses such as 192.0.2.1 or "
                   "2001:db8::1, each with /BITS for all that begin like it, or any");
    assert_problem("[ntp 1234]\n", "f:1: [ntp 1234]: this is neither an address nor the name of a "
                                   "host; add address = ...");
    assert_problem("[ntp a]\naddress = 192.0.2.1 192.0.2.2\n",
                   "f:2: [ntp a]: address: only one; each server has a section of its own");
    assert_problem("[ntp a]\naddress = 02:00:00:00:00:01\n",
                   "f:2: [ntp a]: address: NTP needs an address of IPv4 or IPv6, or a name");
    assert_problem("[ntp a]\nkey = 7\n",
                   "f:2: [ntp a]: key = 7: in which file? add key_file = PATH");
    assert_problem("[ntp a]\nclock = b\n", "f:2: clock = b: there is no section [clock b]");
    assert_problem("[server]\norphan = yes\n",
                   "f:2: orphan: there is nobody to agree with; add [ntp NAME] for each of the "
                   "other servers");
    assert_problem("[server]\norphan = yes\nlocal_stratum = 15\n[ntp a]\n",
                   "f:3: orphan: local_stratum must be from 2 to 14, for who follows has one more");
    assert_problem("[ntp b]\n[ntp a b]\n",
                   "f:2: [ntp a b]: expected an address, or a name of letters, digits, '.', '_' "
                   "and '-', at most 31; a longer one goes into address = NAME, its port into port "
                   "= NUMBER");
}

/* `count` of `key`, a line each, none twice. */
static char *list_of(const char *key, unsigned count, char *at)
{
    for (unsigned i = 0; i < count; i++) {
        at += sprintf(at, "%s = 10.%u.%u.%u\n", key, i >> 16, i >> 8 & 255, i & 255);
    }
    return at;
}

static void config_server_complains_when_it_has_more_rules_than_can_be(void **state)
{
    enum { MOST = MT_CONFIG_STATIONS_MAX };
    char *text = malloc((MOST + 10) * 32);
    assert_non_null(text);
    char *at = text + sprintf(text, "[server]\n");
    list_of("deny", 5, list_of("allow", MOST - 5, at));
    struct mt_config *config = parse(text);
    assert_non_null(config);
    assert_int_equal(config->server.allowed.count, MOST - 5);
    assert_string_equal(config->server.allowed.station[MOST - 6].text, "10.0.255.249");
    mt_config_free(config);
    list_of("deny", 6, list_of("allow", MOST - 5, at));
    assert_problem(text, "f:65532: deny: 6 addresses and those of allow are 65536, of which there "
                         "may be 65535");
    list_of("allow", MOST + 1, at);
    assert_problem(text, "f:2: allow: expected a list of at most 65535");
    free(text);
}

static void config_sums_up_problems_in_a_line(void **state)
{
    struct mt_config_problems none = {0};
    char text[64];
    mt_config_problems_sum_up(&none, text, sizeof text);
    assert_string_equal(text, "it was refused, but not told why");
    assert_null(parse("[ptp eth0]\nx = 1\n"));
    mt_config_problems_sum_up(&problems, text, sizeof text);
    assert_int_equal(strncmp(text, "f:2: x", 6), 0);
    assert_null(strstr(text, "more)"));
    assert_null(parse("[ptp eth0]\nx = 1\ny = 2\nz = 3\n"));
    mt_config_problems_sum_up(&problems, text, 20);
    assert_string_equal(text, "f:2: x (and 2 more)");
}

static void config_server_has_a_stratum_of_its_own_in_orphan_mode(void **state)
{
    struct mt_config *config = parse("[server]\norphan = yes\n[ntp a]\n");
    assert_non_null(config);
    assert_int_equal(config->server.local_stratum, 10);
    mt_config_free(config);
    config = parse("[server]\n[ntp a]\n");
    assert_non_null(config);
    assert_int_equal(config->server.local_stratum, 0);
    mt_config_free(config);
}

static void config_ntp_wants_an_interface_when_a_card_must_stamp(void **state)
{
    assert_problem(
        "[ntp 192.0.2.1]\ntimestamping = hardware\n",
        "f:2: [ntp 192.0.2.1]: timestamping = hardware: of which card? add interface = NAME");
    assert_problem(
        "[ntp 192.0.2.1]\ntransport = ptp\n",
        "f:2: [ntp 192.0.2.1]: transport = ptp: through which card? add interface = NAME");
    struct mt_config *config = parse("[ntp 192.0.2.1]\ninterface = eth7\n"
                                     "timestamping = hardware\ntransport = ptp_early\n");
    assert_non_null(config);
    assert_int_equal(config->ntps[0].timestamping, MT_CONFIG_TIMESTAMPING_HARDWARE);
    assert_int_equal(config->ntps[0].transport, MT_CONFIG_NTP_PTP_EARLY);
    mt_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_ntp_wants_an_interface_when_a_card_must_stamp),
        cmocka_unit_test(config_ntp_is_complete_when_only_a_server_is_named),
        cmocka_unit_test(config_ntp_refuses_a_say_of_one_that_is_only_watched),
        cmocka_unit_test(config_ntp_judges_a_clock_when_it_has_more_than_instances_to_follow),
        cmocka_unit_test(config_ntp_takes_addresses_as_names),
        cmocka_unit_test(config_ntp_knows_a_pool_by_its_name),
        cmocka_unit_test(config_ntp_complains_when_it_cannot_be_meant),
        cmocka_unit_test(config_sums_up_problems_in_a_line),
        cmocka_unit_test(config_server_has_a_stratum_of_its_own_in_orphan_mode),
        cmocka_unit_test(config_server_complains_when_it_has_more_rules_than_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
