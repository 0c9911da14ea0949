/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A run in the simulator, recorded and replayed: the boundary clock of the founding lab with all
 * that can happen to it.  The replay knows nothing of the world, it has the log alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/rerun.h"
#include "sim_lab.h"

#define A  0
#define B  1
#define BC 2

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static struct lab net;
static struct lab_log recording;

static int clean_up(void **state)
{
    free(recording.octets);
    recording = (struct lab_log){0};
    return lab_clean_up(&net);
}

static void build(uint64_t seed)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 30000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 3000, .loss = 0.02};
    const struct mt_sim_node_config a = {.offset_s = 0.3, .frequency = 12e-6, .wander = 1e-9};
    const struct mt_sim_node_config b = {.offset_s = 0.9, .frequency = 37e-6, .wander = 1e-9};
    const struct mt_sim_node_config bc = {.offset_s = -0.2,
                                          .frequency = -23e-6,
                                          .wander = 1e-9,
                                          .tx_stamp_delay_ns = 20000,
                                          .tx_stamp_loss = 0.02,
                                          .tx_stamp_late = 0.1,
                                          .tx_stamp_late_ns = 200000000};
    lab_open(&net, seed);
    lab_add(&net, "A", &a, lab_conf("priority1 = 100", 1));
    lab_add(&net, "B", &b, lab_conf("", 1));
    lab_add(&net, "BC", &bc, lab_conf("path_trace = yes", 2));
    lab_cable(&net, &cable, A, "eth0", BC, "eth0");
    lab_cable(&net, &cable, BC, "eth1", B, "eth0");
}

static void order_best(struct lab *lab)
{
    const struct mt_command best = {.kind = MT_COMMAND_PRIORITIES, .value.priorities = {1, 128}};
    assert_true(lab_command(lab, BC, 0, &best));
}

/* Everything that comes from outside: frames, links, steps, commands, configurations, the stop. */
static void live(uint64_t seed, bool is_stopped)
{
    build(seed);
    lab_record(&net, BC, &recording);
    for (uint32_t i = A; i <= BC; i++) {
        lab_boot(&net, i);
    }
    lab_run(&net, 20);
    mt_world_set_plugged(net.world, BC, "eth0", false);
    lab_run(&net, 5);
    mt_world_set_plugged(net.world, BC, "eth0", true);
    lab_run(&net, 10);
    mt_world_step_clock(net.world, BC, 0, (struct mt_span){-1, 0, 0});
    lab_run(&net, 10);
    mt_world_stall(net.world, BC, 4000000000);
    lab_run(&net, 10);
    net.nodes[BC].gate.order = order_best; /* the next within a wait, the one after between two */
    lab_run(&net, 10);
    assert_int_equal(lab_state(&net, BC, 1), MT_STATE_TRANSMITTER);
    assert_true(lab_reload(&net, BC, lab_conf("path_trace = yes\npriority1 = 200", 2)));
    lab_run(&net, 10);
    assert_int_equal(lab_state(&net, BC, 1), MT_STATE_RECEIVER);
    if (is_stopped) {
        lab_stop(&net, BC);
    } else {
        lab_kill(&net, BC);
    }
}

/* ---- the replay ------------------------------------------------------------------------------ */

struct replayed {
    struct mt_config *config;
    struct mt_composition *composition;
};

static struct mt_config *parse(struct mt_log_text text)
{
    struct mt_config *config = NULL;
    struct mt_config_problems problems = {0};
    assert_true(mt_config_parse(text.text, text.length, "log", NULL, 0, &config, &problems));
    return config;
}

static void carry_out(void *context, const struct mt_order *order)
{
    struct replayed *self = context;
    char reason[MT_HAL_REASON_SIZE];
    assert_int_equal(order->kind, MT_ORDER_RELOAD);
    struct mt_config *config = parse(order->config);
    assert_true(mt_composition_reload(self->composition, config, order->now, reason));
    mt_config_free(config);
}

