/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Topology files: what is in them, and what is said of mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "apps/meantime/sim/topology.h"

static struct mt_config_problems problems;

static struct mt_topology *parse_with(const char *text, const char *const *settings, size_t count)
{
    struct mt_topology *topology = NULL;

    if (!mt_topology_parse(text, strlen(text), "net.topology", settings, count, &topology,
                           &problems)) {
        mt_config_problems_print(&problems, stdout);
        fail();
    }
    assert_int_equal(problems.count, 0);
    return topology;
}

static struct mt_topology *parse(const char *text)
{
    return parse_with(text, NULL, 0);
}

#define TWO "[node A]\n[node B]\n[link l]\njoins = A - B\n" /* 4 lines */

/* ---- mistakes -------------------------------------------------------------------------------- */

static const struct mistake {
    const char *text;
    const char *said; /* all of it, with the line */
} mistakes[] = {
    {"x = 1\n" TWO, "net.topology:1: x: expected a section heading before the first key"},
    {TWO "[sim]\nduraton = 5 s\n",
     "net.topology:6: duraton: unknown key in [sim]; did you mean duration?"},
    {TWO "[sim]\nduration = 5\n", "net.topology:6: duration = 5: expected a time with its unit, "
                                  "such as 10 us"},
    {TWO "[sim]\nduration = 5 s\nduration = 6 s\n",
     "net.topology:7: duration: given twice in this section; the first is in line 6"},
    {TWO "[sim]\nduration 5 s\n", "net.topology:6: duration: expected KEY = VALUE"},
    {TWO "[sim]\ndiscard = 100 %\n",
     "net.topology:5: duration is 60 s and discard 60 s: nothing would be left to judge; the "
     "duration must be longer"},
    {TWO "[sim]\nreference = C\n", "net.topology:5: reference = C: there is no such node"},
    {TWO "[sim]\nclass = E\n", "net.topology:6: class = E: expected A, B, C or D"},
    {TWO "[sim]\nseed = -1\n", "net.topology:6: seed = -1: expected a whole number, not negative"},
    {TWO "[nod C]\n", "net.topology:5: [nod C]: unknown section; did you mean [node]?"},
    {TWO "[node]\n", "net.topology:5: [node]: expected [node NAME]"},
    {TWO "[sim now]\n", "net.topology:5: [sim now]: expected [sim]"},
    {TWO "[node C\n", "net.topology:5: expected ] at the end of the section heading"},
    {TWO "[node a-b]\n", "net.topology:5: a-b: expected a name of letters, digits and '_', at "
                         "most 31; and at most 10000 nodes"},
    {TWO "[switch A]\n", "net.topology:1: A: there is a node or switch of that name already"},
    {TWO "[node C]\noscillator = tcxoo\n[oscillator tcxo]\n",
     "net.topology:5: tcxoo: there is no [oscillator tcxoo]; did you mean tcxo?"},
    {TWO "[node C]\nkind = servr\n[node D]\nkind = srv\n[kind srv]\n",
     "net.topology:5: servr: there is no [kind servr]; did you mean srv?"},
    {TWO "[kind servr]\n", "net.topology:5: [kind servr]: no node is of this kind"},
    {TWO "[node C]\nfrequency = 12\n",
     "net.topology:6: frequency = 12: expected a ratio, such as 5 ppm, or +-5 ppm, from -50 % to "
     "50 %"},
    {TWO "[node C]\nwander = -1 ppb\n",
     "net.topology:6: wander = -1 ppb: expected a ratio, such as 5 ppb or 5e-9, from 0 to 1 %"},
    {TWO "[node C]\ngives_time = maybe\n",
     "net.topology:6: gives_time = maybe: expected yes or no"},
    {TWO "[node C]\npriority1 = 1\n", "net.topology:6: priority1: unknown key in [node C]; as a "
                                      "key of meantime.conf it is ptp.priority1"},
    {TWO "[node C]\nmax_drift = 1\n", "net.topology:6: max_drift: unknown key in [node C]; as a "
                                      "key of meantime.conf it is clock.max_drift"},
    {TWO "[link l2]\ndelay = 5\n", "net.topology:6: delay = 5: expected a time with its unit, "
                                   "such as 10 us, from 0 to 10 s"},
    {TWO "[link l2]\njitter = norml 5 ns\n",
     "net.topology:6: jitter = norml 5 ns: expected none, trace, or one of normal, exponential, "
     "gamma and pareto with a time, such as normal 50 ns"},
    {TWO "[link l2]\njitter = trace\njoins = A - B\n",
     "net.topology:7: trace = : cannot be read: no file is named"},
    {TWO "[link l2]\njoins = A - C\n", "net.topology:6: C: there is no such node or switch; did "
                                       "you mean A?"},
    {TWO "[link l2]\njoins = A\n",
     "net.topology:6: joins: expected two names with a '-' between them, such as A - B"},
    {TWO "[link l2]\njoins = A.eth0 - B\n",
     "net.topology:6: A.eth0: this interface is joined to something already"},
    {TWO "[link l2]\nhub = A\n", "net.topology:6: hub: expected at least two names"},
    {TWO "[link A - C]\n", "net.topology:5: C: there is no such node or switch; did you mean A?"},
    {TWO "[link A - B]\nlike = m\n", "net.topology:5: m: there is no [link m]"},
    {TWO "[switch s]\nrate = fast\n", "net.topology:6: rate = fast: expected a rate, such as 1 "
                                      "Gbit/s, from 1 kbit/s to 10000 Gbit/s"},
    {TWO "[star]\nreceivers = 0\n",
     "net.topology:6: receivers = 0: expected a whole number, from 1 to 10000"},
    {TWO "[star]\nreceivers = 1.5\n",
     "net.topology:6: receivers = 1.5: expected a whole number, from 1 to 10000"},
    {TWO "[star]\ncentre = hub\n", "net.topology:5: centre = hub: expected boundary, grandmaster, "
                                   "or the name of a [switch NAME]"},
    {TWO "[chain]\n[star]\n",
     "net.topology:5: gm1: there is a node or switch of that name already"},
    {TWO "[expect C*]\n", "net.topology:5: [expect C*]: no node has such a name or kind"},
    {TWO "[expect]\ninside_bound = 2\n",
     "net.topology:6: inside_bound = 2: expected a share, such as 1 % or 0.01, from 0 to 1"},
    {TWO "[at noon]\n",
     "net.topology:5: [at noon]: expected a time with its unit, such as [at 30 min] or [at 2 min "
     "20 s], or a percentage of the duration, such as [at 50 %]"},
    {TWO "[node A]\nstart = 20 s 2 min\n",
     "net.topology:6: start = 20 s 2 min: expected a time with its unit, such as 10 us"},
    {TWO "[node A]\nstart = 2 min 20\n",
     "net.topology:6: start = 2 min 20: expected a time with its unit, such as 10 us"},
    {TWO "[node A]\nstart = 2 min -20 s\n",
     "net.topology:6: start = 2 min -20 s: expected a time with its unit, such as 10 us"},
    {TWO "[node A]\nwander = 1 ppm 2 ppb\n", "net.topology:6: wander = 1 ppm 2 ppb: expected a "
                                             "ratio, such as 5 ppb or 5e-9, from 0 to 1 %"},
    {TWO "[at 1 s]\nkil A\n", "net.topology:6: kil: unknown verb; did you mean kill?"},
    {TWO "[at 1 s]\nkill\n",
     "net.topology:6: kill: expected kill NODE, such as kill gm1 for 10 min"},
    {TWO "[at 1 s]\nkill C\n",
     "net.topology:6: C: there is no such node or switch; did you mean A?"},
    {TWO "[at 1 s]\nkill A for ever\n",
     "net.topology:6: kill A for ever: expected kill NODE, such as kill gm1 for 10 min"},
    {TWO "[at 1 s]\nstep A\n",
     "net.topology:6: step A: expected step NODE TIME, such as step bc1 -10 us"},
    {TWO "[at 1 s]\nstep A 1 us for 5 s\n",
     "net.topology:6: step A 1 us for 5 s: nothing takes this back"},
    {TWO "[at 1 s]\ndown A - A.eth9\n",
     "net.topology:6: down A - A.eth9: no link joins A and A.eth9"},
    {TWO "[at 1 s]\nunplug A.eth9\n",
     "net.topology:6: unplug A.eth9: A.eth9 is no interface of a node"},
    {TWO "[at 1 s]\ndown A\n",
     "net.topology:6: down A: expected down A - B or SWITCH, such as down spine1 - leaf*"},
    {TWO "[at 1 s]\nset A frequenzy 1 ppm\n",
     "net.topology:6: set A frequenzy 1 ppm: frequenzy: unknown key; did you mean frequency?"},
    {TWO "[at 1 s]\nset A offset 1 s\n",
     "net.topology:6: set A offset 1 s: offset: cannot change while the world runs"},
    {TWO "[at 1 s]\nset A - B delay = 5\n",
     "net.topology:6: set A - B delay 5: delay: expected a time with its unit, such as 10 us, "
     "from 0 to 10 s"},
    {TWO "[at 1 s]\ntemperature A 5\n",
     "net.topology:6: temperature A 5: expected temperature NODE NUMBER K, such as temperature "
     "bc1 5 K within 10 min"},
    {TWO "[at 1 s]\nleap 2\n", "net.topology:6: leap 2: expected leap +1 or -1, such as leap +1"},
    {TWO "[at 1 s]\nleap 1\nleap 1\n",
     "net.topology:7: leap 1: one leap second is all that a run can have"},
    /* of meantime.conf, by its own parser */
    {TWO "[ptp]\npriority1 = 256\n",
     "net.topology:6: priority1 = 256: expected an integer from 0 to 255"},
    {TWO "[node C]\n", "net.topology:5: node C: no link joins it to anything"},
    {TWO "[node A]\nptp.prioritee1 = 1\n",
     "net.topology:6: prioritee1: unknown key in [ptp]; did you mean priority1?"},
    {TWO "[node A]\neth0.ttl = 0\n", "net.topology:6: ttl = 0: expected an integer from 1 to 255"},
    {TWO "[node A]\neth1.ttl = 1\n",
     "net.topology:6: eth1.ttl: expected ptp.KEY, clock.KEY, ntp.KEY, server.KEY or an interface "
     "of A"},
    {TWO "[node A]\nptp.receiver_only = yes\n[link m]\njoins = A - B\n",
     "net.topology:6: "}, /* an ordinary clock has one port: in the parser's words */
    {TWO "[node A]\nconfig = no.conf\n",
     "net.topology:1: node A: no.conf: cannot be read: No such file or directory"},
    {"[sim]\n", "net.topology: there is no node; a network is [node A] ... with [link cable] and "
                "joins = A - B, or one of [star], [chain], [ring] and [leaf-spine]"},
};

