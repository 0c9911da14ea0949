/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers that come and go while a node runs: the clock goes on within its bound, who stays is
 * not disturbed, what is wrong changes nothing, and the run can be had again from its log.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/rerun.h"
#include "sim_lab.h"

#define SERVERS 4
#define CLIENT  SERVERS
#define SERVING "[server]\nlocal_stratum = 1\n"

static struct lab net;
static struct lab_log recording;
static char key_path[64];
static char first_server[200]; /* its configuration; "": as that of the others */

static int clean_up(void **state)
{
    free(recording.octets);
    recording = (struct lab_log){0};
    if (key_path[0] != '\0') {
        unlink(key_path);
        key_path[0] = '\0';
    }
    first_server[0] = '\0';
    return lab_clean_up(&net);
}

/* The client's configuration: servers by their numbers, "0 2", then more text. */
static const char *asking(const char *numbers, const char *more)
{
    static char text[2000];
    size_t length = (size_t)snprintf(text, sizeof text, "[ntp]\nmin_poll = 2\nmax_poll = 2\n");
    for (; *numbers != '\0'; numbers++) {
        if (*numbers != ' ') {
            length += (size_t)snprintf(text + length, sizeof text - length,
                                       "[ntp s%c]\naddress = 10.0.%c.0\n", *numbers, *numbers);
        }
    }
    snprintf(text + length, sizeof text - length, "%s", more);
    return text;
}

static void found(uint64_t seed, const char *numbers, const char *more)
{
    static const struct mt_sim_segment_config hub = {
        .delay_ns = 100000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 10000};
    static const struct mt_sim_node_config exact = {.granularity_ns = 1};
    static const struct mt_sim_node_config ordinary = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &hub);
    for (unsigned i = 0; i < SERVERS; i++) {
        lab_add(&net, "S", &exact, i == 0 && first_server[0] != '\0' ? first_server : SERVING);
        assert_true(mt_world_join(net.world, segment, i, "eth0"));
    }
    lab_add(&net, "C", &ordinary, asking(numbers, more));
    assert_true(mt_world_join(net.world, segment, CLIENT, "eth0"));
    net.reference = TRUE_TIME;
}

static void boot_all(void)
{
    for (uint32_t node = 0; node < net.node_count; node++) {
        lab_boot(&net, node);
    }
}

static struct mt_composition *client(void)
{
    return net.nodes[CLIENT].composition;
}

/* Null: it is not asked. */
static const struct mt_node_ntp *asked(const char *name)
{
    for (uint16_t i = 0; i < client()->node.ntp_count; i++) {
        const struct mt_config_ntp *config = mt_composition_ntp(client(), i);
        if (config != NULL && strcmp(config->name, name) == 0) {
            return &client()->node.ntp[i];
        }
    }
    return NULL;
}

static bool is_trusted(const char *name)
{
    const struct mt_arbiter *arbiter = &client()->node.clocks[0].arbiter;
    for (uint16_t i = 0; i < arbiter->count; i++) {
        if (&client()->node.ntp[arbiter->members[i].index] == asked(name)) {
            return arbiter->members[i].is_trusted;
        }
    }
    return false;
}

static void assert_told(const char *expected)
{
    char told[2048] = "";
    size_t length = 0;
    for (size_t i = 0; i < client()->change_count; i++) {
        const struct mt_compose_change *change = &client()->changes[i];
        length += (size_t)snprintf(told + length, sizeof told - length, "%c%s\n",
                                   change->is_applied ? '+' : '-', change->text);
    }
    assert_string_equal(told, expected);
}

static void settle(void)
{
    lab_run(&net, 300);
    lab_forget(&net);
}

/* Since lab_forget(): it ran on as if nothing had happened. */
static void expect_good(void)
{
    assert_int_equal(client()->node.clocks[0].discipline.phase, MT_STEER_LOCKED);
    assert_true(lab_is_bounded(&net, CLIENT));
    assert_int_equal(net.nodes[CLIENT].watch.steps, 0);
    assert_true(net.nodes[CLIENT].watch.max_ns < 30000);
}

static const struct mt_node_ntp *followed(void)
{
    return mt_ntp_duty_followed(&client()->node, 0);
}

static void sim_ntp_reload_asks_who_is_new_and_no_more_who_is_gone(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, "0", "");
        boot_all();
        settle();
        assert_true(followed() == asked("s0"));
        assert_true(lab_reload(&net, CLIENT, asking("0 1", "")));
        assert_told("+ntp s1 is new\n");
        lab_run(&net, 120);
        assert_true(asked("s1")->client.was_reachable);
        assert_true(lab_reload(&net, CLIENT, asking("1", "")));
        assert_told("+ntp s0 is gone\n");
        assert_null(asked("s0"));
        assert_true(followed() == asked("s1")); /* it has been measured for a while */
        lab_run(&net, 200);
        expect_good();
        assert_int_equal(client()->node.clocks[0].arbiter.count, 1);
        lab_close(&net);
    }
}

