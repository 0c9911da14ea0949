/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * config/: reading, layers, problems, contradictions.  The texts of problems are part of the
 * contract and compared letter by letter. */
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

/* ---- defaults ----------------------------------------------------------------------------- */

static void config_gives_ordinary_clock_when_one_interface_is_named(void **state)
{
    const char *names[] = {"eth0"};
    struct mt_config *config;
    assert_true(mt_config_for_interfaces(names, 1, &config, &problems));
    assert_null(config->path);
    assert_int_equal(config->clock_count, 1);
    assert_string_equal(config->clocks[0].name, "main");
    assert_int_equal(config->clocks[0].kind, MT_CONFIG_CLOCK_OVERLAY);
    assert_int_equal(config->instance_count, 1);
    assert_string_equal(config->instances[0].name, "main");
    assert_int_equal(config->instances[0].port_count, 1);
    assert_int_equal(config->instances[0].ptp.priority1, 254); /* any other clock is better */
    assert_string_equal(config->ports[0].interface, "eth0");
    assert_string_equal(config->daemon.control_socket, "/run/meantime/control");
    assert_null(config->daemon.user);
    mt_config_free(config);
}

static void config_gives_boundary_clock_when_two_interfaces_are_named(void **state)
{
    const char *names[] = {"eth0", "eth1"};
    struct mt_config *config;
    assert_true(mt_config_for_interfaces(names, 2, &config, &problems));
    assert_int_equal(config->instances[0].port_count, 2);
    assert_string_equal(config->ports[1].interface, "eth1");
    mt_config_free(config);
}

static void config_refuses_when_interface_name_is_impossible(void **state)
{
    const char *names[] = {"eth/0"};
    struct mt_config *config;
    assert_false(mt_config_for_interfaces(names, 1, &config, &problems));
    assert_string_equal(problems.problem[0].text,
                        "eth/0: expected the name of an interface, at most 15 characters");
}

static void config_adds_interface_when_file_does_not_have_it(void **state)
{
    const char *names[] = {"eth0", "eth1"};
    const char *text = "[port eth0]\ndscp = 46\n";
    struct mt_config *config;
    assert_true(mt_config_parse(text, strlen(text), "f", names, 2, &config, &problems));
    assert_int_equal(config->port_count, 2);
    assert_int_equal(config->ports[0].dscp, 46);
    assert_string_equal(config->ports[1].name, "eth1");
    mt_config_free(config);
}

/* ---- layers ------------------------------------------------------------------------------- */

static void config_prefers_the_nearest_section_when_a_key_is_in_several(void **state)
{
    struct mt_config *config = parse_good("[port c]\n"
                                          "log_sync_interval = -3\n"
                                          "instance = x\n"
                                          "[port b]\n"
                                          "instance = x\n"
                                          "[ptp a]\n"
                                          "[instance x]\n"
                                          "log_sync_interval = -2\n"
                                          "clock = x\n"
                                          "priority1 = 7\n"
                                          "[clock x]\n"
                                          "max_slew = 3ppm\n"
                                          "[ptp]\n"
                                          "log_sync_interval = -1\n"
                                          "priority1 = 9\n"
                                          "[clock]\n"
                                          "max_slew = 5ppm\n"
                                          "max_drift = 2ppm\n");
    assert_string_equal(config->instances[0].name, "main");
    assert_int_equal(config->instances[0].ptp.priority1, 9);
    assert_int_equal(config->instances[1].ptp.priority1, 7);
    assert_string_equal(config->clocks[config->instances[1].clock_index].name, "x");
    assert_string_equal(config->ports[0].name, "a");
    assert_int_equal(config->ports[0].ptp.log_sync_interval, -1);
    assert_int_equal(config->instances[1].first_port, 1);
    assert_int_equal(config->instances[1].port_count, 2);
    assert_string_equal(config->ports[1].name, "c");
    assert_int_equal(config->ports[1].ptp.log_sync_interval, -3);
    assert_int_equal(config->ports[2].ptp.log_sync_interval, -2);
    assert_int_equal(config->ports[2].instance_index, 1);
    assert_true(config->clocks[0].steer.max_slew == 5e-6);
    assert_true(config->clocks[1].steer.max_slew == 3e-6);
    assert_true(config->clocks[1].steer.max_drift == 2e-6);
    mt_config_free(config);
}