static struct mt_replay_result replay_log(const uint8_t *octets, size_t length)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_replay *replay = mt_replay_open(octets, length, reason);
    assert_string_equal(reason, "");
    const struct mt_log_start *start = mt_replay_start(replay);
    const struct mt_compose_facts facts = {.tai_utc_known = start->facts.tai_utc_known,
                                           .tai_minus_utc_s = start->facts.tai_minus_utc_s,
                                           .leap_s = start->facts.leap_s};
    struct replayed self = {.config = parse(start->config)};
    self.composition = mt_compose(self.config, mt_replay_provider(replay), &facts, reason);
    if (self.composition != NULL) {
        mt_replay_on_order(replay, carry_out, &self);
        while (mt_replay_step(replay, &self.composition->node)) {
        }
    }
    struct mt_replay_result result = *mt_replay_result(replay);
    mt_composition_free(self.composition);
    mt_config_free(self.config);
    mt_replay_close(replay);
    return result;
}

static void sim_replay_is_the_run_bit_for_bit_when_it_was_recorded(void **state)
{
    FOR_EACH_SEED(seed)
    {
        live(seed, true);
        struct mt_replay_result result = replay_log(recording.octets, recording.length);
        assert_string_equal(result.sentence, "");
        assert_int_equal(result.outcome, MT_REPLAY_SAME);
        assert_true(result.is_complete);
        assert_int_equal(result.offset, recording.length);
        assert_int_equal(result.corrections, net.nodes[BC].watch.corrections);
        assert_in_range(result.frames, 500, 5000);
        assert_in_range(result.inputs, 1000, 10000);
        lab_close(&net);
        clean_up(NULL);
    }
}

/* ---- the rerun ------------------------------------------------------------------------------- */

#define CORRECTIONS_MOST 8192

struct corrections {
    size_t count;
    struct mt_correction asked[CORRECTIONS_MOST];
};

static void note(void *context, const struct mt_hal_clock *clock, const struct mt_correction *asked,
                 const struct mt_applied *applied, struct mt_mono now)
{
    struct corrections *self = context;
    assert_true(self->count < CORRECTIONS_MOST);
    self->asked[self->count++] = *asked;
}

static void replay_into(struct corrections *corrections)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_replay *replay = mt_replay_open(recording.octets, recording.length, reason);
    const struct mt_replay_observer observer = {corrections, note, NULL};
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    struct replayed self = {.config = parse(mt_replay_start(replay)->config)};
    mt_replay_observe(replay, &observer);
    mt_replay_on_order(replay, carry_out, &self);
    self.composition = mt_compose(self.config, mt_replay_provider(replay), &facts, reason);
    while (mt_replay_step(replay, &self.composition->node)) {
    }
    mt_composition_free(self.composition);
    mt_config_free(self.config);
    mt_replay_close(replay);
}

static struct mt_rerun_result rerun_into(struct corrections *corrections)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_rerun *rerun = mt_rerun_open(recording.octets, recording.length, reason);
    const struct mt_replay_observer observer = {corrections, note, NULL};
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    assert_string_equal(reason, "");
    struct replayed self = {.config = parse(mt_rerun_start(rerun)->config)};
    mt_rerun_observe(rerun, &observer);
    mt_rerun_on_order(rerun, carry_out, &self);
    self.composition = mt_compose(self.config, mt_rerun_provider(rerun), &facts, reason);
    while (mt_rerun_step(rerun, &self.composition->node)) {
    }
    struct mt_rerun_result result = *mt_rerun_result(rerun);
    mt_composition_free(self.composition);
    mt_config_free(self.config);
    mt_rerun_close(rerun);
    return result;
}

static size_t step_count(const struct corrections *corrections)
{
    size_t count = 0;
    for (size_t i = 0; i < corrections->count; i++) {
        count += corrections->asked[i].kind == MT_CORRECT_STEP;
    }
    return count;
}

/* number of corrections, from the first on, that are equal but for roundings */
static size_t equal_count(const struct corrections *a, const struct corrections *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        struct mt_span step = mt_span_minus(a->asked[i].step, b->asked[i].step);
        if (a->asked[i].kind != b->asked[i].kind || mt_span_to_ns(mt_span_abs(step)) > 1 ||
            magnitude(a->asked[i].rate - b->asked[i].rate) > 1e-12) {
            return i;
        }
    }
    return a->count < b->count ? a->count : b->count;
}

