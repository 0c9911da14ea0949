/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * config/: what the optional parts of PTP may be told, and what contradicts itself. */
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
    if (!mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems)) {
        return NULL;
    }
    return config;
}

static struct mt_config *parse_good(const char *text)
{
    struct mt_config *config = parse(text);
    if (config == NULL) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_non_null(config);
    return config;
}

/* The only problem of `text` is `problem`. */
static void assert_problem(const char *text, const char *problem)
{
    struct mt_config *config = parse(text);
    if (config != NULL) {
        fail_msg("no problem in:\n%s", text);
    }
    if (problems.count != 1) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text, problem);
}

/* ---- hot standby -------------------------------------------------------------------------- */

#define STANDBY(first, second)                                                                     \
    "[ptp a]\n[instance main]\n" first "[port b]\ninstance = two\n[instance two]\n" second

static void config_takes_two_instances_on_one_clock_when_they_are_primary_and_secondary(
    void **state)
{
    struct mt_config *config =
        parse_good(STANDBY("hot_standby = primary\n", "hot_standby = secondary\ndomain = 1\n"));
    assert_int_equal(config->clock_count, 1);
    assert_int_equal(config->instances[0].standby, MT_CONFIG_STANDBY_PRIMARY);
    assert_int_equal(config->instances[1].standby, MT_CONFIG_STANDBY_SECONDARY);
    mt_config_free(config);
    assert_problem(STANDBY("hot_standby = primary\n", "hot_standby = primary\n"),
                   "f:6: [instance two]: clock main is already steered by instance main; write "
                   "[clock two] and clock = two, or hot_standby = primary in one of them and "
                   "secondary in the other");
    assert_problem(STANDBY("hot_standby = primary\n", "clock = c\n[clock c]\n"),
                   "f:3: [instance main]: hot_standby = primary: no secondary follows clock main; "
                   "write clock = main and hot_standby = secondary in another instance");
    assert_problem(STANDBY("clock = c\n[clock c]\n", "hot_standby = secondary\n"),
                   "f:8: [instance two]: hot_standby = secondary: no primary follows clock main; "
                   "write clock = main and hot_standby = primary in another instance");
    assert_problem("[instance main]\nhot_standby = primary\nclock_type = e2e_transparent\n[ptp a]\n"
                   "[ptp c]\n[port b]\ninstance = two\n[instance two]\nhot_standby = secondary\n",
                   "f:2: [instance main]: hot_standby: not for a transparent clock");
}

/* ---- stateless PTP ------------------------------------------------------------------------ */

static void config_complains_when_stateless_servers_make_no_sense(void **state)
{
    assert_problem("[ptp eth0]\n[ptp]\nsptp = client\n",
                   "f:3: [instance main]: stateless_servers: nobody to ask; name the servers");
    assert_problem("[ptp eth0]\n[ptp]\nstateless_servers = 192.0.2.1\n",
                   "f:3: [instance main]: stateless_servers: only with sptp = client or csptp = "
                   "client");
    assert_problem("[ptp eth0]\n[ptp]\nsptp = client\nstateless_servers = 2001:db8::1\n",
                   "f:4: [instance main]: stateless_servers: 2001:db8::1 is no address of the "
                   "port's transport");
    assert_problem("[ptp eth0]\ntransport = l2\n[ptp]\nsptp = client\n"
                   "stateless_servers = time.example.org\n",
                   "f:5: [instance main]: stateless_servers: time.example.org is no address of "
                   "the port's transport");
    struct mt_config *config = parse_good("[ptp eth0]\n[ptp]\ncsptp = client\n"
                                          "stateless_servers = time.example.org, 192.0.2.1\n");
    const struct mt_config_stations *servers = &config->instances[0].stateless.servers;
    assert_int_equal(servers->count, 2);
    assert_string_equal(servers->station[0].name, "time.example.org");
    assert_int_equal(servers->station[0].address.network, MT_NETWORK_NONE);
    mt_config_free(config);
}

static void config_complains_when_what_is_not_signed_meets_keys(void **state)
{
    (void)state;
    assert_problem(
        "[ptp eth0]\nspp = 1\n[ptp]\nsecurity_file = /k\ncsptp = client\n"
        "stateless_servers = 192.0.2.1\n",
        "f:5: [instance main]: csptp: without signatures, but port eth0 hears only what is "
        "signed");
    assert_problem(
        "[ptp eth0]\nspp = 1\n[ptp]\nsecurity_file = /k\nsptp = server\n"
        "stateless_workers = 2\n",
        "f:6: [instance main]: stateless_workers: without signatures, but port eth0 hears "
        "only what is signed");
    mt_config_free(parse_good("[ptp eth0]\nspp = 1\n[ptp]\nsecurity_file = /k\nsptp = client\n"
                              "stateless_servers = 192.0.2.1\n"));
}

/* ---- keys without use --------------------------------------------------------------------- */