static void config_clears_a_flag_when_a_nearer_section_says_no(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nleap61 = yes\ntime_traceable = yes\n[ptp a]\n"
                                          "[instance main]\nleap61 = no\n");
    assert_int_equal(config->instances[0].ptp.time.flags, MT_PTP_TIME_TRACEABLE);
    mt_config_free(config);
}

static void config_takes_names_of_other_standards_when_they_are_known(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nslave_only = yes\ndomainNumber = 4\n"
                                          "logMinDelayReqInterval = 2\nudp_ttl = 9\n"
                                          "minorVersionPTP = 0\n[ptp a]\n");
    assert_true(config->instances[0].ptp.is_receiver_only);
    assert_int_equal(config->instances[0].ptp.quality.clock_class, 255);
    assert_int_equal(config->instances[0].ptp.domain, 4);
    assert_int_equal(config->instances[0].ptp.minor_version, 0);
    assert_int_equal(config->ports[0].ptp.log_min_delay_req_interval, 2);
    assert_int_equal(config->ports[0].ttl, 9);
    mt_config_free(config);
}

static void config_reads_lines_as_people_write_them(void **state)
{
    struct mt_config *config =
        parse_good("\xEF\xBB\xBF# comment\r\n  [ ptp ]  ; comment\r\n\tpriority1=5 # comment\r\n"
                   "    priority2 : 6\r\n\r\n[ptp  eth0.100]\r\n  [ptp]\nclock_class=7");
    assert_int_equal(config->instances[0].ptp.priority1, 5);
    assert_int_equal(config->instances[0].ptp.priority2, 6);
    assert_int_equal(config->instances[0].ptp.quality.clock_class, 7);
    assert_string_equal(config->ports[0].interface, "eth0.100");
    mt_config_free(config);
}

static void config_joins_list_when_it_is_given_in_pieces(void **state)
{
    struct mt_config *config = parse_good("[ptp a]\n"
                                          "acceptable_transmitters = aabbcc.fffe.ddeeff-3, "
                                          "00:11:22:33:44:55:66:77\n"
                                          "acceptable_transmitters = 8899aabbccddeeff\n");
    const struct mt_port_config *port = &config->ports[0].ptp;
    assert_int_equal(port->acceptable_count, 3);
    assert_int_equal(port->acceptable[0].port, 3);
    assert_int_equal(port->acceptable[0].clock.octet[7], 0xff);
    assert_int_equal(port->acceptable[1].port, 0);
    assert_int_equal(port->acceptable[1].clock.octet[1], 0x11);
    assert_int_equal(port->acceptable[2].clock.octet[0], 0x88);
    mt_config_free(config);
}

/* ---- problems of lines -------------------------------------------------------------------- */

static void config_names_nearest_key_when_key_is_unknown(void **state)
{
    assert_problem("[ptp eth0]\n[ptp]\npriority_1 = 3\n",
                   "f:3: priority_1: unknown key in [ptp]; did you mean priority1?");
    assert_problem("[ptp eth0]\nlog_snyc_interval = 3\n",
                   "f:2: log_snyc_interval: unknown key in [ptp eth0]; did you mean "
                   "log_sync_interval?");
    assert_problem("[ptp eth0]\ntlt = 3\n",
                   "f:2: tlt: unknown key in [ptp eth0]; did you mean ttl?");
    assert_problem("[ptp eth0]\n[ptp]\nodmian = 3\n",
                   "f:3: odmian: unknown key in [ptp]; did you mean domain?");
    assert_problem("[ptp eth0]\npriorty1 = 10\n",
                   "f:2: priorty1: unknown key in [ptp eth0]; did you mean priority1? it belongs "
                   "in [ptp], [instance NAME]");
    assert_problem("[ptp eth0]\nstep_at_strat = 1s\n",
                   "f:2: step_at_strat: unknown key in [ptp eth0]; did you mean step_at_start? it "
                   "belongs in [clock], [clock NAME]");
    assert_problem("[clock]\nclokc = lab\n[ptp eth0]\n",
                   "f:2: clokc: unknown key in [clock]; did you mean clock?");
    assert_problem("[ptp eth0]\nflavour = sweet\n", "f:2: flavour: unknown key in [ptp eth0]");
}

