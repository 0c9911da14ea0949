/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The simulator's queue: order and pools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "platform/sim/sim_queue.h"

static struct mt_sim_event *add_event(struct mt_sim_queue *queue, int64_t t_ns, uint32_t token,
                                      struct mt_sim_frame *frame)
{
    struct mt_sim_event *event = mt_sim_queue_new_event(queue);
    assert_non_null(event);
    event->token = token;
    event->frame = frame;
    mt_sim_queue_add(queue, t_ns, event);
    return event;
}

static void sim_queue_keeps_order_when_times_are_equal(void **state)
{
    struct mt_sim_queue queue = {0};
    struct mt_prng prng;
    mt_prng_init(&prng, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        add_event(&queue, mt_prng_below(&prng, 20), i, NULL);
    }
    int64_t last_t_ns = -1;
    uint32_t last = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        int64_t t_ns = mt_sim_queue_next_t(&queue);
        const struct mt_sim_event *next = mt_sim_queue_next(&queue);
        struct mt_sim_event *event = mt_sim_queue_take(&queue);
        assert_ptr_equal(event, next);
        assert_true(event->t_ns == t_ns);
        assert_true(t_ns > last_t_ns || (t_ns == last_t_ns && event->token > last));
        last_t_ns = t_ns;
        last = event->token;
        mt_sim_queue_end_event(&queue, event);
    }
    assert_null(mt_sim_queue_take(&queue));
    assert_null(mt_sim_queue_next(&queue));
    assert_true(mt_sim_queue_next_t(&queue) == INT64_MAX);
    mt_sim_queue_free(&queue);
}

/* Near and far, some at the very same time as others that were added long before. */
static void sim_queue_keeps_order_when_events_are_added_while_others_are_taken(void **state)
{
    struct mt_sim_queue queue = {0};
    struct mt_prng prng;
    int64_t now_ns = 0;
    uint32_t last = 0;
    mt_prng_init(&prng, 2);
    for (uint32_t i = 0; i < 20000; i++) {
        int64_t after_ns = INT64_C(1) << mt_prng_below(&prng, 36);
        int64_t coarse_ns = (now_ns + after_ns) / 64 * 64;
        add_event(&queue, coarse_ns > now_ns ? coarse_ns : now_ns, i + 1, NULL);
        if (i % 3 != 0) {
            int64_t t_ns = mt_sim_queue_next_t(&queue);
            struct mt_sim_event *event = mt_sim_queue_take(&queue);
            assert_true(event->t_ns == t_ns && t_ns >= now_ns);
            assert_true(t_ns > now_ns || event->token > last);
            now_ns = t_ns;
            last = event->token;
            mt_sim_queue_end_event(&queue, event);
        }
    }
    mt_sim_queue_free(&queue);
}

static void sim_queue_frees_frame_when_last_user_gives_it_back(void **state)
{
    struct mt_sim_queue queue = {0};
    struct mt_sim_frame *frame = mt_sim_queue_new_frame(&queue, (const uint8_t *)"abc", 3);
    add_event(&queue, 1, 0, frame);
    add_event(&queue, 2, 0, frame);
    mt_sim_queue_give_back(&queue, frame);
    for (int i = 0; i < 2; i++) {
        assert_ptr_not_equal(queue.free_frames, frame);
        struct mt_sim_event *event = mt_sim_queue_take(&queue);
        assert_memory_equal(event->frame->bytes, "abc", 3);
        mt_sim_queue_end_event(&queue, event);
    }
    assert_ptr_equal(queue.free_frames, frame);
    assert_null(mt_sim_queue_new_frame(&queue, frame->bytes, MT_SIM_FRAME_SIZE + 1));
    mt_sim_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_queue_keeps_order_when_times_are_equal),
        cmocka_unit_test(sim_queue_keeps_order_when_events_are_added_while_others_are_taken),
        cmocka_unit_test(sim_queue_frees_frame_when_last_user_gives_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
