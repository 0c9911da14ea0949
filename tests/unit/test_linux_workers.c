/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the loop hands to workers while they take it: whole, or not at all.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/linux_worker.h"

#define PUBLISHED 20000

static struct mt_workers workers;
static struct mt_worker worker;

/* Number `i` everywhere, from the first member to the last. */
static void *publish_all(void *context)
{
    (void)context;
    for (int64_t i = 1; i <= PUBLISHED; i++) {
        struct mt_served served = {.is_serving = true, .utc_offset = (int16_t)(i % 1000)};
        struct mt_clock_page page = {.valid_until_base_ns = i};
        served.dataset.steps_removed = (uint16_t)i;
        mt_workers_publish(&workers, &served, &page);
    }
    return NULL;
}

static void workers_serve_nothing_when_nothing_has_been_published(void **state)
{
    (void)state;
    memset(&workers, 0, sizeof workers);
    worker.all = &workers;
    worker.snapshot.served.is_serving = true;
    mt_worker_take_snapshot(&worker);
    assert_false(worker.snapshot.served.is_serving);
}

static void workers_take_whole_snapshots_when_they_are_published_meanwhile(void **state)
{
    pthread_t thread;
    int64_t last = 0;
    (void)state;
    memset(&workers, 0, sizeof workers);
    worker.all = &workers;
    assert_int_equal(pthread_create(&thread, NULL, publish_all, NULL), 0);
    while (last < PUBLISHED) {
        mt_worker_take_snapshot(&worker);
        int64_t i = worker.snapshot.page.valid_until_base_ns;
        assert_true(i >= last);
        assert_int_equal(worker.snapshot.served.is_serving, i != 0);
        assert_int_equal(worker.snapshot.served.utc_offset, i % 1000);
        assert_int_equal(worker.snapshot.served.dataset.steps_removed, (uint16_t)i);
        last = i;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_serve_nothing_when_nothing_has_been_published),
        cmocka_unit_test(workers_take_whole_snapshots_when_they_are_published_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
