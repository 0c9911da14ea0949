/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Rules of worker threads that change while they answer: each thread has whole sets only, and one
 * is freed when nobody can use it any more (which the sanitizers judge).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "platform/linux/linux_ntp_workers.h"

#define ROUNDS  2000
#define THREADS 3

static struct mt_ntp_rules rules;

static int clear(void **state)
{
    mt_ntp_rules_end(&rules);
    return 0;
}

/* All in it is of this number. */
static void put(uint32_t number)
{
    struct mt_ntp_rule rule[3] = {{.is_allowed = true}, {.is_allowed = true}, {.is_allowed = true}};
    struct mt_ntp_key key[2] = {{.id = number, .length = 1}, {.id = number, .length = 1}};
    const struct mt_ntp_keys keys = {.key = key, .count = 2};
    const struct mt_ntp_ruling ruling = {
        .server = {.rules = rule, .rule_count = (uint16_t)(1 + number % 3), .keys = &keys},
        .burst = (uint8_t)number,
    };
    for (unsigned i = 0; i < 3; i++) {
        rule[i].range.prefix_bits = (uint8_t)number;
    }
    assert_true(mt_ntp_rules_put(&rules, &ruling));
    for (unsigned i = 0; i < 3; i++) { /* it is a copy */
        rule[i] = (struct mt_ntp_rule){0};
    }
    key[0] = key[1] = (struct mt_ntp_key){0};
}

static bool is_whole(const struct mt_ntp_ruling *ruling)
{
    const struct mt_ntp_server *server = &ruling->server;
    uint8_t number = ruling->burst;
    bool is_good = (uint8_t)server->keys->key[0].id == number &&
                   (uint8_t)server->keys->key[1].id == number &&
                   server->rule_count == 1 + server->keys->key[0].id % 3;
    for (unsigned i = 0; i < server->rule_count; i++) {
        is_good =
            is_good && server->rules[i].is_allowed && server->rules[i].range.prefix_bits == number;
    }
    return is_good;
}

static void rules_are_taken_once_when_they_are_new(void **state)
{
    struct mt_ntp_rules_user user = {0};
    put(1);
    const struct mt_ntp_ruling *ruling = mt_ntp_rules_take(&rules, &user);
    assert_true(ruling != NULL && is_whole(ruling));
    assert_null(mt_ntp_rules_take(&rules, &user));
    put(2);
    put(3);
    ruling = mt_ntp_rules_take(&rules, &user);
    assert_true(ruling != NULL && is_whole(ruling));
    assert_int_equal(ruling->burst, 3);
}

/* What one user still has stays, whatever another one has taken. */
static void rules_stay_while_anybody_uses_them(void **state)
{
    struct mt_ntp_rules_user quick = {0};
    struct mt_ntp_rules_user slow = {0};
    struct mt_ntp_rules_user *const users[] = {&quick, &slow};
    put(1);
    const struct mt_ntp_ruling *kept = mt_ntp_rules_take(&rules, &slow);
    for (uint32_t number = 2; number < 9; number++) {
        put(number);
        assert_non_null(mt_ntp_rules_take(&rules, &quick));
        assert_false(mt_ntp_rules_clean(&rules, users, 2));
        assert_true(is_whole(kept));
    }
    assert_non_null(mt_ntp_rules_take(&rules, &slow));
    assert_true(mt_ntp_rules_clean(&rules, users, 2));
    assert_null(mt_ntp_rules_take(&rules, &quick));
}

/* Nothing is published, and nobody asks. */
static void rules_are_freed_when_threads_have_had_a_turn(void **state)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    const struct mt_address address = {.network = MT_NETWORK_UDP_IPV4, .octets = {127, 0, 0, 1}};
    const struct mt_ntp_workers_options options = {
        .count = 1, .addresses = &address, .address_count = 1, .port = 0};
    char reason[MT_HAL_REASON_SIZE];
    struct mt_ntp_workers *workers = mt_ntp_workers_start(&options, reason);
    bool is_clean = false;
    assert_non_null(workers);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(mt_ntp_workers_rule(workers, &options.ruling));
    }
    for (unsigned i = 0; i < 500 && !is_clean; i++) {
        nanosleep(&pause, NULL);
        is_clean = mt_ntp_workers_clean(workers);
    }
    assert_true(is_clean);
    mt_ntp_workers_stop(workers);
}

struct reader {
    struct mt_ntp_rules_user user;
    _Atomic bool *must_end;
    bool is_good;
};

static void *read_on(void *context)
{
    struct reader *self = context;
    const struct mt_ntp_ruling *ruling = NULL;
    while (!*self->must_end) {
        const struct mt_ntp_ruling *fresh = mt_ntp_rules_take(&rules, &self->user);
        ruling = fresh != NULL ? fresh : ruling;
        self->is_good = self->is_good && is_whole(ruling);
    }
    return NULL;
}

static void rules_are_whole_when_threads_take_them_as_they_change(void **state)
{
    static struct reader readers[THREADS];
    struct mt_ntp_rules_user *users[THREADS];
    pthread_t threads[THREADS];
    _Atomic bool must_end = false;
    put(1);
    for (unsigned i = 0; i < THREADS; i++) {
        readers[i].must_end = &must_end;
        readers[i].is_good = true;
        users[i] = &readers[i].user;
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (uint32_t number = 2; number < ROUNDS; number++) {
        put(number);
        mt_ntp_rules_clean(&rules, users, THREADS);
    }
    must_end = true;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].is_good);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rules_are_taken_once_when_they_are_new, clear),
        cmocka_unit_test_teardown(rules_stay_while_anybody_uses_them, clear),
        cmocka_unit_test(rules_are_freed_when_threads_have_had_a_turn),
        cmocka_unit_test_teardown(rules_are_whole_when_threads_take_them_as_they_change, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
