/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Seeds run in processes of their own give what they give here, one after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/seeds.h"

static const char text[] = "[sim]\nduration = 60 s\ndiscard = 30 s\n"
                           "[star]\nreceivers = 2\nlink = l\n"
                           "[link l]\ndelay = 1 us\njitter = exponential 100 ns\n"
                           "[kind receiver]\noffset = +-1 ms\nfrequency = +-10 ppm\n"
                           "[at 40 s]\nkill bc1\n";

static struct mt_topology *parse(void)
{
    static struct mt_config_problems problems;
    struct mt_topology *topology = NULL;

    assert_true(mt_topology_parse(text, strlen(text), "net", NULL, 0, &topology, &problems));
    return topology;
}

static bool go_on(void *context, int64_t t_ns, uint64_t messages)
{
    return true;
}

static void tell(void *context, const struct mt_seeds_progress *progress)
{
}

static void assert_same(const struct mt_statistics *a, const struct mt_statistics *b)
{
    struct mt_statistics_figures figures[2];

    memset(figures, 0, sizeof figures);
    mt_statistics_get(a, &figures[0]);
    mt_statistics_get(b, &figures[1]);
    assert_true(figures[0].readings > 0);
    assert_int_equal(figures[0].readings, figures[1].readings);
    assert_true(figures[0].mean_ns == figures[1].mean_ns);
    assert_true(figures[0].deviation_ns == figures[1].deviation_ns);
    assert_true(figures[0].p99_ns == figures[1].p99_ns);
    assert_true(figures[0].low_ns == figures[1].low_ns);
    assert_true(figures[0].high_ns == figures[1].high_ns);
    assert_true(figures[0].synchronise_mean_s == figures[1].synchronise_mean_s);
    assert_int_equal(figures[0].with_bound, figures[1].with_bound);
    assert_int_equal(figures[0].seeds, figures[1].seeds);
    assert_int_equal(a->column_count, b->column_count);
    assert_memory_equal(a->columns, b->columns, a->column_count * sizeof *a->columns);
    for (size_t i = 0; i < MT_STATISTICS_OCTAVES; i++) {
        size_t size = MT_STATISTICS_STEPS * sizeof *a->below[i];
        assert_int_equal(a->below[i] == NULL, b->below[i] == NULL);
        assert_int_equal(a->above[i] == NULL, b->above[i] == NULL);
        if (a->below[i] != NULL) {
            assert_memory_equal(a->below[i], b->below[i], size);
        }
        if (a->above[i] != NULL) {
            assert_memory_equal(a->above[i], b->above[i], size);
        }
    }
    assert_int_equal(a->stability.count, b->stability.count);
    assert_memory_equal(&a->stability.points, &b->stability.points,
                        a->stability.count * sizeof a->stability.points[0]);
}

static void seeds_give_the_same_when_they_run_in_processes_of_their_own(void **state)
{
    struct mt_topology *topology = parse();
    struct mt_seeds_options options = {
        .run = {.judges_clocks = true, .series_limit = 1024}, .first = 5, .count = 3, .jobs = 2};
    struct mt_run_result here;
    struct mt_run_result there;
    char complaint[MT_RUN_COMPLAINT_SIZE];
    uint32_t seeds;

    assert_true(mt_run_seed(topology, &options.run, 5, go_on, NULL, &here));
    double worst_ns = here.phases[1].worst_ns;
    for (uint64_t seed = 6; seed <= 7; seed++) {
        struct mt_run_result next;
        assert_true(mt_run_seed(topology, &options.run, seed, go_on, NULL, &next));
        worst_ns = next.phases[1].worst_ns > worst_ns ? next.phases[1].worst_ns : worst_ns;
        mt_run_result_merge(&here, &next);
        mt_run_result_free(&next);
    }
    assert_true(mt_seeds_run(topology, &options, tell, NULL, &there, &seeds, complaint));
    assert_int_equal(seeds, 3);
    assert_string_equal(complaint, "");
    assert_int_equal(here.messages, there.messages);
    assert_int_equal(here.phase_count, 2);
    assert_true(worst_ns > 0 && here.phases[1].worst_ns == worst_ns);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(here.phases[i].worst_ns == there.phases[i].worst_ns);
        assert_int_equal(here.phases[i].changes, there.phases[i].changes);
        assert_memory_equal(&here.phases[i].standing, &there.phases[i].standing,
                            sizeof here.phases[i].standing);
        assert_int_equal(here.phases[i].last_change_ns, there.phases[i].last_change_ns);
    }
    for (uint32_t i = 1; i < topology->node_count; i++) {
        assert_same(&here.published[i], &there.published[i]);
        assert_same(&here.steered[i], &there.steered[i]);
    }
    mt_run_result_free(&here);
    mt_run_result_free(&there);
    mt_topology_free(topology);
}

static void result_is_refused_when_it_is_cut_off(void **state)
{
    struct mt_topology *topology = parse();
    const struct mt_run_options options = {.judges_clocks = false};
    struct mt_run_result result;
    struct mt_run_result copy;
    size_t length;

    assert_true(mt_run_seed(topology, &options, 1, go_on, NULL, &result));
    void *octets = mt_seeds_pack(&result, &length);
    assert_non_null(octets);
    assert_true(mt_seeds_unpack(octets, length, &copy));
    mt_run_result_free(&copy);
    for (size_t cut = 1; cut < length; cut += length / 50) {
        assert_false(mt_seeds_unpack(octets, length - cut, &copy));
    }
    free(octets);
    mt_run_result_free(&result);
    mt_topology_free(topology);
}

static bool stop_soon(void *context, int64_t t_ns, uint64_t messages)
{
    return t_ns < INT64_C(20000000000);
}

static void run_ends_with_what_there_is_when_it_is_told_to(void **state)
{
    struct mt_topology *topology = parse();
    const struct mt_run_options options = {.judges_clocks = false};
    struct mt_run_result result;

    assert_true(mt_run_seed(topology, &options, 1, stop_soon, NULL, &result));
    assert_true(result.t_ns >= INT64_C(20000000000) && result.t_ns < INT64_C(40000000000));
    assert_string_equal(result.complaint, "");
    mt_run_result_free(&result);
    mt_topology_free(topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_give_the_same_when_they_run_in_processes_of_their_own),
        cmocka_unit_test(result_is_refused_when_it_is_cut_off),
        cmocka_unit_test(run_ends_with_what_there_is_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