static void topology_says_what_is_wrong_and_where_when_a_file_has_a_mistake(void **state)
{
    unsigned failures = 0;

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct mt_topology *topology = NULL;
        bool is_good = mt_topology_parse(mistakes[i].text, strlen(mistakes[i].text), "net.topology",
                                         NULL, 0, &topology, &problems);
        bool is_said =
            !is_good && problems.count == 1 &&
            strncmp(problems.problem[0].text, mistakes[i].said, strlen(mistakes[i].said)) == 0;
        if (!is_said) {
            printf("in:\n%sexpected:\n%s\nsaid:\n", mistakes[i].text, mistakes[i].said);
            mt_config_problems_print(&problems, stdout);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

static void topology_names_the_option_when_a_setting_is_wrong(void **state)
{
    static const struct {
        const char *setting, *said;
    } wrong[] = {
        {"duration", "--set: duration: expected SECTION.KEY=VALUE"},
        {"sim.duration=x", "--set: duration = x: expected a time with its unit, such as 10 us"},
        {"link l.joins=A",
         "--set: joins: expected two names with a '-' between them, such as A - B"},
        {"node A.frequency=1", "--set: frequency = 1: expected a ratio, such as 5 ppm, or +-5 ppm, "
                               "from -50 % to 50 %"},
        {"sin.duration=1 s", "--set: [sin]: unknown section; did you mean [sim]?"},
    };
    struct mt_topology *topology;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        static const char text[] = "[node A]\nfrequency = 1 ppm\n[node B]\n"
                                   "[link l]\njoins = A - B\n";
        assert_false(mt_topology_parse(text, strlen(text), "net.topology", &wrong[i].setting, 1,
                                       &topology, &problems));
        assert_string_equal(problems.problem[0].text, wrong[i].said);
    }
}

static void topology_tells_a_mistake_once_when_many_nodes_have_it(void **state)
{
    struct mt_topology *topology;
    static const char text[] = "[leaf-spine]\n[kind server]\nptp.priority1 = 300\n";

    assert_false(
        mt_topology_parse(text, strlen(text), "net.topology", NULL, 0, &topology, &problems));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.problem[0].line, 3);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void topology_takes_units_when_values_have_them(void **state)
{
    struct mt_topology *topology = parse("[sim]\nduration = 1.5 h\ndiscard = 10 %\nseed = 7\n"
                                         "limit = 250 ns\nclass = c\n"
                                         "[node A]\noffset = -1.5 ms\nfrequency = +-20 ppm\n"
                                         "wander = 1e-9\ngranularity = 8 ns\nstamp_loss = 1 %\n"
                                         "[node B]\nstart = 2 min\nfrequency = 5 ppb\n"
                                         "[switch s]\nrate = 1 Gbit/s\nload = 0.5\n"
                                         "[link l]\njitter = gamma 2 us\njoins = A - s - B\n"
                                         "jitter_back = 0\n");

    assert_int_equal(topology->run.duration_ns, INT64_C(5400000000000));
    assert_int_equal(topology->run.discard_ns, INT64_C(540000000000));
    assert_int_equal(topology->run.seed, 7);
    assert_true(topology->run.limit_ns == 250);
    assert_int_equal(topology->run.class_, MT_MASK_CLASS_C);
    assert_string_equal(topology->run.title, "net");
    assert_true(topology->nodes[0].offset_s.centre == -1.5e-3);
    assert_true(topology->nodes[0].frequency.half == 20e-6);
    assert_true(topology->nodes[0].frequency.centre == 0);
    assert_true(topology->nodes[0].physics.wander == (mt_real)1e-9);
    assert_int_equal(topology->nodes[0].physics.granularity_ns, 8);
    assert_true(topology->nodes[0].physics.tx_stamp_loss == (mt_real)0.01);
    assert_int_equal(topology->nodes[0].start_ns, -1);
    assert_int_equal(topology->nodes[1].start_ns, INT64_C(120000000000));
    assert_true(topology->nodes[1].frequency.centre == 5e-9);
    assert_true(topology->switches[0].physics.rate_bps == (mt_real)1e9);
    assert_int_equal(topology->links[0].physics.jitter, MT_SIM_JITTER_GAMMA);
    assert_true(topology->links[0].physics.jitter_ns == (mt_real)2000);
    assert_true(topology->links[0].physics.jitter_scale_back < 0);
    assert_int_equal(topology->links[0].ends[1].node, MT_TOPOLOGY_NONE);
    assert_int_equal(topology->links[1].ends[0].switch_number, 0);
    mt_topology_free(topology);
}

static void topology_takes_times_of_several_units_when_they_become_smaller(void **state)
{
    struct mt_topology *topology = parse("[sim]\nduration = 1 h 2 min\ndiscard = 1 min 30.5 s\n"
                                         "[node A]\noffset = -1 s 500ms\n"
                                         "[node B]\nstart = 1min 1s\noffset = +-1 s 5 ms\n"
                                         "[at 2 min 20 s]\nkill A for 1 min 5 s\n"
                                         "[link A - B]\n");

    assert_int_equal(topology->run.duration_ns, INT64_C(3720000000000));
    assert_int_equal(topology->run.discard_ns, INT64_C(90500000000));
    assert_true(topology->nodes[0].offset_s.centre == -1.5);
    assert_int_equal(topology->nodes[1].start_ns, INT64_C(61000000000));
    assert_true(topology->nodes[1].offset_s.half == 1.005);
    assert_int_equal(topology->events[0].t_ns, INT64_C(140000000000));
    assert_int_equal(topology->events[1].t_ns, INT64_C(205000000000));
    mt_topology_free(topology);
}

static void topology_lets_the_special_win_when_more_general_sections_differ(void **state)
{
    struct mt_topology *topology =
        parse("[ptp]\npriority1 = 10\npriority2 = 20\ndomain = 3\n"
              "[oscillator o]\nfrequency = 1 ppm\nwander = 1 ppb\n"
              "[kind k]\noscillator = o\nfrequency = 2 ppm\nptp.priority2 = 21\n"
              "[node A]\nkind = k\nwander = 2 ppb\nptp.priority1 = 11\neth0.ttl = 9\n"
              "[node B]\nkind = k\n[link l]\njoins = A - B\n");
    const struct mt_topology_node *a = &topology->nodes[0];
    const struct mt_topology_node *b = &topology->nodes[1];

    assert_true(a->frequency.centre == 2e-6 && b->frequency.centre == 2e-6);
    assert_true(a->physics.wander == (mt_real)2e-9 && b->physics.wander == (mt_real)1e-9);
    assert_int_equal(a->config->instances[0].ptp.priority1, 11);
    assert_int_equal(b->config->instances[0].ptp.priority1, 10);
    assert_int_equal(a->config->instances[0].ptp.priority2, 21);
    assert_int_equal(b->config->instances[0].ptp.domain, 3);
    assert_int_equal(a->config->ports[0].ttl, 9);
    assert_int_equal(b->config->ports[0].ttl, 1);
    mt_topology_free(topology);
}

static void topology_replaces_an_entry_when_a_setting_says_so(void **state)
{
    static const char *const settings[] = {"star.receivers=5", "link c.delay=7 us",
                                           "kind receiver.ptp.domain=4", "sim.duration = 3 s"};
    struct mt_topology *topology =
        parse_with("[sim]\nduration = 9 s\n[star]\nlink = c\nreceivers = 2\n[link c]\n"
                   "delay = 1 us\n[kind receiver]\n",
                   settings, 4);

    assert_int_equal(topology->node_count, 7);
    assert_true(topology->links[6 - 1].physics.delay_ns == 7000);
    assert_int_equal(topology->nodes[6].config->instances[0].ptp.domain, 4);
    assert_int_equal(topology->nodes[0].config->instances[0].ptp.domain, 0);
    assert_int_equal(topology->run.duration_ns, INT64_C(3000000000));
    mt_topology_free(topology);
}

/* ---- links ----------------------------------------------------------------------------------- */

static void topology_joins_all_pairs_when_names_are_ranges_or_patterns(void **state)
{
    struct mt_topology *topology = parse("[node gm]\n[node s1..2]\n[node h1..3]\n"
                                         "[link l]\njoins = gm - s* - h1..3, gm.mgmt - h2\n"
                                         "hub = gm, h1..3\n");

    assert_int_equal(topology->node_count, 6);
    assert_int_equal(topology->link_count, 2 + 6 + 1 + 1);
    assert_string_equal(topology->links[8].ends[0].interface, "mgmt");
    assert_int_equal(topology->links[9].end_count, 4);
    assert_int_equal(topology->nodes[0].link_count, 4);
    assert_int_equal(topology->nodes[1].link_count, 4);
    assert_string_equal(topology->links[7].ends[0].interface, "eth3");
    assert_int_equal(topology->nodes[1].config->port_count, 4);
    mt_topology_free(topology);
}

static void topology_changes_one_link_when_its_section_names_both_ends(void **state)
{
    struct mt_topology *topology =
        parse("[node A]\n[node B]\n[node C]\n[link l]\ndelay = 1 us\nasymmetry = 10 ns\n"
              "joins = A - B - C\n[link C - B]\nasymmetry = 30 ns\n[link A - C]\nlike = l\n"
              "delay = 5 us\n");

    assert_int_equal(topology->link_count, 3);
    assert_true(topology->links[0].physics.asymmetry_ns == 10);
    assert_true(topology->links[1].physics.asymmetry_ns == -30); /* as it is written: B - C */
    assert_true(topology->links[1].physics.delay_ns == 1000);
    assert_true(topology->links[2].physics.delay_ns == 5000);
    assert_true(topology->links[2].physics.asymmetry_ns == 10);
    mt_topology_free(topology);
}

/* ---- generators ------------------------------------------------------------------------------ */

static void topology_has_as_many_nodes_and_links_as_its_generator_says(void **state)
{
    static const struct {
        const char *text;
        uint32_t nodes, links;
    } networks[] = {
        {"[star]\nreceivers = 5\n", 7, 6},
        {"[star]\nreceivers = 5\ncentre = grandmaster\n", 6, 5},
        {"[switch sw]\n[star]\nreceivers = 5\ncentre = sw\n", 6, 6},
        {"[chain]\nclocks = 1\n", 2, 1},
        {"[chain]\nclocks = 10\n", 11, 10},
        {"[ring]\nclocks = 3\n", 4, 4},
        {"[ring]\nclocks = 6\nreceivers = 2\n", 19, 19},
        {"[leaf-spine]\ngrandmasters = 2\nspines = 4\nleaves = 16\nservers = 208\n", 230,
         8 + 64 + 208},
        {"[leaf-spine]\nservers = 0\n", 8, 4 + 8},
        {"[chain]\n[star]\nprefix = s_\n", 11 + 10, 10 + 9},
    };

    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        struct mt_topology *topology = parse(networks[i].text);
        assert_int_equal(topology->node_count, networks[i].nodes);
        assert_int_equal(topology->link_count, networks[i].links);
        mt_topology_free(topology);
    }
}

