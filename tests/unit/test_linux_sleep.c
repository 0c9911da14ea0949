/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * That the machine was suspended is noticed, and for how long; a pause is none.
 */
#include "linux_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t slept(struct mt_sleep_watch *watch, struct machine *machine, int64_t pause_ns)
{
    int64_t monotonic_ns = machine->monotonic_ns;

    machine_pass(machine, pause_ns);
    return mt_sleep_watch_look(watch, monotonic_ns);
}

static void assert_slept(int64_t slept_ns, int64_t wanted_ns)
{
    assert_between(slept_ns, wanted_ns - 1000, wanted_ns + 1000);
}

static void sleep_is_noticed_once_when_the_machine_was_suspended(void **state)
{
    struct machine machine;
    struct mt_sleep_watch watch;

    (void)state;
    machine_init(&machine);
    machine.boottime_ns += 77 * SECOND; /* before we began */
    machine.cost_ns = 100;
    mt_sleep_watch_init(&watch, &machine.os);
    for (int i = 0; i < 100; i++) {
        machine_pass(&machine, SECOND);
        assert_int_equal(slept(&watch, &machine, i % 7 == 0 ? 300 * MS : 100), 0);
    }
    machine_sleep(&machine, 20 * SECOND);
    assert_slept(slept(&watch, &machine, 100), 20 * SECOND);
    assert_int_equal(slept(&watch, &machine, 100), 0);
    machine_sleep(&machine, 3600 * SECOND);
    machine_pass(&machine, 5 * SECOND);
    assert_slept(slept(&watch, &machine, 300 * MS), 3600 * SECOND);
    assert_int_equal(slept(&watch, &machine, 300 * MS), 0);
    assert_int_equal(slept(&watch, &machine, 100), 0);
    machine_sleep(&machine, 30 * MS);
    assert_slept(slept(&watch, &machine, 100), 30 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleep_is_noticed_once_when_the_machine_was_suspended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