static void config_names_home_of_key_when_section_is_wrong(void **state)
{
    assert_problem("[ptp eth0]\ndomain = 3\n",
                   "f:2: domain: no key of [ptp eth0]; it belongs in [ptp], [instance NAME]");
    assert_problem("[ptp eth0]\n[daemon]\nstep_later = never\n",
                   "f:3: step_later: no key of [daemon]; it belongs in [clock], [clock NAME]");
}

static void config_names_what_was_expected_when_value_is_wrong(void **state)
{
    assert_problem("[ptp eth0]\nlog_sync_interval = fast\n",
                   "f:2: log_sync_interval = fast: expected an integer from -7 to 4");
    assert_problem("[ptp eth0]\nlog_sync_interval = 5\n",
                   "f:2: log_sync_interval = 5: expected an integer from -7 to 4");
    assert_problem("[ptp eth0]\ntransmitter_only = maybe\n",
                   "f:2: transmitter_only = maybe: expected yes or no");
    assert_problem("[ptp eth0]\n[clock]\nclock = q\n",
                   "f:3: clock = q: expected overlay, system, phc, auto, lab or vclock");
    assert_problem("[ptp eth0]\n[clock]\nstep_at_start = 10\n",
                   "f:3: step_at_start = 10: expected a time from 0 to 86400s with its unit (ns, "
                   "us, ms, s, min, h), or never");
    assert_problem("[ptp eth0]\n[clock]\nmax_slew = 500\n",
                   "f:3: max_slew = 500: expected a ratio from 1ppb to 100000ppm with its unit "
                   "(ppb, ppm)");
    assert_problem("[ptp eth0]\n[ptp]\nclock_accuracy = good\n",
                   "f:3: clock_accuracy = good: expected a number from 0 to 255, or a word such "
                   "as 10us (see `meantime explain clock_accuracy`)");
    assert_problem("[ptp eth0]\n[daemon]\nrecord = log\n",
                   "f:3: record = log: expected a path that begins with /, or none");
    assert_problem("[ptp eth0]\nacceptable_transmitters = eth1\n",
                   "f:2: acceptable_transmitters = eth1: expected clock identities such as "
                   "aabbcc.fffe.ddeeff, or aabbcc.fffe.ddeeff-1 for one port, or any");
    assert_problem("[ptp eth0]\n[ptp]\nclock_identity = 1\n",
                   "f:3: clock_identity = 1: expected a clock identity such as "
                   "aabbcc.fffe.ddeeff, or auto");
    assert_problem(
        "[port a]\ninterface = a]b\n",
        "f:2: interface = a]b: expected the name of an interface, at most 15 characters");
    assert_problem("[ptp eth0]\n[ptp]\nclock = a b\n",
                   "f:3: clock = a b: expected a name of letters, digits, '.', '_' and '-', at "
                   "most 31");
}

static void config_complains_when_line_is_no_ini_line(void **state)
{
    assert_problem("[ptp eth0]\npriority1\n", "f:2: expected [SECTION] or KEY = VALUE");
    assert_problem("[ptp eth0]\n[clock\n", "f:2: expected ] at the end of the section heading");
    assert_problem("[ptp eth0]\n\001 = 2\n",
                   "f:2: the line holds control characters; this is no text file");
    char text[400] = "[ptp eth0]\nttl = ";
    memset(text + strlen(text), '1', 250);
    assert_problem(text, "f:2: the line is too long; at most 190 characters are read");
}