/* Taking the recorded corrections back and applying the same again costs roundings only.  In one
 * run of twenty one of them decides whether a slew is replaced; what comes then is as good. */
static void sim_rerun_corrects_alike_when_nothing_has_changed(void **state)
{
    static struct corrections before, after;
    FOR_EACH_SEED(seed)
    {
        before.count = after.count = 0;
        live(seed, true);
        replay_into(&before);
        struct mt_rerun_result result = rerun_into(&after);
        assert_true(result.is_complete && !result.is_damaged);
        assert_int_equal(result.offset, recording.length);
        assert_int_equal(result.unmatched, 0);
        assert_int_equal(result.recorded_corrections, before.count);
        assert_int_equal(step_count(&after), step_count(&before));
        if (seed <= 2) {
            assert_int_equal(after.count, before.count);
            assert_int_equal(equal_count(&before, &after), before.count);
        }
        assert_in_range(equal_count(&before, &after), before.count / 2, before.count);
        assert_in_range(after.count, before.count - before.count / 50,
                        before.count + before.count / 50);
        assert_true(magnitude(after.asked[after.count - 1].rate -
                              before.asked[before.count - 1].rate) < 5e-8);
        lab_close(&net);
        clean_up(NULL);
    }
}

/* 65 s at 8 messages a second and direction */
static void sim_recording_stays_small_when_a_run_is_recorded(void **state)
{
    live(1, true);
    assert_in_range(recording.length / 65, 1000, 20000);
    lab_close(&net);
}

/* The recorder neither changes what a node does nor draws a random number. */
static void sim_recording_changes_nothing_when_a_run_is_recorded(void **state)
{
    uint64_t hashes[2];
    for (int is_recorded = 0; is_recorded < 2; is_recorded++) {
        build(1);
        if (is_recorded == 1) {
            lab_record(&net, BC, &recording);
        }
        for (uint32_t i = A; i <= BC; i++) {
            lab_boot(&net, i);
        }
        lab_run(&net, 30);
        hashes[is_recorded] = net.hash;
        lab_close(&net);
    }
    assert_true(hashes[0] == hashes[1]);
}

static void sim_replay_follows_to_the_end_when_node_was_killed(void **state)
{
    live(1, false);
    for (size_t cut = 0; cut < 300; cut += 7) {
        struct mt_replay_result result = replay_log(recording.octets, recording.length - cut);
        assert_int_not_equal(result.outcome, MT_REPLAY_DIVERGED);
        assert_int_equal(result.is_complete, cut == 0);
    }
    lab_close(&net);
}

/* The place of a text in the recording. */
static uint8_t *find(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= recording.length; i++) {
        if (memcmp(recording.octets + i, text, length) == 0) {
            return recording.octets + i;
        }
    }
    return NULL;
}

/* Another priority: the first Announce of the replayed node is not the recorded one. */
static void sim_replay_says_where_it_differs_when_configuration_is_another(void **state)
{
    live(1, true);
    uint8_t *key = find("path_trace = yes");
    memcpy(key, "priority1 = 99\n#", 16);
    struct mt_replay_result result = replay_log(recording.octets, recording.length);
    assert_int_equal(result.outcome, MT_REPLAY_DIVERGED);
    assert_non_null(strstr(result.sentence, "record "));
    assert_in_range(result.inputs, 5, 1000);
    assert_true(result.offset < recording.length / 2);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_replay_is_the_run_bit_for_bit_when_it_was_recorded, clean_up),
        cmocka_unit_test_teardown(sim_rerun_corrects_alike_when_nothing_has_changed, clean_up),
        cmocka_unit_test_teardown(sim_recording_stays_small_when_a_run_is_recorded, clean_up),
        cmocka_unit_test_teardown(sim_recording_changes_nothing_when_a_run_is_recorded, clean_up),
        cmocka_unit_test_teardown(sim_replay_follows_to_the_end_when_node_was_killed, clean_up),
        cmocka_unit_test_teardown(sim_replay_says_where_it_differs_when_configuration_is_another,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