static void sim_ntp_reload_leaves_alone_who_has_not_changed(void **state)
{
    found(1, "0 1 2", "");
    boot_all();
    settle();
    uint64_t questions = asked("s1")->client.asked;
    uint8_t reach = asked("s1")->client.reach;
    assert_true(lab_reload(&net, CLIENT, asking("1 3", "prefer = yes\n")));
    assert_told("+ntp s0 is gone\n+ntp s2 is gone\n+ntp s3 is new\n");
    assert_true(lab_reload(&net, CLIENT,
                           asking("1", "trust = yes\n[ntp s3]\naddress = 10.0.3.0\n"
                                       "prefer = yes\n")));
    assert_told("+trust = yes (ntp s1)\n");
    assert_int_equal(asked("s1")->client.asked, questions);
    assert_int_equal(asked("s1")->client.reach, reach);
    lab_run(&net, 60);
    assert_true(asked("s1")->client.asked <= questions + 16); /* no burst */
    assert_true(is_trusted("s1"));
    expect_good();
    lab_close(&net);
}

static void sim_ntp_reload_asks_anew_who_has_changed(void **state)
{
    found(1, "0 1", "");
    boot_all();
    settle();
    assert_true(lab_reload(&net, CLIENT, asking("0 1", "min_poll = 1\n")));
    assert_told("+min_poll = 1 (ntp s1)\n");
    assert_true(asked("s1")->client.asked <= 1);
    assert_int_equal(asked("s1")->client.config.min_poll, 1);
    lab_run(&net, 100);
    assert_true(asked("s1")->client.was_reachable);
    expect_good();
    lab_close(&net);
}

/* The only server changes: the clock holds over until the new one is measured. */
static void sim_ntp_reload_holds_over_while_nobody_is_left(void **state)
{
    found(2, "0", "");
    boot_all();
    settle();
    assert_true(lab_reload(&net, CLIENT, asking("1", "")));
    assert_told("+ntp s0 is gone\n+ntp s1 is new\n");
    assert_int_equal(client()->node.clocks[0].discipline.phase, MT_STEER_HOLDOVER);
    assert_int_equal(client()->node.ntp_count, 1); /* its place, and its link, were taken again */
    lab_run(&net, 200);
    expect_good();
    lab_close(&net);
}

static void sim_ntp_reload_goes_on_when_it_happens_again_and_again(void **state)
{
    static const char *const sets[] = {"0 1", "1 2", "2 3 0", "3", "3 0 1 2", "0"};
    found(3, "0 1", "");
    boot_all();
    settle();
    for (unsigned i = 0; i < 60; i++) {
        assert_true(lab_reload(&net, CLIENT, asking(sets[i % 6], "")));
        lab_run(&net, 30);
    }
    lab_run(&net, 100);
    expect_good();
    assert_true(client()->node.ntp_count <= 5);
    assert_true(client()->node.clocks[0].discipline.source_count <= 6);
    lab_close(&net);
}

/* A clock that has had PTP alone gets an arbiter. */
static void sim_ntp_reload_has_ptp_judged_too(void **state)
{
    static const char ptp[] = "[ptp]\nreceiver_only = yes\n[ptp eth0]\n";
    found(1, "", ptp);
    lab_add(&net, "GM", &(struct mt_sim_node_config){.granularity_ns = 1},
            lab_conf("clock_class = 6\nclock_accuracy = 100ns", 1));
    assert_true(mt_world_join(net.world, 0, CLIENT + 1, "eth0"));
    boot_all();
    settle();
    assert_false(client()->node.clocks[0].arbiter.is_used);
    assert_true(lab_reload(&net, CLIENT, asking("0 1", ptp)));
    lab_run(&net, 200);
    const struct mt_arbiter *arbiter = &client()->node.clocks[0].arbiter;
    assert_int_equal(arbiter->count, 3);
    for (uint16_t i = 0; i < arbiter->count; i++) {
        assert_true(mt_arbiter_is_chosen(arbiter->opinions[i].verdict));
    }
    expect_good();
    lab_close(&net);
}