static void config_complains_when_section_is_wrong(void **state)
{
    assert_problem("[ptp eth0]\n[pt]\nx = 1\n", "f:2: [pt]: unknown section; did you mean [ptp]?");
    assert_problem("[ptp eth0]\n[unicast_master_table]\nx = 1\n",
                   "f:2: [unicast_master_table]: unknown section");
    assert_problem("[ptp eth0]\n[port]\n", "f:2: [port]: expected a name: [port NAME]");
    assert_problem("[ptp eth0]\n[daemon x]\n",
                   "f:2: [daemon x]: this section takes no name: [daemon]");
    assert_problem("[ptp eth0]\n[clock a/b]\n",
                   "f:2: [clock a/b]: expected a name of letters, digits, '.', '_' and '-', at "
                   "most 31");
    assert_problem("[ptp eth 0]\n[ptp x]\n",
                   "f:1: [ptp eth 0]: expected the name of an interface, at most 15 characters");
    assert_problem("priority1 = 5\n[ptp eth0]\n",
                   "f:1: priority1: expected a section heading before the first key");
}

static void config_complains_when_key_is_given_twice(void **state)
{
    assert_problem("[ptp eth0]\nttl = 1\n[ptp eth0]\nudp_ttl = 2\n",
                   "f:4: udp_ttl: given twice in this section; the first is in line 2");
}

static void config_complains_when_file_cannot_be_read(void **state)
{
    struct mt_config *config = NULL;
    assert_false(mt_config_load("/nonexistent/f", &config, &problems));
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text,
                        "/nonexistent/f: cannot be read: No such file or directory");
    assert_false(mt_config_load("/", &config, &problems));
    assert_string_equal(problems.problem[0].text, "/: cannot be read: Is a directory");
}

static void config_collects_problems_in_order_of_lines_when_there_are_many(void **state)
{
    assert_null(parse("[ptp eth0]\nttl = x\n[clock]\nlab_seed = 3\n[ptp]\npriority1 = 999\n"
                      "leap59 = yes\nleap61 = yes\n"));
    assert_int_equal(problems.count, 4);
    assert_int_equal(problems.problem[0].line, 2);
    assert_int_equal(problems.problem[1].line, 4);
    assert_int_equal(problems.problem[2].line, 6);
    assert_int_equal(problems.problem[3].line, 7);
}

static void config_counts_problems_when_there_are_too_many(void **state)
{
    char text[1000] = "[ptp eth0]\n";
    for (int i = 0; i < MT_CONFIG_PROBLEMS_MAX + 5; i++) {
        strcat(text, "x = 1\n");
    }
    assert_null(parse(text));
    assert_int_equal(problems.count, MT_CONFIG_PROBLEMS_MAX);
    assert_int_equal(problems.omitted, 5);
}

/* ---- contradictions ----------------------------------------------------------------------- */

static void config_complains_when_nothing_is_configured(void **state)
{
    assert_problem("[clock]\nclock = system\n",
                   "f: no port and no server is configured; add a section such as [ptp eth0] "
                   "or [ntp time.example.org]");
    mt_config_free(parse_good("[clock main]\nfollow = card\n[clock card]\nclock = lab\n"));
}

static void config_complains_when_a_name_leads_nowhere(void **state)
{
    assert_problem("[port a]\ninstance = firts\n[instance first]\nclock=x\n[port b]\n"
                   "instance = first\n[clock x]\n",
                   "f:2: instance = firts: there is no section [instance firts]; did you mean "
                   "first?");
    assert_problem("[ptp a]\n[ptp]\nclock = x\n", "f:3: clock = x: there is no section [clock x]");
}

static void config_complains_when_a_vlan_has_no_place(void **state)
{
    assert_problem("[port a]\ninterface = eth0\nvlan = 5\n",
                   "f:3: [port a]: vlan = 5: only with transport = l2; over UDP the VLAN has an "
                   "interface of its own, such as eth0.5");
    assert_problem("[ptp a]\ntransport = l2\nvlan_priority = 3\n",
                   "f:3: [port a]: vlan_priority = 3: there is no tag to hold it; add vlan = 0 for "
                   "a tag with a priority only");
    mt_config_free(parse_good("[ptp a]\ntransport = l2\nvlan = 0\nvlan_priority = 3\n"));
}