static void topology_spreads_servers_evenly_when_leaves_share_them(void **state)
{
    struct mt_topology *topology =
        parse("[leaf-spine]\ngrandmasters = 2\nspines = 4\nleaves = 16\nservers = 208\n");

    for (uint32_t i = 0; i < topology->node_count; i++) {
        const struct mt_topology_node *node = &topology->nodes[i];
        uint32_t links = strcmp(node->kind, "grandmaster") == 0 ? 4
                         : strcmp(node->kind, "spine") == 0     ? 2 + 16
                         : strcmp(node->kind, "leaf") == 0      ? 4 + 13
                                                                : 1;
        assert_int_equal(node->link_count, links);
        assert_int_equal(node->gives_time, links == 4);
        assert_int_equal(node->config->instances[0].ptp.is_receiver_only, links == 1);
        assert_int_equal(node->config->instances[0].ptp.priority1, links == 4 ? 1 : 128);
    }
    mt_topology_free(topology);
}

/* ---- the timeline ---------------------------------------------------------------------------- */

static void topology_puts_what_happens_in_order_when_sections_are_not(void **state)
{
    struct mt_topology *topology =
        parse("[sim]\nduration = 100 s\n"
              "[at 50 %]\nkill bc* for 10 s\nset gm1 - bc1 delay = 3 us\n"
              "[at 20 s]\nlie gm1 -5 us for 40 s\ntemperature bc1 5 K within 10 s\n"
              "[chain]\nclocks = 2\n");
    static const struct {
        int64_t t_s;
        const char *sentence;
    } expected[] = {
        {20, "lie gm1 -5 us for 40 s"},
        {20, "temperature bc1 5 K within 10 s"},
        {50, "kill bc* for 10 s"},
        {50, "set gm1 - bc1 delay 3 us"},
        {60, "end of: lie gm1 -5 us for 40 s"},
        {60, "start bc*"},
    };
    static const enum mt_topology_verb verbs[] = {
        MT_TOPOLOGY_LIE, MT_TOPOLOGY_TEMPERATURE, MT_TOPOLOGY_KILL,  MT_TOPOLOGY_KILL,
        MT_TOPOLOGY_SET, MT_TOPOLOGY_LIE,         MT_TOPOLOGY_START, MT_TOPOLOGY_START};

    assert_int_equal(topology->happening_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t swapped = i == 4 ? 5 : i == 5 ? 4 : i; /* those at 60 s: as they were written */
        const struct mt_topology_happening *happening = &topology->happenings[i];
        assert_int_equal(happening->t_ns / MT_NS_PER_S, expected[i].t_s);
        assert_string_equal(happening->sentence, expected[i >= 4 ? swapped : i].sentence);
    }
    assert_int_equal(topology->event_count, 8);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(topology->events[i].verb, verbs[i]);
    }
    assert_true(topology->events[0].amount == -5e-6);
    assert_true(topology->events[1].amount == 5);
    assert_int_equal(topology->events[1].within_ns, INT64_C(10000000000));
    assert_int_equal(topology->events[2].index, 1);
    assert_int_equal(topology->events[3].index, 2);
    assert_string_equal(topology->events[4].value, "3 us");
    mt_topology_free(topology);
}