static void sim_ntp_reload_says_what_needs_a_restart(void **state)
{
    found(1, "0", "");
    boot_all();
    lab_run(&net, 20);
    assert_false(lab_reload(&net, CLIENT,
                            asking("0", "[ntp s1]\naddress = 10.0.1.0\nnts = yes\n"
                                        "[ntp s2]\naddress = 10.0.2.0\nclock = other\n"
                                        "[clock other]\n")));
    assert_told("-clock other is new and needs a restart\n"
                "-ntp s1 needs a restart: it is the first one that speaks NTS\n"
                "-ntp s2 needs a restart: its clock is new\n");
    assert_false(client()->is_unchanged);
    assert_null(asked("s1"));
    lab_close(&net);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void write_keys(const char *text)
{
    if (key_path[0] == '\0') {
        snprintf(key_path, sizeof key_path, "/tmp/sim_ntp_reload.%ld", (long)getpid());
    }
    FILE *file = fopen(key_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(key_path, 0600), 0);
}

static const char *with_key(const char *format)
{
    static char text[400];
    snprintf(text, sizeof text, format, key_path);
    return text;
}

static void sim_ntp_reload_takes_new_keys_on_both_sides(void **state)
{
    write_keys("7 SHA256 one\n");
    snprintf(first_server, sizeof first_server, SERVING "require_key = yes\nkey_file = %s\n",
             key_path);
    found(1, "0", with_key("key = 7\nkey_file = %s\n"));
    boot_all();
    settle();
    assert_true(asked("s0")->client.was_reachable);
    uint64_t questions = asked("s0")->client.asked;
    write_keys("7 SHA256 two\n");
    assert_true(lab_reload(&net, CLIENT, asking("0", with_key("key = 7\nkey_file = %s\n"))));
    assert_true(strncmp(client()->changes[0].text, "key 7 of /tmp/", 14) == 0);
    lab_run(&net, 60);
    assert_true(asked("s0")->client.reach == 0); /* the server has the old one */
    assert_true(lab_reload(&net, 0, first_server));
    assert_int_equal(net.nodes[0].composition->applied_count, 1);
    assert_int_equal(net.nodes[0].composition->server_changes, 1);
    lab_run(&net, 60);
    assert_int_equal(asked("s0")->client.reach, 255);
    assert_true(asked("s0")->client.asked > questions);
    lab_close(&net);
}

static void sim_ntp_reload_changes_nothing_when_a_key_is_missing(void **state)
{
    write_keys("7 SHA256 one\n");
    found(1, "0", "");
    boot_all();
    settle();
    assert_false(lab_reload(
        &net, CLIENT,
        asking("2", with_key("[ntp s1]\naddress = 10.0.1.0\nkey = 8\nkey_file = %s\n"))));
    assert_true(client()->is_unchanged);
    assert_told("");
    assert_non_null(asked("s0"));
    assert_null(asked("s2"));
    /* one that is in force stays so, and the rest of the file is taken over */
    assert_true(lab_reload(&net, CLIENT, asking("0", with_key("key = 7\nkey_file = %s\n"))));
    write_keys("nonsense\n");
    assert_false(lab_reload(&net, CLIENT,
                            asking("0", with_key("key = 7\nkey_file = %s\n"
                                                 "[ntp s1]\naddress = 10.0.1.0\n"))));
    assert_false(client()->is_unchanged);
    assert_int_equal(client()->unread_count, 1);
    assert_non_null(asked("s1"));
    lab_close(&net);
}

/* ---- our server ------------------------------------------------------------------------------ */

static void sim_ntp_reload_changes_whom_the_server_answers(void **state)
{
    found(1, "0", "");
    boot_all();
    settle();
    struct mt_composition *server = net.nodes[0].composition;
    assert_true(lab_reload(&net, 0, SERVING "deny = 10.0.0.0/8, fd00::/16\nstratum = 3\n"));
    assert_int_equal(server->applied_count, 2);
    assert_int_equal(server->server_changes, 1);
    lab_run(&net, 60);
    assert_int_equal(asked("s0")->client.reach, 0);
    assert_false(lab_reload(&net, 0, "[server]\nlocal_stratum = 4\nport = 1123\n"));
    assert_int_equal(server->applied_count, 3);
    assert_string_equal(server->changes[0].text,
                        "port = 1123 (server) needs a restart; until then it is 123");
    lab_run(&net, 60);
    assert_true(asked("s0")->client.reach != 0);
    assert_int_equal(asked("s0")->client.server.stratum, 4);
    lab_close(&net);
}

static size_t memory_in_use(void)
{
    return mallinfo2().uordblks; /* 0 under the sanitizers */
}

/* Lists that are replaced, again and again. */
static void sim_ntp_reload_needs_no_more_memory_when_it_happens_often(void **state)
{
    enum { LINES = 2000, LINE = 32 };
    char *text = malloc(LINES * LINE);
    size_t before = 0;
    assert_non_null(text);
    found(1, "0", "");
    boot_all();
    lab_run(&net, 5);
    for (unsigned round = 0; round < 20; round++) {
        char *at = text + sprintf(text, SERVING "reference_id = R%u\n", round);
        for (unsigned i = 0; i < LINES / 2; i++) {
            at += sprintf(at, "deny = 192.0.%u.%u/31\n", round, i % 250);
        }
        assert_true(lab_reload(&net, 0, text));
        if (round == 1) {
            before = memory_in_use();
        }
    }
    assert_true(memory_in_use() <= before + 20000); /* one list is four times as much */
    free(text);
    lab_close(&net);
}

/* ---- the log --------------------------------------------------------------------------------- */

struct replayed {
    struct mt_config *config;
    struct mt_composition *composition;
};

static struct mt_config *parse(struct mt_log_text text)
{
    static struct mt_config_problems problems;
    struct mt_config *config = NULL;
    assert_true(mt_config_parse(text.text, text.length, "log", NULL, 0, &config, &problems));
    return config;
}

static void carry_out(void *context, const struct mt_order *order)
{
    struct replayed *self = context;
    char reason[MT_HAL_REASON_SIZE];
    struct mt_config *config = parse(order->config);
    assert_int_equal(order->kind, MT_ORDER_RELOAD);
    mt_composition_reload(self->composition, config, order->now, reason);
    mt_config_free(config);
}

static void change_in_wait(struct lab *lab)
{
    assert_true(lab_reload(lab, CLIENT, asking("1 3", "")));
}

static void record_one(uint64_t seed)
{
    found(seed, "0 1", "");
    lab_record(&net, CLIENT, &recording);
    boot_all();
    lab_run(&net, 50);
    assert_true(lab_reload(&net, CLIENT, asking("1 2", "")));
    lab_run(&net, 50);
    net.nodes[CLIENT].gate.order = change_in_wait;
    lab_run(&net, 50);
    assert_non_null(asked("s3"));
    lab_kill(&net, CLIENT);
}

static void sim_ntp_reload_is_replayed_bit_for_bit(void **state)
{
    char reason[MT_HAL_REASON_SIZE];
    FOR_EACH_SEED(seed)
    {
        record_one(seed);
        struct mt_replay *replay = mt_replay_open(recording.octets, recording.length, reason);
        const struct mt_log_start *start = mt_replay_start(replay);
        const struct mt_compose_facts facts = {.tai_utc_known = start->facts.tai_utc_known,
                                               .tai_minus_utc_s = start->facts.tai_minus_utc_s,
                                               .leap_s = start->facts.leap_s};
        struct replayed self = {.config = parse(start->config)};
        self.composition = mt_compose(self.config, mt_replay_provider(replay), &facts, reason);
        assert_non_null(self.composition);
        mt_replay_on_order(replay, carry_out, &self);
        while (mt_replay_step(replay, &self.composition->node)) {
        }
        assert_string_equal(mt_replay_result(replay)->sentence, "");
        assert_int_equal(mt_replay_result(replay)->outcome, MT_REPLAY_SAME);
        assert_true(mt_replay_result(replay)->frames > 60);
        mt_composition_free(self.composition);
        mt_config_free(self.config);
        mt_replay_close(replay);
        lab_close(&net);
        free(recording.octets);
        recording = (struct lab_log){0};
    }
}

static void sim_ntp_reload_is_rerun(void **state)
{
    char reason[MT_HAL_REASON_SIZE];
    record_one(1);
    struct mt_rerun *rerun = mt_rerun_open(recording.octets, recording.length, reason);
    const struct mt_log_start *start = mt_rerun_start(rerun);
    const struct mt_compose_facts facts = {.tai_utc_known = start->facts.tai_utc_known,
                                           .tai_minus_utc_s = start->facts.tai_minus_utc_s,
                                           .leap_s = start->facts.leap_s};
    struct replayed self = {.config = parse(start->config)};
    self.composition = mt_compose(self.config, mt_rerun_provider(rerun), &facts, reason);
    mt_rerun_on_order(rerun, carry_out, &self);
    while (mt_rerun_step(rerun, &self.composition->node)) {
    }
    assert_false(mt_rerun_result(rerun)->is_damaged);
    assert_int_equal(self.composition->refused_count, 0);
    mt_composition_free(self.composition);
    mt_config_free(self.config);
    mt_rerun_close(rerun);
    lab_close(&net);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ntp_reload_asks_who_is_new_and_no_more_who_is_gone, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_leaves_alone_who_has_not_changed, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_asks_anew_who_has_changed, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_holds_over_while_nobody_is_left, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_goes_on_when_it_happens_again_and_again, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_has_ptp_judged_too, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_says_what_needs_a_restart, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_takes_new_keys_on_both_sides, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_changes_nothing_when_a_key_is_missing, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_changes_whom_the_server_answers, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_needs_no_more_memory_when_it_happens_often,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_is_replayed_bit_for_bit, clean_up),
        cmocka_unit_test_teardown(sim_ntp_reload_is_rerun, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