/* Two ports of different domains on interface a, with these keys in each. */
static void assert_shared(const char *first, const char *second, const char *problem)
{
    char text[400];
    snprintf(text, sizeof text,
             "[port x]\ninterface = a\n%s[port y]\ninterface = a\ninstance = other\n%s"
             "[instance other]\nclock = other\ndomain = 1\n[clock other]\n",
             first, second);
    if (problem == NULL) {
        mt_config_free(parse_good(text));
    } else {
        assert_problem(text, problem);
    }
}

static void config_complains_when_ports_that_share_sockets_differ(void **state)
{
    assert_shared("", "", NULL);
    assert_shared("ttl = 2\n", "",
                  "f:4: [port y]: it shares its sockets with port x, so ttl must "
                  "be the same");
    assert_shared("dscp = 2\n", "transport = udp6\ndscp = 3\n", NULL);
    assert_shared("transport = udp6\nudp6_scope = 2\n", "transport = udp6\n",
                  "f:5: [port y]: it shares its sockets with port x, so udp6_scope must be the "
                  "same");
    assert_shared("socket_priority = 2\n", "socket_priority = 3\n",
                  "f:7: [port y]: it shares its sockets with port x, so socket_priority must be "
                  "the same");
    assert_shared("timestamping = hardware\n", "",
                  "f:4: [port y]: it shares its sockets with port x, so timestamping must be the "
                  "same");
    assert_shared("transport = l2\n", "transport = l2\nvlan = 0\n",
                  "f:8: [port y]: it shares its sockets with port x, so vlan must be the same");
    assert_shared("transport = l2\n", "transport = l2\nvlan = 5\n", NULL);
    assert_shared("transport = l2\n", "transport = l2\n", NULL);
    assert_shared("transport = l2\nl2_destination = non_forwardable\n", "transport = l2\n",
                  "f:5: [port y]: it shares its sockets with port x, so l2_destination must be the "
                  "same");
}

static void config_complains_when_two_ports_share_a_wire(void **state)
{
    assert_problem("[port a]\n[port b]\ninterface = a\n",
                   "f:3: [port b]: port a already uses interface a in domain 0; give their "
                   "instances different domains");
    assert_problem("[port a]\n[ptp a]\n",
                   "f:2: [ptp a]: the same port has a section [port a]; keep one of them");
}

static void config_accepts_two_ports_on_a_wire_when_domains_differ(void **state)
{
    mt_config_free(parse_good("[port a]\n[port b]\ninterface = a\ninstance = two\n"
                              "[instance two]\ndomain = 1\nclock = two\n[clock two]\n"));
}

static void config_complains_when_instance_has_no_port(void **state)
{
    assert_problem("[ptp a]\n[instance two]\nclock = two\n[clock two]\n",
                   "f:2: [instance two]: no port belongs to it; add [port NAME] with instance = "
                   "two");
}

static void config_complains_when_clock_type_and_ports_disagree(void **state)
{
    assert_problem("[ptp]\nclock_type = ordinary\n[ptp a]\n[ptp b]\n",
                   "f:2: clock_type = ordinary: instance main has 2 ports; an ordinary clock has "
                   "one");
    assert_problem("[ptp]\nclock_type = e2e_transparent\n[ptp a]\n",
                   "f:2: clock_type: instance main has one port; such a clock needs two or more");
}

static void config_makes_a_receiver_when_the_clock_is_transparent(void **state)
{
    static const char *const modes[] = {"yes", "ratio", "no"};
    for (size_t i = 0; i < 3; i++) {
        char text[100];
        snprintf(text, sizeof text,
                 "[ptp]\nclock_type = e2e_transparent\nsyntonise = %s\n[ptp a]\n[ptp b]\n",
                 modes[i]);
        struct mt_config *config = parse_good(text);
        assert_true(config->instances[0].ptp.is_receiver_only);
        assert_int_equal(config->instances[0].ptp.quality.clock_class, 255);
        assert_int_equal(config->clocks[0].steer.estimates_only, i != 0);
        mt_config_free(config);
    }
}