static void topology_changes_physics_when_a_set_takes_place(void **state)
{
    struct mt_sim_segment_config link = {.delay_ns = 5, .loss = 1};
    struct mt_sim_node_config node = {.frequency = 1e-6, .wander = 1e-9};
    struct mt_sim_switch_config plain_switch = {.rate_bps = 1};

    mt_topology_change("delay", "3 us", MT_TOPOLOGY_LINK, &link);
    mt_topology_change("jitter", "pareto 1 us", MT_TOPOLOGY_LINK, &link);
    mt_topology_change("frequency", "-2 ppm", MT_TOPOLOGY_NODE, &node);
    mt_topology_change("stamp_noise", "5 ns", MT_TOPOLOGY_NODE, &node);
    mt_topology_change("load", "50 %", MT_TOPOLOGY_SWITCH, &plain_switch);
    assert_true(link.delay_ns == 3000 && link.loss == 1 && link.jitter == MT_SIM_JITTER_PARETO);
    assert_true(node.frequency == (mt_real)-2e-6 && node.wander == (mt_real)1e-9);
    assert_true(node.stamp_noise_ns == 5);
    assert_true(plain_switch.load == (mt_real)0.5 && plain_switch.rate_bps == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topology_says_what_is_wrong_and_where_when_a_file_has_a_mistake),
        cmocka_unit_test(topology_names_the_option_when_a_setting_is_wrong),
        cmocka_unit_test(topology_tells_a_mistake_once_when_many_nodes_have_it),
        cmocka_unit_test(topology_takes_units_when_values_have_them),
        cmocka_unit_test(topology_takes_times_of_several_units_when_they_become_smaller),
        cmocka_unit_test(topology_lets_the_special_win_when_more_general_sections_differ),
        cmocka_unit_test(topology_replaces_an_entry_when_a_setting_says_so),
        cmocka_unit_test(topology_joins_all_pairs_when_names_are_ranges_or_patterns),
        cmocka_unit_test(topology_changes_one_link_when_its_section_names_both_ends),
        cmocka_unit_test(topology_has_as_many_nodes_and_links_as_its_generator_says),
        cmocka_unit_test(topology_spreads_servers_evenly_when_leaves_share_them),
        cmocka_unit_test(topology_puts_what_happens_in_order_when_sections_are_not),
        cmocka_unit_test(topology_changes_physics_when_a_set_takes_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