static void config_names_the_line_of_an_association_when_there_is_no_file(void **state)
{
    assert_problem("[ptp eth0]\nttl = 2\nspp = 3\n",
                   "f:3: [port eth0]: spp = 3 needs keys; add security_file = PATH to its "
                   "instance");
    assert_problem("[ptp]\ndelayed_spp = 4\n[ptp eth0]\n",
                   "f:2: [port eth0]: delayed_spp = 4 needs keys; add security_file = PATH to its "
                   "instance");
}

static void config_finds_keys_of_ip_when_all_their_ports_are_on_ethernet(void **state)
{
    (void)state;
    assert_problem("[ptp a]\ntransport = l2\nttl = 2\n",
                   "f:3: ttl = 2: only over UDP, but here transport = l2; Ethernet has "
                   "vlan_priority");
    assert_problem("[ptp]\ntransport = l2\ndscp = 46\n[ptp a]\n[ptp b]\n",
                   "f:3: dscp = 46: only over UDP, but here transport = l2; Ethernet has "
                   "vlan_priority");
    mt_config_free(parse_good("[ptp]\ndscp = 46\n[ptp a]\ntransport = l2\n[ptp b]\n"));
}

static void config_finds_what_asks_for_delay_req_when_links_are_measured(void **state)
{
    (void)state;
    assert_problem("[ptp a]\ndelay_mechanism = p2p\nunicast = hybrid\n",
                   "f:3: [port a]: unicast = hybrid: it is how Delay_Req is sent, and with "
                   "delay_mechanism = p2p there is none; leave one of them out");
    assert_problem("[instance main]\nclock_type = e2e_transparent\n[ptp a]\n[ptp b]\n"
                   "delay_mechanism = p2p\n",
                   "f:5: [port b]: delay_mechanism = p2p: not of an end-to-end transparent clock; "
                   "write clock_type = p2p_transparent");
}

static void config_complains_when_the_real_time_clock_is_not_its_own(void **state)
{
    (void)state;
    assert_problem("[ptp a]\n[clock]\nrtc_sync = no\n",
                   "f:3: rtc_sync: only for a system clock; add clock = system");
    struct mt_config *config = parse_good("[ptp a]\n[clock]\nclock = system\nrtc_sync = no\n");
    assert_false(config->clocks[0].sets_rtc);
    mt_config_free(config);
    config = parse_good("[ptp a]\n[clock]\nclock = system\n");
    assert_true(config->clocks[0].sets_rtc);
    mt_config_free(config);
}

static void config_blames_the_key_that_makes_a_client_when_it_has_two_ports(void **state)
{
    assert_problem("[ptp]\nsptp = client\nstateless_servers = 192.0.2.1\n[ptp a]\n[ptp b]\n",
                   "f:2: sptp = client: instance main has 2 ports; only one with a single port can "
                   "be a client");
}

static void config_names_the_entry_of_a_list_that_is_wrong(void **state)
{
    assert_problem(
        "[ptp eth0]\nunicast_transmitters = 192.0.2.1, gm.example/0, 192.0.2.3\n",
        "f:2: unicast_transmitters = gm.example/0: expected addresses such as 192.0.2.1, "
        "2001:db8::1 or 00:11:22:33:44:55, or names, each with /PRIORITY, 1 to 255, if "
        "need be, or none");
    assert_problem("[ptp eth0]\nacceptable_transmitters = 001122.fffe.334455 x\n",
                   "f:2: acceptable_transmitters = x: expected clock identities such as "
                   "aabbcc.fffe.ddeeff, or aabbcc.fffe.ddeeff-1 for one port, or any");
}

static void config_says_nothing_of_a_clock_that_nobody_has(void **state)
{
    assert_problem("[clock]\nrtc_sync = yes\n",
                   "f: no port and no server is configured; add a section such as [ptp eth0] or "
                   "[ntp time.example.org]");
}

static void config_knows_a_key_by_what_is_short_for_it(void **state)
{
    assert_problem("[ptp]\nprio1 = 3\n[ptp eth0]\n",
                   "f:2: prio1: unknown key in [ptp]; did you mean priority1?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            config_takes_two_instances_on_one_clock_when_they_are_primary_and_secondary),
        cmocka_unit_test(config_complains_when_stateless_servers_make_no_sense),
        cmocka_unit_test(config_complains_when_what_is_not_signed_meets_keys),
        cmocka_unit_test(config_names_the_line_of_an_association_when_there_is_no_file),
        cmocka_unit_test(config_finds_keys_of_ip_when_all_their_ports_are_on_ethernet),
        cmocka_unit_test(config_finds_what_asks_for_delay_req_when_links_are_measured),
        cmocka_unit_test(config_complains_when_the_real_time_clock_is_not_its_own),
        cmocka_unit_test(config_blames_the_key_that_makes_a_client_when_it_has_two_ports),
        cmocka_unit_test(config_knows_a_key_by_what_is_short_for_it),
        cmocka_unit_test(config_names_the_entry_of_a_list_that_is_wrong),
        cmocka_unit_test(config_says_nothing_of_a_clock_that_nobody_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