static void config_complains_when_receiver_only_cannot_be(void **state)
{
    assert_problem("[ptp]\nreceiver_only = yes\n[ptp a]\n[ptp b]\n",
                   "f:2: receiver_only: instance main has 2 ports; only one with a single port "
                   "can be receiver only");
    assert_problem("[ptp]\nreceiver_only = yes\n[ptp a]\ntransmitter_only = yes\n",
                   "f:2: receiver_only: port a of instance main is transmitter_only; it would do "
                   "nothing");
    assert_problem("[ptp]\nreceiver_only = yes\nclock_class = 6\n[ptp a]\n",
                   "f:3: clock_class = 6: with receiver_only it is 255; leave it out");
}

static void config_complains_when_domain_is_reserved(void **state)
{
    assert_problem("[ptp]\ndomain = 128\n[ptp a]\n",
                   "f:2: domain = 128: reserved for sdo_id 0; use 0 to 127, or 254 of the power "
                   "profile");
    assert_problem("[ptp]\ndomain = 240\nsdo_id = 0x100\n[ptp a]\n",
                   "f:2: domain = 240: reserved; use 0 to 239");
    mt_config_free(parse_good("[ptp]\ndomain = 254\n[ptp a]\n"));
    mt_config_free(parse_good("[ptp]\ndomain = 200\nsdo_id = 0x100\n[ptp a]\n"));
}

static void config_complains_when_both_leaps_are_announced(void **state)
{
    assert_problem("[ptp]\nleap59 = yes\nleap61 = yes\n[ptp a]\n",
                   "f:2: leap59: leap61 is set too; a minute is only one of them");
}

static void config_complains_when_clocks_are_shared_or_unused(void **state)
{
    assert_problem("[ptp a]\n[port b]\ninstance = two\n[instance two]\n",
                   "f:4: [instance two]: clock main is already steered by instance main; write "
                   "[clock two] and clock = two, or hot_standby = primary in one of them and "
                   "secondary in the other");
    assert_problem("[ptp a]\n[clock two]\n",
                   "f:2: [clock two]: nothing uses it; write clock = two in [instance NAME] or "
                   "[ntp SERVER]");
    assert_problem("[ptp a]\n[port b]\ninstance = two\n[instance two]\nclock = two\n[clock two]\n"
                   "[clock]\nclock = system\n",
                   "f:6: [clock two]: clock main is the system clock already; a machine has only "
                   "one");
}

static void config_complains_when_keys_are_for_another_kind_of_clock(void **state)
{
    assert_problem("[ptp a]\n[clock]\nlab_offset = 1s\n",
                   "f:3: lab_offset: only for a lab clock; add clock = lab");
    assert_problem("[ptp a]\n[clock]\ndevice = /dev/ptp0\n",
                   "f:3: device: only for a hardware clock; add clock = phc");
    struct mt_config *config = parse_good("[ptp a]\n[clock]\nclock = phc\ndevice = /dev/ptp0\n");
    assert_string_equal(config->clocks[0].device, "/dev/ptp0");
    mt_config_free(config);
    config = parse_good("[ptp a]\n[clock]\nclock = auto\n");
    assert_null(config->clocks[0].device);
    mt_config_free(config);
}

/* ---- explain ------------------------------------------------------------------------------ */

static void explained(const char *key, bool is_known, const char *wanted)
{
    char text[16384] = "";
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(mt_config_explain(key, file), is_known);
    rewind(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    if (strstr(text, wanted) == NULL) {
        fail_msg("not in the explanation: %s\n%s", wanted, text);
    }
}

static void config_explains_every_key(void **state)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        explained(keys[i].name, true, keys[i].name);
        explained(keys[i].name, true, mt_config_scope_heading(keys[i].scope));
        explained(NULL, true, keys[i].name);
        assert_true(keys[i].help[strlen(keys[i].help) - 1] == '.');
    }
    explained("slaveOnly", true, "receiver_only");
    explained("receiver_only", true, "also:    slave_only, client_only");
    explained("pi", true, "pi is a value of servo:\n\nservo\n");
    explained("linreg", true, "linreg is a value of servo:");
    explained("gnss", true, "gnss is a value of time_source:");
    explained("pid", false, "pid: there is no such key");
    explained("priority3", false, "priority3: there is no such key; did you mean priority1?");
}

static void config_complains_when_unicast_makes_no_sense(void **state)
{
    assert_problem("[ptp eth0]\nunicast = negotiated\n",
                   "f:2: [port eth0]: unicast: nobody to receive from; add unicast_transmitters");
    assert_problem("[ptp eth0]\nunicast = hybrid\nunicast_transmitters = 192.0.2.1\n",
                   "f:3: [port eth0]: unicast_transmitters: only with unicast = negotiated or "
                   "static");
    assert_problem("[ptp eth0]\nunicast = static\nunicast_transmitters = 2001:db8::1\n",
                   "f:3: [port eth0]: unicast_transmitters: 2001:db8::1 is no address of the "
                   "port's transport");
    assert_problem("[ptp eth0]\nunicast_allow = example.org\n",
                   "f:2: [port eth0]: unicast_allow: example.org is no address of the port's "
                   "transport");
    struct mt_config *config = parse_good("[ptp eth0]\nunicast = negotiated\n"
                                          "unicast_transmitters = gm.example.org/7\n"
                                          "unicast_transmitters = 192.0.2.1\n"
                                          "unicast_allow = 192.0.2.0/24\n");
    const struct mt_config_unicast *unicast = &config->ports[0].unicast;
    assert_int_equal(unicast->transmitters.count, 2);
    assert_string_equal(unicast->transmitters.station[0].name, "gm.example.org");
    assert_int_equal(unicast->transmitters.station[0].number, 7);
    assert_int_equal(unicast->transmitters.station[1].address.octets[3], 1);
    assert_int_equal(unicast->allowed.station[0].number, 24);
    mt_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_gives_ordinary_clock_when_one_interface_is_named),
        cmocka_unit_test(config_gives_boundary_clock_when_two_interfaces_are_named),
        cmocka_unit_test(config_refuses_when_interface_name_is_impossible),
        cmocka_unit_test(config_adds_interface_when_file_does_not_have_it),
        cmocka_unit_test(config_prefers_the_nearest_section_when_a_key_is_in_several),
        cmocka_unit_test(config_clears_a_flag_when_a_nearer_section_says_no),
        cmocka_unit_test(config_takes_names_of_other_standards_when_they_are_known),
        cmocka_unit_test(config_reads_lines_as_people_write_them),
        cmocka_unit_test(config_joins_list_when_it_is_given_in_pieces),
        cmocka_unit_test(config_names_nearest_key_when_key_is_unknown),
        cmocka_unit_test(config_names_home_of_key_when_section_is_wrong),
        cmocka_unit_test(config_names_what_was_expected_when_value_is_wrong),
        cmocka_unit_test(config_complains_when_line_is_no_ini_line),
        cmocka_unit_test(config_complains_when_section_is_wrong),
        cmocka_unit_test(config_complains_when_key_is_given_twice),
        cmocka_unit_test(config_complains_when_file_cannot_be_read),
        cmocka_unit_test(config_collects_problems_in_order_of_lines_when_there_are_many),
        cmocka_unit_test(config_counts_problems_when_there_are_too_many),
        cmocka_unit_test(config_complains_when_nothing_is_configured),
        cmocka_unit_test(config_complains_when_a_name_leads_nowhere),
        cmocka_unit_test(config_complains_when_a_vlan_has_no_place),
        cmocka_unit_test(config_complains_when_ports_that_share_sockets_differ),
        cmocka_unit_test(config_complains_when_two_ports_share_a_wire),
        cmocka_unit_test(config_accepts_two_ports_on_a_wire_when_domains_differ),
        cmocka_unit_test(config_complains_when_instance_has_no_port),
        cmocka_unit_test(config_complains_when_clock_type_and_ports_disagree),
        cmocka_unit_test(config_makes_a_receiver_when_the_clock_is_transparent),
        cmocka_unit_test(config_complains_when_receiver_only_cannot_be),
        cmocka_unit_test(config_complains_when_domain_is_reserved),
        cmocka_unit_test(config_complains_when_both_leaps_are_announced),
        cmocka_unit_test(config_complains_when_clocks_are_shared_or_unused),
        cmocka_unit_test(config_complains_when_keys_are_for_another_kind_of_clock),
        cmocka_unit_test(config_explains_every_key),
        cmocka_unit_test(config_complains_when_unicast_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
